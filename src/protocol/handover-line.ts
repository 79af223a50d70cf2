// The words of the hand-over channel, as lines of JSON (docs/graceful.md): what a service says is read and checked here, what it
// is told is written. Pure. It must not know who is on the channel, nor what follows from a word.

import type { KeeperWord, ServiceWord } from '../core/handover-word.js';
import { oneLine } from '../core/one-line.js';

/** What a service may say. */
export type Saying =
  /** The first word: can it hand its state over? */
  | { readonly type: 'hello'; readonly state: 'yes' | 'no' }
  /** A message of sd_notify, from a program that cannot send datagrams. */
  | { readonly type: 'notify'; readonly text: string }
  | ServiceWord;

/** What a service may be told: the words of the core, and where its state is. */
export type Order =
  /** Stand still, and write your state to this path, or FIFO. */
  | { readonly type: 'export'; readonly to: string }
  /** Read the state of your predecessor here; null: it has none. */
  | { readonly type: 'import'; readonly from: string | null }
  | KeeperWord;

/** `unknown`: of a later version, to be ignored. `wrong`: nobody who speaks this protocol says so. */
export type Reading =
  | { readonly type: 'said'; readonly saying: Saying }
  | { readonly type: 'unknown' }
  | { readonly type: 'wrong'; readonly reason: string };

const said = (saying: Saying): Reading => ({ type: 'said', saying });
const wrong = (reason: string): Reading => ({ type: 'wrong', reason });

/** Longer texts say nothing to a person. */
const LONGEST_REASON = 1000;

export function readLine(line: string): Reading {
  const members = membersOf(line);
  if (members === null) return wrong('a line is no object of JSON');
  const word = members.get('say');
  switch (word) {
    case 'hello':
      return said({ type: 'hello', state: members.get('state') === true ? 'yes' : 'no' });
    case 'notify': {
      const text = members.get('text');
      return typeof text === 'string' ? said({ type: 'notify', text }) : wrong('"notify" needs a "text"');
    }
    case 'wantsState':
    case 'noState':
      return said({ type: word });
    case 'exported': {
      const bytes = members.get('bytes');
      const isCount = typeof bytes === 'number' && Number.isSafeInteger(bytes) && bytes >= 0;
      return isCount ? said({ type: 'exported', bytes }) : wrong('"exported" needs the number of "bytes"');
    }
    case 'exportFailed':
    case 'refused':
      return said({ type: word, reason: reasonIn(members.get('reason')) });
    case undefined:
      return wrong('a line has no "say"');
    default:
      return typeof word === 'string' ? { type: 'unknown' } : wrong('"say" is no text');
  }
}

/** One line, with its end. */
export function writeLine(order: Order): string {
  const { type, ...members } = order;
  return `${JSON.stringify({ do: type, ...members })}\n`;
}

/** The last line before the keeper closes the channel, for whoever looks why. */
export const farewell = (reason: string): string => `${JSON.stringify({ do: 'close', reason })}\n`;

function membersOf(line: string): ReadonlyMap<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? new Map<string, unknown>(Object.entries(value)) : null;
  } catch {
    return null;
  }
}

/** As it will stand in a terminal and in a mail. */
const reasonIn = (value: unknown): string => (typeof value === 'string' ? oneLine(value, LONGEST_REASON) : '');
