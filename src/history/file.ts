// The file of the history on the disk: what is wrong with it, made for this user alone, set aside under a name with a date.
// Knows no SQL.

import {
  chmodSync,
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { iso } from '../core/time.js';
import { Unusable } from './store.js';

/** The companions of a database in WAL mode: they belong to it, also under another name. */
const COMPANIONS = ['-wal', '-shm'];

/** Of those that were set aside so many stay, for whoever wants to see what is in them. */
const KEPT = 2;

/** Names a file that is there: it may be removed, or replaced, while we have it open. */
export function identityOf(path: string): string | null {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? null : `${stat.dev}:${stat.ino}`;
}

/** Makes the file if need be, for nobody else to read. Throws Unusable where another thing is in its place, and what the system says. */
export function prepareFile(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) closeSync(openSync(path, 'wx', 0o600));
  const stat = statSync(path, { throwIfNoEntry: false });
  // SQLite would wait at a FIFO for somebody who writes, and read whatever another user has put there.
  if (stat === undefined) throw new Unusable('is a link to nothing');
  if (stat.isDirectory()) throw new Unusable('is a directory');
  if (!stat.isFile()) throw new Unusable('is no plain file');
  if (stat.uid !== process.geteuid?.()) throw new Unusable(`belongs to another user (uid ${stat.uid})`);
  if ((stat.mode & 0o777) !== 0o600) chmodSync(path, 0o600);
  // SQLite would neither open what stands in the place of one, nor say so in a way that tells it from a full disk.
  for (const end of COMPANIONS)
    if (lstatSync(`${path}${end}`, { throwIfNoEntry: false })?.isFile() === false)
      throw new Unusable(`has something that is no file in the place of its ${end}`);
}

/** Gives it another name, which is answered, and removes what is set aside for longest. Throws what the system says. */
export function setAside(path: string, wall: number): string {
  const aside = `${path}.${iso(wall).replaceAll(':', '-')}`;
  renameSync(path, aside);
  for (const companion of COMPANIONS) moveQuietly(`${path}${companion}`, `${aside}${companion}`);
  for (const name of asideOf(path).slice(0, -KEPT)) remove(join(dirname(path), name));
  return basename(aside);
}

/** By name, which is by age. */
function asideOf(path: string): readonly string[] {
  const name = basename(path);
  const isAside = (one: string): boolean => one.startsWith(`${name}.`) && /\.\d{4}-[\dT.-]+Z$/.test(one);
  return readdirSync(dirname(path)).filter(isAside).toSorted();
}

function moveQuietly(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch {
    // It had none.
  }
}

function remove(path: string): void {
  try {
    if (lstatSync(path).isDirectory()) rmdirSync(path);
    else for (const end of ['', ...COMPANIONS]) rmSync(`${path}${end}`, { force: true });
  } catch {
    // A directory that somebody has filled is theirs to remove.
  }
}
