// posix_spawn(3) by koffi: starts a process without copying our page tables, as libuv's fork would (0.6 ms at 50 MB, 4 ms at
// 300 MB, against 0.1 ms at any size). Owns the C structures. It must not know services, users or limits.

import koffi from 'koffi';
import { close, duplicate, errnoName, libc } from './syscalls.js';

const posixSpawn = libc.func(
  'int posix_spawn(void *pid, str path, void *actions, void *attributes, void *argv, void *envp)',
);
const attrInit = libc.func('int posix_spawnattr_init(void *attributes)');
const attrFlags = libc.func('int posix_spawnattr_setflags(void *attributes, short flags)');
const attrDefault = libc.func('int posix_spawnattr_setsigdefault(void *attributes, void *set)');
const attrMask = libc.func('int posix_spawnattr_setsigmask(void *attributes, void *set)');
const actionsInit = libc.func('int posix_spawn_file_actions_init(void *actions)');
const actionsDestroy = libc.func('int posix_spawn_file_actions_destroy(void *actions)');
const actionsDup2 = libc.func('int posix_spawn_file_actions_adddup2(void *actions, int from, int to)');
const actionsOpen = libc.func(
  'int posix_spawn_file_actions_addopen(void *actions, int fd, str path, int flags, uint mode)',
);
const actionsChdir = libc.func('int posix_spawn_file_actions_addchdir_np(void *actions, str path)');

const SETSIGDEF = 0x04;
const SETSIGMASK = 0x08;
const SETSID = 0x80;
// glibc: 336 and 80 bytes, musl: 336 and 80; with room to grow.
const ATTRIBUTES = 512;
const ACTIONS = 256;

export interface Wanted {
  /** Absolute. */
  readonly path: string;
  readonly argv: readonly string[];
  /** NAME=value. */
  readonly env: readonly string[];
  readonly cwd: string;
  /** Becomes 0; null: /dev/null. */
  readonly input: number | null;
  /** Becomes 1; null: /dev/null. */
  readonly output: number | null;
  /** Becomes 2; null: the same as 1. */
  readonly errors: number | null;
  /** What it gets beside the usual three, in any order of numbers. */
  readonly passed: readonly Passed[];
}

/** Descriptor `fd` of ours becomes `as` of the child. */
export interface Passed {
  readonly fd: number;
  readonly as: number;
}

/** All signals at their default, none blocked, a session of its own; the same for every process. */
const attributes = ((): Buffer => {
  const buffer = Buffer.alloc(ATTRIBUTES);
  attrInit(buffer);
  attrFlags(buffer, SETSIGDEF | SETSIGMASK | SETSID);
  // Every bit: signals that Node ignores (SIGPIPE) would otherwise be ignored in the service too.
  attrDefault(buffer, Buffer.alloc(128, 0xff));
  attrMask(buffer, Buffer.alloc(128));
  return buffer;
})();

const pidOut = Buffer.alloc(4);
const O_RDWR = 2;

/** The pid, or the name of the error: those of exec come back too, because the child borrows our memory until then. */
export function spawnProcess(
  wanted: Wanted,
): { readonly type: 'spawned'; readonly pid: number } | { readonly type: 'failed'; readonly errno: string } {
  const actions = Buffer.alloc(ACTIONS);
  const lent: number[] = [];
  actionsInit(actions);
  try {
    if (wanted.input === null) actionsOpen(actions, 0, '/dev/null', 0, 0);
    else actionsDup2(actions, wanted.input, 0);
    if (wanted.output === null) actionsOpen(actions, 1, '/dev/null', O_RDWR, 0);
    else actionsDup2(actions, wanted.output, 1);
    actionsDup2(actions, wanted.errors ?? 1, 2);
    // One that keeps its number loses close-on-exec by it (glibc 2.29).
    for (const { fd, as } of apart(wanted.passed, lent)) actionsDup2(actions, fd, as);
    actionsChdir(actions, wanted.cwd);
    const argv = vector(wanted.argv);
    const env = vector(wanted.env);
    const errno = posixSpawn(pidOut, wanted.path, actions, attributes, argv.pointers, env.pointers);
    keepAlive(argv, env);
    if (errno !== 0) return { type: 'failed', errno: errnoName(errno) };
    return { type: 'spawned', pid: pidOut.readInt32LE(0) };
  } finally {
    actionsDestroy(actions);
    for (const fd of lent) close(fd);
  }
}

/**
 * They are passed one after the other: one whose number an earlier one becomes would be gone when its turn comes, so it is
 * lent another before. @throws SystemCallFailure: EMFILE
 */
function apart(passed: readonly Passed[], lent: number[]): readonly Passed[] {
  const targets = new Set(passed.map(({ as }) => as));
  const above = Math.max(2, ...targets) + 1;
  return passed.map(({ fd, as }) => {
    if (fd === as || !targets.has(fd)) return { fd, as };
    const other = duplicate(fd, above);
    lent.push(other);
    return { fd: other, as };
  });
}

export interface Vector {
  readonly pointers: Buffer;
  readonly strings: Buffer;
}

/** A C array of strings: one buffer for the texts, one for the pointers into it. */
export function vector(words: readonly string[]): Vector {
  const strings = Buffer.from(words.map((word) => `${word}\0`).join(''));
  const pointers = Buffer.alloc(8 * (words.length + 1));
  const base = BigInt(koffi.address(strings));
  let offset = 0;
  for (const [i, word] of words.entries()) {
    pointers.writeBigUInt64LE(base + BigInt(offset), 8 * i);
    offset += Buffer.byteLength(word) + 1;
  }
  return { pointers, strings };
}

/** The collector must not move in before the call has read what the pointers point to. */
export function keepAlive(...vectors: readonly Vector[]): number {
  return vectors.reduce((sum, { strings }) => sum + strings.length, 0);
}
