// Puts a file in the place of another so that a reader, and a crash, finds one of the two whole. Waits for the disk:
// on the runtime directory (memory) anybody may call it, on others the disk thread.

import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** `durable`: returns once content and name are on the disk. Mode 0600. @throws the error of the disk; the old file is then untouched. */
export function replaceFile(path: string, content: string, how: 'durable' | 'quick'): void {
  const unfinished = `${path}.new`;
  try {
    const fd = openSync(unfinished, 'w', 0o600);
    try {
      const bytes = Buffer.from(content);
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
      if (how === 'durable') fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
  if (how === 'durable') syncDirectory(dirname(path));
}

function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
