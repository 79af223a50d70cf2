// Reads a small file of the host again only when it is another one or has changed. It must not know what is in it.

import { readFileSync, statSync } from 'node:fs';
import { errorCode } from '../core/error-text.js';

/** A reader of `path`: one stat when nothing changed. A file that is missing or unreadable reads as empty. */
export function whenChanged<T>(path: string, parse: (text: string) => T): () => T {
  let version: string | null = null;
  let value = parse('');
  return () => {
    const now = versionOf(path);
    if (now === version) return value;
    const text = textOf(path);
    // Without a descriptor left (EMFILE) it is not empty, only not to be read now: what was known stands until it can.
    if (text === null) return value;
    value = parse(text);
    version = now;
    return value;
  };
}

function versionOf(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? 'none' : `${stat.ino} ${stat.mtimeNs} ${stat.size}`;
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    return ['ENOENT', 'EACCES'].includes(errorCode(error)) ? '' : null;
  }
}
