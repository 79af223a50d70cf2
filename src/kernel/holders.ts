// Which of some processes has a file: open, or, a socket, bound to it. It must not know whose processes they are.

import type { BigIntStats } from 'node:fs';
import { basename } from 'node:path';
import { errorCode } from '../core/error-text.js';
import { ifThere, type Walk } from './held-path.js';
import { fromLatin1 } from './printable.js';
import { readText, saysEnded } from './processes-of.js';

/** `hidden`: what it has open cannot be seen, so it may be this. */
export interface Holder {
  readonly pid: number;
  readonly how: 'open' | 'bound' | 'hidden';
}

/** The first of them that has it; null: none. */
export async function holderOf(
  path: string,
  file: BigIntStats,
  pids: readonly number[],
  walk: Walk,
): Promise<Holder | null> {
  for (const pid of pids) {
    try {
      const how = file.isSocket() ? await binds(pid, path, file, walk) : await opens(pid, file, walk);
      if (how !== null) return { pid, how };
    } catch (error) {
      const code = errorCode(error);
      if (code === 'EACCES' || code === 'EPERM') return { pid, how: 'hidden' };
      if (!saysEnded(error)) throw error;
    }
  }
  return null;
}

async function opens(pid: number, file: BigIntStats, walk: Walk): Promise<'open' | null> {
  const directory = `/proc/${pid}/fd`;
  for (const fd of await walk.ask(directory, (calls) => calls.readdir(directory))) {
    const open = `${directory}/${fd}`;
    const seen = await ifThere(walk.ask(open, (calls) => calls.stat(open)));
    if (seen !== null && isSame(seen, file)) return 'open';
  }
  return null;
}

/** The number of a socket is not that of its file: the kernel lists sockets with the path that they were bound to. */
async function binds(pid: number, path: string, file: BigIntStats, walk: Walk): Promise<'bound' | null> {
  const directory = `/proc/${pid}/fd`;
  const fds = await walk.ask(directory, (calls) => calls.readdir(directory));
  const sockets = socketsNamed(basename(path), readText(`/proc/${pid}/net/unix`));
  if (sockets.size === 0) return null;
  for (const fd of fds) {
    const open = `${directory}/${fd}`;
    const bound = sockets.get((await ifThere(walk.ask(open, (calls) => calls.readlink(open)))) ?? '');
    if (bound !== undefined && (await isBoundTo(pid, bound, file, walk))) return 'bound';
  }
  return null;
}

/** A path from where the process was then is no longer to be told: of that name it may be this. */
async function isBoundTo(pid: number, bound: string, file: BigIntStats, walk: Walk): Promise<boolean> {
  if (!bound.startsWith('/')) return true;
  const seen = await ifThere(walk.ask(bound, (calls) => calls.stat(`/proc/${pid}/root${bound}`)));
  return seen !== null && isSame(seen, file);
}

/** The paths of these sockets, by what a descriptor of one is called. Num RefCount Protocol Flags Type St Inode Path */
function socketsNamed(name: string, table: string): ReadonlyMap<string, string> {
  const sockets = new Map<string, string>();
  for (const line of table.split('\n')) {
    const [, inode, latin1] = /^\S+(?: +\S+){5} +(\d+) (.+)$/.exec(line) ?? [];
    if (inode === undefined || latin1 === undefined) continue;
    const path = fromLatin1(latin1);
    if (!path.startsWith('@') && basename(path) === name) sockets.set(`socket:[${inode}]`, path);
  }
  return sockets;
}

const isSame = (a: BigIntStats, b: BigIntStats): boolean => a.dev === b.dev && a.ino === b.ino;
