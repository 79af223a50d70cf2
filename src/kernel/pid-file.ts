// Reads a pid file as what it is: a rumour, written by somebody at some time. Says which process it names, or in words
// why it may not be believed, and signals nobody. It must not know which processes a pattern means.

import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
  type Stats,
  statSync,
  unlinkSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { errorCode, errorText } from '../core/error-text.js';
import type { PidFile } from '../core/pattern.js';
import { ticksNow } from './boot-clock.js';
import { whatIs } from './facts.js';

const NONE: PidFile = { type: 'none' };
const refused = (path: string, reason: string): PidFile => ({ type: 'refused', reason: `${path} ${reason}` });

/** `unreadable`: whether it names somebody cannot be said. */
export type PidFileReading = PidFile | { readonly type: 'unreadable'; readonly reason: string };

/** The process that the file names: living, above 1, neither a thread nor of the kernel nor the keeper, and not younger than the file. */
export function readPidFile(path: string): PidFileReading {
  const said = readNumber(path);
  switch (said.type) {
    case 'missing':
      return NONE;
    case 'unreadable':
      return { type: 'unreadable', reason: `${path} cannot be read: ${said.errno}` };
    case 'nothing':
      return refused(path, said.reason);
    case 'number':
      return judge(path, said);
  }
}

function judge(path: string, said: Extract<Said, { type: 'number' }>): PidFile {
  const { pid } = said;
  if (pid <= 1) return refused(path, `names process ${pid}, which is never a service`);
  if (pid === process.pid) return refused(path, `names process ${pid}, the keeper itself`);
  const named = whatIs(pid);
  switch (named.type) {
    case 'dead':
      return refused(path, `names process ${pid}, which does not run`);
    case 'kernelThread':
      return refused(path, `names process ${pid}, a thread of the kernel`);
    case 'thread':
      return refused(path, `names ${pid}, a thread of process ${named.of}`);
    case 'process':
      if (isOlder(said.written, named.stat.startTicks)) {
        return refused(path, `is older than process ${pid}, which it names: the number has been given to another one`);
      }
      return { type: 'names', pid };
  }
}

/**
 * Removes the pid file of a killed daemon that would keep its successor from starting, if it still names the dead process
 * and is a plain file. A daemon that writes its own meanwhile makes another file, or another text in it: seen up to the
 * instant before the removal.
 */
export function removeStale(path: string, deadPid: number): 'removed' | 'kept' {
  const said = readNumber(path);
  if (said.type !== 'number' || said.pid !== deadPid || whatIs(deadPid).type !== 'dead') return 'kept';
  try {
    const now = lstatSync(path, { bigint: true });
    if (!now.isFile() || now.mtimeNs !== said.written || now.ino !== said.inode) return 'kept';
    unlinkSync(path);
    return 'removed';
  } catch {
    return 'kept'; // gone by itself, or not ours to remove
  }
}

/**
 * Why a pid file that nothing else speaks for may not be believed: somebody who is neither root nor the process's own user
 * could have written it, and would make us signal whatever process they name (systemd#8085). Null when nobody could.
 */
export function whoElseCouldWrite(path: string, uid: number): string | null {
  try {
    return walk(resolve(path), uid);
  } catch (error) {
    return `cannot be checked: ${errorText(error)}`;
  }
}

// ---- what it says ----

type Said =
  | { readonly type: 'number'; readonly pid: number; readonly written: bigint; readonly inode: bigint }
  | { readonly type: 'missing' }
  | { readonly type: 'unreadable'; readonly errno: string }
  | { readonly type: 'nothing'; readonly reason: string };

const nothing = (reason: string): Said => ({ type: 'nothing', reason });
const LONGEST = 64;

