// The keeper's own instance in tracefs: a small ring of the kernel's in which it notes who sends a signal that may kill,
// and whom it kills for want of memory. Own ring, own filter: other tracers are not disturbed. Says nothing of what for.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { errorCode } from '../core/error-text.js';
import { readText } from './processes-of.js';
import { close, flock, LOCK_EX, LOCK_NB, O_NONBLOCK, O_RDONLY, open, read, SystemCallFailure } from './syscalls.js';
import { parseTrace } from './trace-line.js';

/** Where distributions mount it; the second is what debugfs brings along. We mount nothing. */
const MOUNTS = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'];

// About a thousand signals for each processor. The kernel makes a ring of 1.4 MB first and then this one of it.
const RING_KB = 64;
// Since boot, sleep included, like the start times of processes.
const CLOCK = 'boot';
const READ = Buffer.alloc(32 * 1024); // the kernel hands out at most 8 KiB at once, always whole lines
/** At once: half a megabyte, some 5 ms. What is left is read next, and an end comes all the same should others write faster. */
const READS = 64;
/** At the beginning, where all that a killed keeper left is taken over: the rings of a machine with many processors, full. */
const ALL = 4096;

const SIGWINCH = 28;

/**
 * What is noted. Signals 1–9, 11 and 15: those that end somebody and mean it. Not what daemons talk with all day (USR1 of
 * PostgreSQL, URG of Go, CHLD, timers, PIPE, real-time); of what the kernel sends itself (code above 0) only faults: ILL,
 * TRAP, BUS, FPE, SEGV, SYS. Only what was delivered (0) or delivered without details (4), not what was pending already. And
 * never ours, which holds for the keeper after us too: what it finds in the ring is of strangers. A SIGWINCH of ours is the
 * self-test.
 */
const filterOf = (pid: number): string => {
  const sent = `(sig<=9||sig==11||sig==15)&&code<=0&&(result==0||result==4)&&common_pid!=${pid}`;
  const fault = '(sig==4||sig==5||sig==7||sig==8||sig==11||sig==31)&&code>0&&result==0';
  return `(${sent})||(${fault})||(sig==${SIGWINCH}&&common_pid==${pid})`;
};

export interface TraceInstance {
  /** Readable when there is something. */
  readonly fd: number;
  /** What was noted since the last time, as text; all of it but in a storm. */
  read(): string;
  /** The name that the kernel has kept of the last hundred threads that ran; null: forgotten. */
  nameOf(pid: number): string | null;
  /** Removes the instance. */
  close(): void;
}

const PREFIX = 'upkeep.';
/** Names of files have at most 255 bytes, and a suffix may follow. */
const LONGEST_NAME = 240;

/** By the runtime directory, so that the next keeper finds the one of a keeper that was killed, and everybody sees whose it is. */
export function instanceName(runtime: string): string {
  const name = `${PREFIX}${encodeURIComponent(runtime)}`;
  return name.length <= LONGEST_NAME ? name : `${PREFIX}${createHash('sha256').update(runtime).digest('hex')}`;
}

/** The runtime directory in such a name; null where it holds none. */
function runtimeOf(name: string): string | null {
  if (!name.startsWith(`${PREFIX}%2F`)) return null;
  try {
    return decodeURIComponent(name.slice(PREFIX.length).replace(/~\d+$/, ''));
  } catch {
    return null;
  }
}

/** Two keepers may have the same path, one of them in a chroot or a mount namespace: each gets its own. */
const SUFFIXES = ['', '~2', '~3', '~4'];

/**
 * Opens it, or takes over the one of a keeper that was killed, with what was noted meanwhile. Null where that cannot
 * be: no rights, not mounted, or a PID namespace of our own, in which the numbers of the ring mean nothing.
 */
export function openTraceInstance(name: string): TraceInstance | null {
  const tracing = MOUNTS.find((mount) => existsSync(`${mount}/instances`));
  if (tracing === undefined) return null;
  try {
    removeOrphans(`${tracing}/instances`);
    for (const suffix of SUFFIXES) {
      const directory = `${tracing}/instances/${name}${suffix}`;
      const fd = claim(directory);
      if (fd === 'in use') continue;
      const found = prepared(directory, fd);
      if (found !== null) return instanceOf(tracing, directory, fd, found);
      close(fd);
      remove(directory);
      return null;
    }
  } catch (error) {
    mustBeOfTheSystem(error); // EACCES, EPERM under lockdown, ENOSPC, ENOMEM
  }
  return null;
}

