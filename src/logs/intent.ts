// The written intent of a rotation. While it is there, head and archive may hold the same bytes; recovery decides by
// comparing them, and readers wait. Runs in the disk thread.

import { closeSync, fsyncSync, openSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { writeAll } from './archive.js';
import { intentPath } from './log-files.js';

export interface Intent {
  /** Bytes at the head of the log that `web.log.next` holds too. */
  readonly length: number;
  /** The base of the index before the rotation. */
  readonly base: number;
  readonly method: 'collapse' | 'truncate';
}

/** Returns once the intent, and the names in its directory, are on the disk. */
export function writeIntent(log: string, intent: Intent): void {
  const fd = openSync(intentPath(log), 'w', 0o640);
  try {
    writeAll(fd, Buffer.from(`${JSON.stringify(intent)}\n`));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  const directory = openSync(dirname(log), 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** `torn`: it was being written when the keeper died, so nothing had been cut yet. */
export function readIntent(log: string): Intent | 'none' | 'torn' {
  let text: string;
  try {
    text = readFileSync(intentPath(log), 'utf8');
  } catch {
    return 'none';
  }
  try {
    const { length, base, method }: Partial<Intent> = JSON.parse(text);
    if (typeof length !== 'number' || typeof base !== 'number') return 'torn';
    if (method !== 'collapse' && method !== 'truncate') return 'torn';
    return { length, base, method };
  } catch {
    return 'torn';
  }
}

export function removeIntent(log: string): void {
  rmSync(intentPath(log), { force: true });
}
