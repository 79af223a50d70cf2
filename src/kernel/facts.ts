// Reads what /proc says of one process, each fact only when somebody asks for it, as a rule over ten thousand
// processes must. It must not know patterns or services.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessFacts } from '../core/pattern.js';
import { asPid, type ProcessRef } from '../core/process.js';
import { programOf } from '../core/program.js';
import type { Features } from './features.js';
import { identify, isDead, readStat, type Stat } from './identity.js';
import { close, libc, O_RDONLY, open, read, SystemCallFailure } from './syscalls.js';

/** What could not be read in the course of a look: `hidden` counts processes that the kernel keeps from us, `failed` names an error of our own, like EMFILE. */
export interface Sight {
  hidden: number;
  failed: string | null;
}

export const clearSight = (): Sight => ({ hidden: 0, failed: null });

// Node's readlinkSync makes an exception with a stack for each kernel thread; this is ten times as quick there.
const creadlink = libc.func('long readlink(str path, void *buffer, ulong length)');
const link = Buffer.alloc(4096);

// The longest command line that is read. The kernel gives all of it in one read.
const text = Buffer.alloc(128 * 1024);

/** The facts of a process, each read at its first use. Not for keeping: the process may change or go between two uses, see `factsOf`. */
export const glimpse = (pid: number, sight: Sight): ProcessFacts => new Glimpse(pid, sight);

// A class although there is nothing to close: an object literal with as many getters costs more to make than to read
// /proc/PID/exe (4 µs against 3 µs), and a scan makes one for each process of the host.
class Glimpse implements ProcessFacts {
  readonly #pid: number;
  readonly #sight: Sight;
  #stat: Stat | null | undefined;
  #status: Status | undefined;
  #argv: readonly string[] | undefined;
  #exe: string | null | undefined;
  #exeId: string | null | undefined;
  #script: string | null | undefined;

  constructor(pid: number, sight: Sight) {
    this.#pid = pid;
    this.#sight = sight;
  }