/** Those of killed keepers whose runtime directory is gone: nobody will come back for them. */
function removeOrphans(instances: string): void {
  for (const name of readdirSync(instances)) {
    const runtime = runtimeOf(name);
    // One that is read by its keeper, which may have another root than we, is busy and stays.
    if (runtime !== null && !existsSync(runtime)) remove(`${instances}/${name}`);
  }
}

/** Its pipe, which is ours until we close it or die. */
function claim(directory: string): number | 'in use' {
  make(directory);
  let fd: number | null = null;
  try {
    fd = open(`${directory}/trace_pipe`, O_RDONLY | O_NONBLOCK);
    flock(fd, LOCK_EX | LOCK_NB);
    return fd;
  } catch (error) {
    if (fd !== null) close(fd);
    // Newer kernels let only one reader open it.
    if (error instanceof SystemCallFailure && ['EBUSY', 'EAGAIN'].includes(error.errno)) return 'in use';
    throw error;
  }
}

function make(directory: string): void {
  try {
    mkdirSync(directory);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}

/** What was in it already; null where it does not note what we do. */
function prepared(directory: string, fd: number): string | null {
  try {
    // Either write empties the ring, which in a stale instance holds what happened while nobody was there.
    if (get(directory, 'buffer_size_kb') !== String(RING_KB)) set(directory, 'buffer_size_kb', String(RING_KB));
    if (!get(directory, 'trace_clock').includes(`[${CLOCK}]`)) set(directory, 'trace_clock', CLOCK);
    // From the first record on, not when half of the ring is full.
    set(directory, 'buffer_percent', '0');
    set(directory, 'events/signal/signal_generate/filter', filterOf(process.pid));
    set(directory, 'events/signal/signal_generate/enable', '1');
    set(directory, 'events/oom/mark_victim/enable', '1');
    return test(fd);
  } catch (error) {
    mustBeOfTheSystem(error); // ENOENT for an event that this kernel is built without
    return null;
  }
}

/** Is a signal of ours noted under our own number? Then what was read on the way; else null. */
function test(fd: number): string | null {
  // Nobody minds this signal: its default is to be ignored.
  process.kill(process.pid, 'SIGWINCH');
  const text = readAtMost(fd, ALL);
  const isOurs = parseTrace(text).some(
    (record) => record.type === 'signalled' && record.signal === SIGWINCH && record.target === process.pid,
  );
  return isOurs ? text : null;
}

function instanceOf(tracing: string, directory: string, fd: number, found: string): TraceInstance {
  let before = found;
  return {
    fd,
    read: () => {
      const text = before + readAtMost(fd, READS);
      before = '';
      return text;
    },
    nameOf: (pid) => new RegExp(`^${pid} (.+)$`, 'm').exec(readText(`${tracing}/saved_cmdlines`))?.[1] ?? null,
    close: () => {
      close(fd);
      remove(directory);
    },
  };
}

function readAtMost(fd: number, reads: number): string {
  let text = '';
  try {
    for (let i = 0; i < reads; i++) {
      const length = read(fd, READ);
      if (length === 0) break;
      text += READ.toString('utf8', 0, length);
    }
  } catch (error) {
    if (!(error instanceof SystemCallFailure)) throw error; // EAGAIN: that was all
  }
  return text;
}

/** EBUSY when somebody else reads it: then it stays, and the next keeper takes it over. */
function remove(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    mustBeOfTheSystem(error);
  }
}

function mustBeOfTheSystem(error: unknown): void {
  if (!(error instanceof SystemCallFailure) && !(error instanceof Error && 'code' in error)) throw error;
}

const get = (directory: string, file: string): string => readFileSync(`${directory}/${file}`, 'utf8').trim();
const set = (directory: string, file: string, value: string): void => writeFileSync(`${directory}/${file}`, value);
