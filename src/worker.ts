// The disk thread, the second composition: whatever may wait for the log disk or the state disk happens here, one job
// after the other, with calls that block this thread alone. It must not know the keeper.

import { parentPort, workerData } from 'node:worker_threads';
import { DurableWriter } from './journal/durable-writer.js';
import type { WriteJob } from './journal/job.js';
import { collapse } from './kernel/disk-calls.js';
import type { FromThread, JobForThread } from './kernel/disk-thread.js';
import type { LogJob, LogNews } from './logs/job.js';
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
const canCollapse = !without.includes('collapseRange');
const tender = new LogTender({ collapse: canCollapse ? collapse : () => 'EOPNOTSUPP' }, tell);
const writer = new DurableWriter((problem, error) => tell({ type: 'problem', problem, error }));

port.on('message', ({ number, job }: JobForThread<LogJob | WriteJob>) => {
  switch (job.type) {
    case 'tend':
    case 'leave':
      tender.perform(job);
      break;
    case 'write':
      writer.perform(job);
      break;
  }
  send({ type: 'done', number });
});
