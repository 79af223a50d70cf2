// The disk thread, the second composition: whatever may wait for the log disk or the state disk happens here, one job
// after the other, with calls that block this thread alone. It must not know the keeper.

import { writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { DurableWriter } from './journal/durable-writer.js';
import type { WriteJob } from './journal/job.js';
import { collapse } from './kernel/disk-calls.js';
import type { FromThread, JobForThread } from './kernel/disk-thread.js';
import { Syslog } from './kernel/syslog.js';
import type { DiskCalls, LogJob, LogNews, PrintJob } from './logs/job.js';
import { LogTender } from './logs/tender.js';

/** What the main thread gives along: the probes that UPKEEP_WITHOUT switches off. */
interface Setting {
  readonly without: readonly string[];
}

const { without }: Setting = workerData;
const port = parentPort;
if (port === null) throw new Error('worker.js is the disk thread of upkeep and no program of its own');

const send = (message: FromThread<LogNews>): void => port.postMessage(message);
const tell = (news: LogNews): void => send({ type: 'news', news });

const INFO = 6;
const receivers = new Map<string, Syslog>();
const calls: DiskCalls = {
  collapse: without.includes('collapseRange') ? () => 'EOPNOTSUPP' : collapse,
  sendToSyslog: (service, line) => {
    const receiver = receivers.get(service) ?? new Syslog('/dev/log', service);
    receivers.set(service, receiver);
    receiver.write(INFO, line);
  },
};
const tender = new LogTender(calls, tell);
const writer = new DurableWriter((problem, error) => tell({ type: 'problem', problem, error }));

/** Who reads our stderr may have gone; there is nobody else to tell. */
function print(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // EPIPE, EIO, ENOSPC
  }
}

port.on('message', ({ number, job }: JobForThread<LogJob | WriteJob | PrintJob>) => {
  switch (job.type) {
    case 'tend':
    case 'leave':
    case 'lastLines':
      tender.perform(job);
      break;
    case 'write':
      writer.perform(job);
      break;
    case 'print':
      print(job.text);
      break;
  }
  send({ type: 'done', number });
});
