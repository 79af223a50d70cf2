// Heartbeat `file`: is the file there, fresh, of the right size, and other than when it was last asked for? Looked at with the
// rights of the user who asks; its content is not read. Owns what was seen at the last question.

import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { errorCode } from '../core/error-text.js';
import type { FileQuestion } from '../core/question.js';
import { sizeInWords } from '../core/size.js';
import { judgeReadings } from '../core/threshold.js';
import { inWords } from '../core/time.js';
import { judge } from './judge.js';
import { type Ask, type Finding, failed, good, unasked } from './kind.js';

export const askFile: Ask<FileQuestion> = async (question, asking) => {
  // A dead server of files says nothing about the service: this step is not held against it.
  asking.begin('look');
  let seen: BigIntStats;
  try {
    seen = await look(question.path);
  } catch (error) {
    return withoutFile(question.path, error);
  }
  // Nobody hears this answer: it is not what was last asked for.
  if (asking.signal.aborted) return unasked('given up');
  const news = question.changes === 'no' ? null : newsOf(question.path, asking.by, seen);
  return judgeFile(question, seen, news);
};

type News = 'first' | 'changed' | 'unchanged';

function judgeFile({ age, size }: FileQuestion, seen: BigIntStats, news: News | null): Finding {
  // A time in the future is that of a clock which was wrong: it was touched, so it is not old.
  const sinceChange = Math.max(0, Date.now() - Number(seen.mtimeMs));
  const bytes = Number(seen.size);
  const judged = judgeReadings([
    { value: sinceChange, text: `changed ${inWords(sinceChange)} ago`, wanted: age, inWords },
    { value: bytes, text: sizeInWords(bytes), wanted: size, inWords: sizeInWords },
  ]);
  if (news === 'unchanged') return failed(`the same as at the last question; ${judged.detail}`);
  return news === 'first' && judged.result === 'good' ? good(`seen for the first time, ${judged.detail}`) : judged;
}

function withoutFile(path: string, error: unknown): Finding {
  switch (errorCode(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return failed(`${path} is not there`);
    case 'EACCES':
      // By number: to find the name may take an answer of the very service that is asked about.
      return unasked(`the user with uid ${process.geteuid?.()} may not look at ${path}`);
    default:
      return judge(error, path);
  }
}

/** Looks that have not come back: each holds one of the few threads for files, so whoever asks again waits for the same one. */
const underWay = new Map<string, Promise<BigIntStats>>();

function look(path: string): Promise<BigIntStats> {
  const before = underWay.get(path);
  if (before !== undefined) return before;
  const looking = stat(path, { bigint: true }).finally(() => underWay.delete(path));
  underWay.set(path, looking);
  return looking;
}

/** By whose question and path: what was there. The oldest goes first; whoever asks then sees it for the first time. */
const lastSeen = new Map<string, string>();
const MOST_SEEN = 10_000;

function newsOf(path: string, by: string | undefined, { mtimeNs, size, ino, dev }: BigIntStats): News {
  const now = [mtimeNs, size, ino, dev].join(' ');
  const key = `${by ?? ''}\0${path}`;
  const before = lastSeen.get(key);
  if (by !== undefined) {
    lastSeen.delete(key);
    lastSeen.set(key, now);
    if (lastSeen.size > MOST_SEEN) lastSeen.delete(lastSeen.keys().next().value ?? key);
  }
  if (before === undefined) return 'first';
  return before === now ? 'unchanged' : 'changed';
}
