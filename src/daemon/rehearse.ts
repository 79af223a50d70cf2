// `upkeep run --rehearse`: would a keeper of this program, started now in these places, run? Loads what a keeper loads, has
// its thread do something, and reads what it would read. Takes no lock and writes nothing: the keeper that asks is running.

import { hostname } from 'node:os';
import type { RunOptions } from '../cli/ports.js';
import { errorText } from '../core/error-text.js';
import { createClock } from '../kernel/clock.js';
import { type DiskJob, DiskThread } from '../kernel/disk-thread.js';
import { probeFeatures, switchedOff } from '../kernel/features.js';
import { probeProcConnector } from '../kernel/proc-connector.js';
import { createPump } from '../kernel/pump.js';
import { printJob } from '../logs/job.js';
import type { RecordJob } from '../recorder.js';
import { decideCommand } from './command.js';
import { decideAt } from './configuration.js';
// Everything that the keeper is made of, whether used here or not.
import './daemon.js';
import { recall, servicesOf } from './memory.js';

/** A thread is there in a tenth of a second. */
const threadWithin = 10_000;

/** Resolves when all is well. @throws a sentence about the first thing that is not */
export async function rehearseKeeper({ places, strict, command }: RunOptions): Promise<void> {
  // What a keeper would do without, and say so, is reason enough not to change a keeper that has it.
  const fail = (problem: string, error: unknown): never => {
    throw new Error(error == null ? problem : `${problem}: ${errorText(error)}`);
  };
  const without = switchedOff(process.env);
  createPump(probeFeatures(without, probeProcConnector), fail).close();

  const uid = process.getuid?.() ?? 0;
  const memory = recall(places, hostname(), uid, fail);
  const { applied, found } = memory;
  const decision =
    command === null
      ? decideAt(places.config, uid, { applied, boot: found.boot, strict })
      : decideCommand(places.config, command, uid, found);
  if (decision.type === 'refuse') throw new Error(decision.problems.join('; '));
  // Every service once more as it was left, which another version may have written.
  for (const service of servicesOf(decision.configuration, memory, createClock().now().instant)) void service;

  await tryThread({ name: 'disk thread', program: 'worker.js', setting: { without } }, printJob(''));
  // Loads what it needs, and touches nothing.
  const nothing: RecordJob = { type: 'discard', key: 'nothing', lasts: 'once', letters: [] };
  await tryThread({ name: 'record thread', program: 'recorder.js', setting: { state: places.state } }, nothing);
}

interface Thread {
  readonly name: string;
  readonly program: string;
  readonly setting: unknown;
}

function tryThread<Job extends DiskJob>({ name, program, setting }: Thread, job: Job): Promise<void> {
  return new Promise((resolve, reject) => {
    const report = (problem: string, error: unknown): void => reject(new Error(`${problem}: ${String(error)}`));
    const thread = new DiskThread<Job, unknown>({
      ...{ name, setting, report },
      program: new URL(`../${program}`, import.meta.url),
      onNews: () => {},
    });
    thread.send(job);
    void thread.flush(threadWithin).then((done) => {
      thread.close();
      if (done === 'done') resolve();
      else report(`the ${name} does not answer`, `not within ${threadWithin / 1000} s`);
    });
  });
}
