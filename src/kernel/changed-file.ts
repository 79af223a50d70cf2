// Reads a small file of the host again only when it is another one or has changed. It must not know what is in it.

import { readFileSync, statSync } from 'node:fs';

/** A reader of `path`: one stat when nothing changed. A file that is missing or unreadable reads as empty. */
export function whenChanged<T>(path: string, parse: (text: string) => T): () => T {
  let version: string | null = null;
  let value = parse('');
  return () => {
    const now = versionOf(path);
    if (now === version) return value;
    value = parse(textOf(path));
    version = now;
    return value;
  };
}

function versionOf(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? 'none' : `${stat.ino} ${stat.mtimeNs} ${stat.size}`;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
