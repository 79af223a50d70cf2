// The file that says what the holder holds, for the next keeper. Owns its shape; what is not as it was written says nothing.
// It must not know what the descriptors are good for.

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { asPid, type ProcessRef } from '../core/process.js';
import { pidEra } from './pid-era.js';

/** What a held descriptor is. */
export interface Keeping {
  /** Of a service, or of a pool whose members share it. */
  readonly owner: string;
  readonly kind: 'socket' | 'notify' | 'stored';
  readonly name: string;
  /** What else its owner has to know of it again, in words of his own. */
  readonly note: string;
}

/** A descriptor as another process has it. */
export interface Entry extends Keeping {
  /** Its number there. */
  readonly at: number;
  /** Device and inode: what has another one is something else. */
  readonly inode: string;
}

export interface HeldRecord {
  readonly holder: ProcessRef;
  readonly entries: readonly Entry[];
}

/** null: there is none, or it is of another boot. */
export function readRecord(path: string): HeldRecord | null {
  try {
    const found: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (!isObject(found) || found.era !== pidEra() || !isObject(found.holder) || !Array.isArray(found.entries))
      return null;
    const { pid, startTicks, inode } = found.holder;
    if (typeof pid !== 'number' || typeof startTicks !== 'number') return null;
    const holder = { pid: asPid(pid), startTicks, inode: typeof inode === 'string' ? inode : null };
    return { holder, entries: found.entries.filter(isEntry) };
  } catch {
    return null;
  }
}

/** By renaming: whoever dies in the middle leaves the one of before. @throws what the system says */
export function writeRecord(path: string, record: HeldRecord): void {
  writeFileSync(`${path}.new`, `${JSON.stringify({ era: pidEra(), ...record })}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const KINDS: readonly unknown[] = ['socket', 'notify', 'stored'] satisfies readonly Keeping['kind'][];

const isEntry = (value: unknown): value is Entry =>
  isObject(value) &&
  Number.isInteger(value.at) &&
  KINDS.includes(value.kind) &&
  [value.owner, value.name, value.note, value.inode].every((text) => typeof text === 'string');
