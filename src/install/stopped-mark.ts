// `<state>/stopped`: the keeper was ended on purpose, by whom and when. Whoever would start it again honours it for the rest
// of that boot; lib/check.sh reads the same lines. Removed when a keeper starts.

import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

export interface StoppedMark {
  /** /proc/sys/kernel/random/boot_id of the boot for which it counts. */
  readonly boot: string;
  /** ISO time. */
  readonly at: string;
  /** Who asked, as people call them. */
  readonly by: string;
}

export const markPath = (state: string): string => join(state, 'stopped');

/** Names come from a directory service and may hold anything; each field is one line. */
export const markText = ({ boot, at, by }: StoppedMark): string =>
  [`boot=${boot}`, `at=${at}`, `by=${by.replace(/\p{Cc}+/gu, ' ')}`, ''].join('\n');

/** null: half of one, or something else. */
export function parseMark(text: string): StoppedMark | null {
  const fields = new Map(
    text.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  const [boot, at, by] = [fields.get('boot'), fields.get('at'), fields.get('by')];
  return boot === undefined || at === undefined || by === undefined ? null : { boot, at, by };
}

/** The mark, if it counts in this boot. */
export function readMark(state: string, boot: string = bootId()): StoppedMark | null {
  let text: string;
  try {
    text = readFileSync(markPath(state), 'utf8');
  } catch {
    return null; // there is none, or it is not for our eyes
  }
  const mark = parseMark(text);
  return mark?.boot === boot ? mark : null;
}

export function removeMark(state: string): void {
  rmSync(markPath(state), { force: true });
}

export const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
