// execve(2): the program of this process replaced by another, under the same pid and with the same children. Node 20 has
// no such call. Owns what must be so at that instant. It must not know why, nor what the new program is.

import { keepAlive, vector } from './posix-spawn.js';
import { closeOnExec, closeOnExecFrom, lastErrno, libc, SystemCallFailure, survivesExec } from './syscalls.js';

/** Node marks them close-on-exec too when it starts (uv_disable_stdio_inheritance). */
const STANDARD = [0, 1, 2];

const cexecve = libc.func('int execve(str path, void *argv, void *envp)');

export interface Image {
  /** Absolute: /proc/self/exe would be the old file where a package upgrade has replaced it. */
  readonly path: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Descriptors that come along, beside 0, 1 and 2. */
  readonly keep: readonly number[];
}

/**
 * Does not return when it succeeds: threads end, handled signals are at their default again, ignored and blocked ones
 * (of the calling thread) stay so; Node puts both to rights when it starts. A thread that hangs in a disk would hold the
 * call for ever: the caller has seen that none does. What it returns is why it failed, and then nothing has changed.
 */
export function replaceImage({ path, argv, env, keep }: Image): SystemCallFailure {
  // libuv and we open close-on-exec; what was open before us is marked too. EINVAL before 5.11, where Node has done it.
  quietly(() => closeOnExecFrom(3));
  const words = vector(argv);
  const variables = vector(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`])),
  );
  try {
    for (const fd of keep) survivesExec(fd);
    for (const fd of STANDARD) quietly(() => survivesExec(fd));
    cexecve(path, words.pointers, variables.pointers);
    const errno = lastErrno();
    keepAlive(words, variables);
    return new SystemCallFailure('execve', errno, path);
  } catch (error) {
    if (error instanceof SystemCallFailure) return error;
    throw error;
  } finally {
    // We go on, and no service may inherit them.
    for (const fd of [...keep, ...STANDARD]) quietly(() => closeOnExec(fd));
  }
}

/** EBADF: who started us may have closed one of the three. */
function quietly(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof SystemCallFailure)) throw error;
  }
}
