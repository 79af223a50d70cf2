// A pool of real askers beside this process, composed as daemon/outside.ts does. Needs dist/ to be built.

import type { Event } from '../../src/core/event.js';
import type { HeartbeatSpec } from '../../src/core/heartbeat.js';
import { asPid, type ProcessRef } from '../../src/core/process.js';
import type { Answer, Question } from '../../src/core/question.js';
import type { ServiceSpec } from '../../src/core/spec.js';
import { after } from '../../src/daemon/after.js';
import { askerStarter } from '../../src/daemon/asker-process.js';
import { AskerSecrets } from '../../src/daemon/asker-secrets.js';
import { Askers } from '../../src/daemon/askers.js';
import { endSessionsOf } from '../../src/kernel/asker-program.js';
import { type AskerRightsOrNot, type AskerWish, askerRights } from '../../src/kernel/asker-rights.js';
import { type Companion, companionStarter } from '../../src/kernel/companion.js';
import { Exits } from '../../src/kernel/exits.js';
import { probeFeatures } from '../../src/kernel/features.js';
import { createPump } from '../../src/kernel/pump.js';
import { closeOnExecFrom } from '../../src/kernel/syscalls.js';
import { heartbeat, supervised } from './builders.js';
import { type Kept, keep } from './kept.js';

export const askerProgram = new URL('../../dist/asker.js', import.meta.url);

export interface AskerPool {
  readonly askers: Askers;
  /** Asks, as the core does; the number of the question. */
  readonly ask: (question: Question, more?: Partial<HeartbeatSpec>, spec?: ServiceSpec) => number;
  readonly answerTo: (question: number) => Promise<Answer>;
  readonly answered: Kept<Extract<Event, { type: 'answered' }>>;
  /** Those that live. */
  readonly pids: () => readonly number[];
  readonly close: () => Promise<void>;
}

export interface PoolWish {
  readonly limit?: number;
  readonly rightsOf?: (wish: AskerWish) => AskerRightsOrNot;
  readonly env?: Readonly<Record<string, string>>;
}

export const someProcess: ProcessRef = { pid: asPid(4711), startTicks: 1, inode: null };

export const running = (...argv: readonly string[]): Question => ({
  kind: 'exec',
  command: { argv, timeout: null, user: null },
  codes: 'upkeep',
});

export const script = (text: string, ...words: readonly string[]): Question =>
  running('/bin/sh', '-c', text, 'sh', ...words);

export function openPool({ limit = 4, rightsOf, env = {} }: PoolWish = {}): AskerPool {
  // What the runner of tests inherited is not ours.
  closeOnExecFrom(3);
  const features = probeFeatures([]);
  const pump = createPump(features, (problem, error) => {
    throw new Error(problem, { cause: error });
  });
  const exits = new Exits(pump, features);
  const answered = keep<Extract<Event, { type: 'answered' }>>();
  const living = new Map<number, Companion>();
  const start = companionStarter(exits, features);
  const startCompanion: typeof start = (program) => {
    const companion = start(program);
    living.set(companion.pid, companion);
    void companion.ended.then(() => living.delete(companion.pid));
    return companion;
  };
  const askers = new Askers({
    post: (event) => {
      if (event.type === 'answered') answered.add(event);
    },
    report: () => undefined,
    start: askerStarter(startCompanion, (work) => work(), askerProgram),
    rightsOf: rightsOf ?? askerRights,
    secrets: new AskerSecrets({ env, uid: process.geteuid?.() ?? 0 }),
    measure: () => Promise.resolve({ type: 'unseen' }),
    endPrograms: (leaders, uid) => endSessionsOf(leaders, uid, features),
    clock: { now: () => performance.now(), after },
  });
  askers.limit = limit;
  let questions = 0;
  return {
    askers,
    answered,
    ask: (question, more = {}, spec = supervised()) => {
      questions += 1;
      const one = heartbeat({ name: question.kind, question, ...more });
      askers.ask({ type: 'ask', spec, heartbeat: one, process: someProcess, question: questions });
      return questions;
    },
    answerTo: async (question) => {
      for (let count = 1; ; count += 1) {
        const event = (await answered.until(count))[count - 1];
        if (event?.question === question) return event.answer;
      }
    },
    pids: () => [...living.keys()],
    close: async () => {
      const ended = [...living.values()].map((one) => one.ended);
      askers.close();
      for (const { kill } of living.values()) kill();
      await Promise.all(ended);
      exits.close();
      pump.close();
    },
  };
}
