// The record thread, the third composition: what happened goes into the history, and letters into the outbox, one job after
// the other, with calls that block this thread alone. Apart from the disk thread, because the logs may lie on another disk,
// and SQLite may take its time. It must not know the keeper.

import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import type { Entry } from './core/entry.js';
import type { Letter } from './core/notice.js';
import { type Desk, emptyDesk } from './core/notice-desk.js';
import { History } from './history/history.js';
import type { Answered, AskJob } from './history/job.js';
import { defaultBounds } from './history/prune.js';
import { findSqlite } from './history/sqlite.js';
import { replaceSettled, settleDirectory } from './journal/durable-file.js';
import type { FromThread, JobForThread } from './kernel/disk-thread.js';
import { Outbox } from './notices/outbox.js';
import type { Envelope } from './notices/outbox-file.js';

export interface RecorderSetting {
  readonly state: string;
}

/** What is in the outbox, and what the desk knew. */
export interface LoadJob {
  readonly type: 'load';
  readonly key: string;
  readonly lasts: 'once';
}

/** What happened, for the history; and what the desk made of it: either all of that is on disk afterwards, or it is given again. */
export interface KeepJob {
  readonly type: 'keep';
  readonly key: string;
  readonly lasts: 'once';
  readonly entries: readonly Entry[];
  readonly letters: readonly Letter[];
  readonly desk: Desk;
}

/** Nobody is to have these any more. */
export interface DiscardJob {
  readonly type: 'discard';
  readonly key: string;
  readonly lasts: 'once';
  readonly letters: readonly string[];
}

export type RecordJob = LoadJob | KeepJob | DiscardJob | AskJob;

export type RecordNews =
  | { readonly type: 'loaded'; readonly desk: Desk; readonly letters: readonly Envelope[] }
  /** `letters`: those of the job that lie in the outbox now. `dropped`: others that had to make room. `unwritten`: why the
   * history has not the entries yet; people are told all the same. */
  | {
      readonly type: 'kept';
      readonly key: string;
      readonly unwritten: string | null;
      readonly letters: readonly Envelope[];
      readonly dropped: readonly Envelope[];
    }
  | { readonly type: 'notKept'; readonly key: string; readonly reason: string }
  | { readonly type: 'said'; readonly text: string }
  | Answered;

const { state }: RecorderSetting = workerData;
const port = parentPort;
if (port === null) throw new Error('recorder.js is the record thread of upkeep and no program of its own');

const send = (message: FromThread<RecordNews>): void => port.postMessage(message);
const tell = (news: RecordNews): void => send({ type: 'news', news });
const say = (text: string): void => tell({ type: 'said', text });

const history = new History({
  path: join(state, 'history.db'),
  sqlite: findSqlite(),
  bounds: defaultBounds,
  now: Date.now,
  say,
});
const outbox = new Outbox(join(state, 'outbox'), { replace: replaceSettled, settle: settleDirectory });

function load(): void {
  const { letters, desk, problems } = outbox.load();
  for (const problem of problems) say(problem);
  tell({ type: 'loaded', desk: isDesk(desk) ? desk : emptyDesk, letters });
}

function keep({ key, entries, letters, desk }: KeepJob): void {
  const appended = entries.length === 0 ? ({ type: 'kept' } as const) : history.append(entries);
  const put = outbox.put(letters, desk);
  if (put.type === 'refused') {
    // The history takes the same entries again without harm.
    tell({ type: 'notKept', key, reason: put.reason });
    return;
  }
  const unwritten = appended.type === 'later' ? appended.problem : null;
  tell({ type: 'kept', key, unwritten, letters: put.letters, dropped: put.dropped });
}

/** One of another version is begun anew: at worst somebody is told of an outage a second time. */
function isDesk(read: unknown): read is Desk {
  return typeof read === 'object' && read !== null && 'version' in read && read.version === emptyDesk.version;
}

port.on('message', ({ number, job }: JobForThread<RecordJob>) => {
  switch (job.type) {
    case 'load':
      load();
      break;
    case 'keep':
      keep(job);
      break;
    case 'discard':
      outbox.remove(job.letters);
      break;
    case 'ask':
      tell({ type: 'answered', id: job.id, answer: history.ask(job.question) });
      break;
  }
  send({ type: 'done', number });
});