function readNumber(path: string): Said {
  let fd: number;
  try {
    // O_NONBLOCK: opening a FIFO would wait for a writer for ever.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    return unreadable(error);
  }
  try {
    const stat = fstatSync(fd, { bigint: true });
    if (!stat.isFile()) return nothing('is no regular file');
    const bytes = Buffer.alloc(LONGEST);
    const text = bytes.toString('latin1', 0, readSync(fd, bytes, 0, LONGEST, 0));
    const pid = numberIn(text);
    return pid === null ? nothing(wrongText(text)) : { type: 'number', pid, written: stat.mtimeNs, inode: stat.ino };
  } catch (error) {
    return unreadable(error);
  } finally {
    closeSync(fd);
  }
}

function unreadable(error: unknown): Said {
  const errno = errorCode(error);
  return errno === 'ENOENT' || errno === 'ENOTDIR' ? { type: 'missing' } : { type: 'unreadable', errno };
}

// The kernel's own bound, PID_MAX_LIMIT.
const PID_MAX = 4_194_304;

/** The number in the first line; a file may hold more, as PostgreSQL's does. */
function numberIn(text: string): number | null {
  const digits = /^[ \t]*(\d{1,10})[ \t\r]*(\n|$)/.exec(text)?.[1];
  const number = digits === undefined ? Number.NaN : Number(digits);
  return number <= PID_MAX ? number : null;
}

function wrongText(text: string): string {
  if (text.trim() === '') return 'is empty';
  return `does not begin with the number of a process, but with ${JSON.stringify(text.split('\n', 1)[0]?.slice(0, 20))}`;
}

// Ticks are 10 ms and file times as coarse as 4 ms; the rest is for daemons that take over the file of a parent.
const TOLERANCE = 2000;

/**
 * A daemon writes its pid file after its start. Both times are compared on the clock of now, so a clock that was set
 * forward since the daemon's start makes its file look too old: it is then refused, which costs a pattern of nothing but a
 * pid file a needless start. The other mistake would be to take a stranger for the service for good.
 */
function isOlder(written: bigint, startTicks: number): boolean {
  const age = (ticksNow() - startTicks) * 10;
  return Number(written / 1_000_000n) < Date.now() - age - TOLERANCE;
}

// ---- who could have written it ----

/** Goes the path from the root, links included, and stops at the first place that somebody else could change. */
function walk(path: string, uid: number): string | null {
  const isTrusted = (stat: Stats): boolean => stat.uid === 0 || stat.uid === uid;
  let waiting = path.split('/').filter((part) => part !== '');
  let at = '/';
  for (let links = 0; waiting.length > 0; ) {
    const part = waiting.shift() ?? '';
    if (part === '..') {
      at = dirname(at);
      continue;
    }
    const directory = statSync(at);
    // In a sticky directory nobody can replace what belongs to another; who owns it is judged next.
    const isSticky = (directory.mode & constants.S_IFMT) === constants.S_IFDIR && (directory.mode & 0o1000) !== 0;
    if (!isTrusted(directory)) return `can be replaced by uid ${directory.uid}, who owns ${at}`;
    if (!isSticky && isWritableByOthers(directory)) return `can be replaced by others, who may write in ${at}`;
    at = join(at, part);
    const stat = lstatSync(at);
    if (!isTrusted(stat)) return `can be changed by uid ${stat.uid}, who owns ${at}`;
    if (stat.isSymbolicLink()) {
      links += 1;
      if (links > 40) return `leads through too many links at ${at}`;
      const target = readlinkSync(at);
      waiting = [...target.split('/').filter((piece) => piece !== '' && piece !== '.'), ...waiting];
      at = target.startsWith('/') ? '/' : dirname(at);
    } else if (waiting.length === 0 && isWritableByOthers(stat))
      return `can be written by others than its owner (mode ${modeOf(stat)})`;
  }
  return null;
}

/** By the world, or by a group of people. An access list shows in the group's bits, so it counts too. */
const isWritableByOthers = (stat: Stats): boolean =>
  (stat.mode & 0o002) !== 0 || ((stat.mode & 0o020) !== 0 && stat.gid !== 0);

const modeOf = (stat: Stats): string => (stat.mode & 0o7777).toString(8).padStart(4, '0');