  get process(): ProcessRef {
    return { pid: asPid(this.#pid), startTicks: 0, inode: null };
  }

  get ppid(): number {
    return this.#readStat()?.ppid ?? 0;
  }

  get ancestors(): readonly number[] {
    return ancestorsFrom(this.ppid);
  }

  get uid(): number {
    return this.#readStatus().uid;
  }

  get comm(): string {
    return this.#readStat()?.comm ?? '';
  }

  get argv(): readonly string[] {
    this.#argv ??= readArguments(this.#pid, this.#sight);
    return this.#argv;
  }

  get exe(): string | null {
    if (this.#exe === undefined) this.#exe = readExe(this.#pid);
    return this.#exe;
  }

  get exeId(): string | null {
    if (this.#exeId === undefined) this.#exeId = readExeId(this.#pid);
    return this.#exeId;
  }

  get script(): string | null {
    if (this.#script === undefined) this.#script = readScript(this.#pid, this.exe, this.argv);
    return this.#script;
  }

  get foreignNamespace(): 'yes' | 'no' {
    return this.#readStatus().depth > ownDepth() ? 'yes' : 'no';
  }

  #readStat(): Stat | null {
    if (this.#stat === undefined) this.#stat = readStat(this.#pid);
    return this.#stat;
  }

  #readStatus(): Status {
    this.#status ??= readStatus(this.#pid, this.#sight);
    return this.#status;
  }
}

/** Everything about one process, at one time; null when it is gone, or goes meanwhile. @throws SystemCallFailure: EMFILE */
export function factsOf(pid: number, features: Features, sight: Sight): ProcessFacts | null {
  const found = identify(pid, features);
  if (found === null) return null;
  if (found.pidfd !== null) close(found.pidfd);
  const facts = settled(glimpse(pid, sight), found.process);
  // It had this pid and this start before and after all was read, so all of it is about this process.
  const after = readStat(pid);
  return after === null || isDead(after) || after.startTicks !== found.process.startTicks ? null : facts;
}

function settled(seen: ProcessFacts, process: ProcessRef): ProcessFacts {
  const { ppid, ancestors, uid, comm, argv, exe, exeId, script, foreignNamespace } = seen;
  return { process, ppid, ancestors, uid, comm, argv, exe, exeId, script, foreignNamespace };
}

/** Is this the pid of a living process (not of a thread, a zombie or nothing), and what is it? */
export type Living =
  | { readonly type: 'process'; readonly stat: Stat }
  | { readonly type: 'thread'; readonly of: number }
  | { readonly type: 'kernelThread' }
  | { readonly type: 'dead' };

// PF_KTHREAD of include/linux/sched.h; field 9 of stat.
const PF_KTHREAD = 0x00200000;

/** What has this number. /proc/TID answers for threads too, although it is not listed. */
export function whatIs(pid: number): Living {
  const stat = readStat(pid);
  if (stat === null || isDead(stat)) return { type: 'dead' };
  const { tgid } = readStatus(pid, clearSight());
  if (tgid !== pid && tgid !== 0) return { type: 'thread', of: tgid };
  return isKernelThread(pid) ? { type: 'kernelThread' } : { type: 'process', stat };
}

function isKernelThread(pid: number): boolean {
  const line = readText(`/proc/${pid}/stat`);
  if (typeof line !== 'string') return false;
  return (Number(line.slice(line.lastIndexOf(')') + 2).split(' ')[6]) & PF_KTHREAD) !== 0;
}

/** The absolute path behind a link of /proc, like `exe` or `cwd`; null where it may not be read or there is none. */
export function readLink(path: string): string | null {
  const length = Number(creadlink(path, link, link.length));
  return length < 0 ? null : link.toString('utf8', 0, length);
}

function readExe(pid: number): string | null {
  return readLink(`/proc/${pid}/exe`)?.replace(/ \(deleted\)$/, '') ?? null;
}

function readExeId(pid: number): string | null {
  try {
    return fileId(statSync(`/proc/${pid}/exe`, { bigint: true }));
  } catch {
    return null; // gone, or not ours to see
  }
}

/** Device and inode in one word. */
export const fileId = (stat: { readonly dev: bigint; readonly ino: bigint }): string => `${stat.dev}:${stat.ino}`;

function readArguments(pid: number, sight: Sight): readonly string[] {
  const line = readText(`/proc/${pid}/cmdline`);
  if (typeof line !== 'string') {
    note(line.errno, sight);
    return [];
  }
  // Who writes a title over its arguments pads the rest with zeros or spaces.
  const words = line.replace(/[\0 ]+$/, '');
  return words === '' ? [] : words.split('\0');
}

function readScript(pid: number, exe: string | null, argv: readonly string[]): string | null {
  const program = programOf(exe, argv);
  if (program.type !== 'script') return null;
  if (program.path.startsWith('/')) return program.path;
  const directory = readLink(`/proc/${pid}/cwd`);
  return directory === null ? program.path : join(directory, program.path);
}

interface Status {
  readonly uid: number;
  readonly tgid: number;
  /** How many PID namespaces deep it lives, as seen from the one that /proc is mounted for. */
  readonly depth: number;
}

function readStatus(pid: number | 'self', sight: Sight): Status {
  const lines = readText(`/proc/${pid}/status`);
  if (typeof lines !== 'string') {
    note(lines.errno, sight);
    return { uid: -1, tgid: 0, depth: 1 };
  }
  const words = (name: string): readonly string[] =>
    (new RegExp(`^${name}:\\t(.*)$`, 'm').exec(lines)?.[1] ?? '').split('\t');
  return { uid: Number(words('Uid')[1] ?? -1), tgid: Number(words('Tgid')[0]), depth: words('NSpid').length };
}

const ownDepth = once(() => readStatus('self', clearSight()).depth);

/** The parents up to the first process of the host or the keeper: what runs above the keeper has nothing to do with what it started. */
function ancestorsFrom(ppid: number): readonly number[] {
  const chain: number[] = [];
  let pid = ppid;
  // Bounded, because the chain is read while it changes.
  while (pid > 1 && pid !== process.pid && chain.length < 64) {
    chain.push(pid);
    pid = readStat(pid)?.ppid ?? 0;
  }
  return chain;
}

function readText(path: string): string | { readonly errno: string } {
  try {
    const fd = open(path, O_RDONLY);
    try {
      return text.toString('utf8', 0, read(fd, text));
    } finally {
      close(fd);
    }
  } catch (error) {
    if (error instanceof SystemCallFailure) return { errno: error.errno };
    throw error;
  }
}

function note(errno: string, sight: Sight): void {
  if (errno === 'EACCES' || errno === 'EPERM') sight.hidden += 1;
  else if (errno !== 'ENOENT' && errno !== 'ESRCH') sight.failed = errno;
}

function once<T>(read: () => T): () => T {
  let known: { readonly value: T } | null = null;
  return () => {
    known ??= { value: read() };
    return known.value;
  };
}
