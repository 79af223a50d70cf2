// Replacing a small file so that whoever dies, the host too where it says so, leaves the old or the new one, never half of
// either. What is made to last may wait for the disk: for the disk thread, and before the keeper begins.

import { closeSync, constants, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from '../core/error-text.js';

/** Puts the text in the place of the file, without waiting for a disk: as long as the host runs it is the old or the new one. Throws what the system says. */
export const replaceFile = (path: string, text: string): void => replace(path, text, () => {});

/** Writes the text beside `path`, makes it last, and puts it in place. Throws what the system says. */
export function writeDurably(path: string, text: string): void {
  replaceSettled(path, text);
  settleDirectory(dirname(path));
}

/** Like `writeDurably`, but its place lasts only when the directory was settled: once for many files. */
export const replaceSettled = (path: string, text: string): void => replace(path, text, fsyncSync);

/** Makes last what was put in place in this directory, and removed from it. */
export function settleDirectory(path: string): void {
  const directory = openSync(path, constants.O_RDONLY);
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function replace(path: string, text: string, settle: (fd: number) => void): void {
  const temporary = `${path}.new`;
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
  const bytes = Buffer.from(text);
  const fd = openSync(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600);
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
    settle(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, path);
}

/** The JSON in the file; null when there is none. Throws when there is something that cannot be read or is no JSON. */
export function readJson(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
  return JSON.parse(text);
}
