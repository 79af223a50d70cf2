// The older parts of a log: numbered files, .1 the youngest. Owns making room, compressing and throwing away; every
// step can be done again after a death in the middle. It must not know why something is archived. Runs in the disk
// thread, so it waits for the disk.

import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { archivePath, compressedPath, nextPath, timesPath } from './log-files.js';

/** An archive as it lies in the directory. */
export interface Archive {
  readonly number: number;
  readonly form: 'plain' | 'gzip';
  readonly path: string;
}

/** The archives of a log, oldest first. Where a compression was cut short, the whole plain file counts. */
export function listArchives(log: string): readonly Archive[] {
  const prefix = `${basename(log)}.`;
  const found = new Map<number, Archive>();
  for (const name of readdirSync(dirname(log))) {
    if (!name.startsWith(prefix)) continue;
    const match = /^(\d{1,6})(\.gz)?$/.exec(name.slice(prefix.length));
    if (match?.[1] === undefined) continue;
    const number = Number(match[1]);
    const form = match[2] === undefined ? 'plain' : 'gzip';
    if (form === 'gzip' && found.has(number)) continue;
    found.set(number, { number, form, path: join(dirname(log), name) });
  }
  return [...found.values()].sort((a, b) => b.number - a.number);
}

/** Makes the copied head the youngest archive, and throws away what is over `keep`. */
export function archiveNext(log: string, keep: number): void {
  makeRoom(log);
  moveIfThere(timesPath(nextPath(log)), timesPath(archivePath(log, 1)));
  renameSync(nextPath(log), archivePath(log, 1));
  for (const archive of listArchives(log)) if (archive.number > keep) remove(log, archive.number);
}

/** Throws the oldest archive away, if there is one. */
export function dropOldest(log: string): 'dropped' | 'none' {
  const oldest = listArchives(log)[0];
  if (oldest === undefined) return 'none';
  remove(log, oldest.number);
  return 'dropped';
}

/** Moves every archive one up, from the lowest free number downwards: done again after a death, it finds the hole and goes on there. */
function makeRoom(log: string): void {
  const taken = new Set(listArchives(log).map((archive) => archive.number));
  let free = 1;
  while (taken.has(free)) free += 1;
  for (let number = free - 1; number >= 1; number -= 1) {
    // Times first: contents decide what is taken, so a death between the two repeats this pair.
    moveIfThere(timesPath(archivePath(log, number)), timesPath(archivePath(log, number + 1)));
    moveIfThere(compressedPath(log, number), compressedPath(log, number + 1));
    moveIfThere(archivePath(log, number), archivePath(log, number + 1));
  }
}

function remove(log: string, number: number): void {
  for (const path of [compressedPath(log, number), archivePath(log, number)]) rmSync(path, { force: true });
  rmSync(timesPath(archivePath(log, number)), { force: true });
}

function moveIfThere(from: string, to: string): void {
  if (existsSync(from)) renameSync(from, to);
}

const CHUNK = 1024 * 1024;

/** Compresses every plain archive. A chunk is a gzip member of its own, so that memory stays small; every gunzip reads that. */
export function compressArchives(log: string): void {
  for (const archive of listArchives(log)) {
    if (archive.form === 'gzip') continue;
    const target = compressedPath(log, archive.number);
    // One that is there beside the plain file may be torn: it is written anew.
    const unfinished = `${log}.gz-unfinished`;
    compress(archive.path, unfinished);
    renameSync(unfinished, target);
    rmSync(archive.path, { force: true });
  }
}

function compress(from: string, to: string): void {
  const input = openSync(from, 'r');
  try {
    const output = openSync(to, 'w', 0o640);
    try {
      const chunk = Buffer.allocUnsafe(CHUNK);
      for (let n = readSync(input, chunk); n > 0; n = readSync(input, chunk)) {
        writeAll(output, gzipSync(chunk.subarray(0, n)));
      }
      fsyncSync(output);
    } finally {
      closeSync(output);
    }
  } catch (error) {
    rmSync(to, { force: true });
    throw error;
  } finally {
    closeSync(input);
  }
}

/** write(2) may take less than it is given, near the end of a disk. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done);
}
