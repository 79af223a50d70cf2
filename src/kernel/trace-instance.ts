// The keeper's own instance in tracefs: a small ring of the kernel's in which it notes who sends a signal that may kill,
// and whom it kills for want of memory. Own ring, own filter: other tracers are not disturbed. Says nothing of what for.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { close, O_NONBLOCK, O_RDONLY, open, read, SystemCallFailure } from './syscalls.js';
import { parseTrace } from './trace-line.js';

/** Where distributions mount it; the second is what debugfs brings along. We mount nothing. */
const MOUNTS = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'];

// About a thousand signals for each processor. The kernel makes a ring of 1.4 MB first and then this one of it.
const RING_KB = 64;
// Since boot, sleep included, like the start times of processes.
const CLOCK = 'boot';
const READ = Buffer.alloc(32 * 1024); // the kernel hands out at most 8 KiB at once, always whole lines
// The rings of a machine with many processors, full; an end all the same, should others write faster than we read.
const READS = 4096;

const SIGWINCH = 28;

/**
 * What is noted. Signals 1–9, 11 and 15: those that end somebody and mean it. Not what daemons talk with all day (USR1 of
 * PostgreSQL, URG of Go, CHLD, timers, PIPE, real-time); not what the kernel sends itself (code above 0: a fault, memory);
 * only what was delivered (0) or delivered without details (4), not what was pending already. And never ours, which
 * holds for the keeper after us too: what it finds in the ring is of strangers. A SIGWINCH of ours is the self-test.
 */
const filterOf = (pid: number): string =>
  `((sig<=9||sig==11||sig==15)&&code<=0&&(result==0||result==4)&&common_pid!=${pid})||(sig==${SIGWINCH}&&common_pid==${pid})`;

export interface TraceInstance {
  /** Readable when there is something. */
  readonly fd: number;
  /** All that was noted since the last time, as text. */
  read(): string;
  /** Removes the instance. */
  close(): void;
}

/** Of two keepers with the same path, one of them in a chroot or a mount namespace, each has its own. */
export function instanceName(runtime: string): string {
  const { dev, ino } = statSync(runtime);
  return `upkeep.${createHash('sha256').update(`${runtime} ${dev} ${ino}`).digest('hex').slice(0, 8)}`;
}

/**
 * Opens it, or takes over the one of a keeper that was killed, with what was noted meanwhile. Null where that cannot
 * be: no rights, not mounted, or a PID namespace of our own, in which the numbers of the ring mean nothing.
 */
export function openTraceInstance(name: string): TraceInstance | null {
  const tracing = MOUNTS.find((mount) => existsSync(`${mount}/instances`));
  if (tracing === undefined) return null;
  const directory = `${tracing}/instances/${name}`;
  let fd: number | null = null;
  try {
    make(directory);
    fd = open(`${directory}/trace_pipe`, O_RDONLY | O_NONBLOCK);
    const found = test(fd);
    if (found !== null) return instanceOf(directory, fd, found);
  } catch (error) {
    // EACCES, EPERM under lockdown, ENOENT for an event that this kernel is built without, ENOSPC, ENOMEM
    if (!(error instanceof SystemCallFailure) && !(error instanceof Error && 'code' in error)) throw error;
  }
  if (fd !== null) close(fd);
  remove(directory);
  return null;
}

function make(directory: string): void {
  try {
    mkdirSync(directory);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  // Either write empties the ring, which in a stale instance holds what happened while nobody was there.
  if (get(directory, 'buffer_size_kb') !== String(RING_KB)) set(directory, 'buffer_size_kb', String(RING_KB));
  if (!get(directory, 'trace_clock').includes(`[${CLOCK}]`)) set(directory, 'trace_clock', CLOCK);
  // From the first record on, not when half of the ring is full.
  set(directory, 'buffer_percent', '0');
  set(directory, 'events/signal/signal_generate/filter', filterOf(process.pid));
  set(directory, 'events/signal/signal_generate/enable', '1');
  set(directory, 'events/oom/mark_victim/enable', '1');
}

/** Is a signal of ours noted under our own number? Then what was read on the way; else null. */
function test(fd: number): string | null {
  // Nobody minds this signal: its default is to be ignored.
  process.kill(process.pid, 'SIGWINCH');
  const text = readAll(fd);
  const isOurs = parseTrace(text).some(
    (record) => record.type === 'signalled' && record.signal === SIGWINCH && record.target === process.pid,
  );
  return isOurs ? text : null;
}

function instanceOf(directory: string, fd: number, found: string): TraceInstance {
  let before = found;
  return {
    fd,
    read: () => {
      const text = before + readAll(fd);
      before = '';
      return text;
    },
    close: () => {
      close(fd);
      remove(directory);
    },
  };
}

function readAll(fd: number): string {
  let text = '';
  try {
    for (let i = 0; i < READS; i++) {
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
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
}

const get = (directory: string, file: string): string => readFileSync(`${directory}/${file}`, 'utf8').trim();
const set = (directory: string, file: string, value: string): void => writeFileSync(`${directory}/${file}`, value);
