// The path of a Unix socket: free for a new one where nobody listens on what is there, given its mode and owner, and removed
// when its socket is closed, if it is still that one. It must not know what is said over it.

import type { SocketAddress } from '../core/socket.js';
import { nameOf, Refusal, type Spot, type Walk } from './held-path.js';
import type { Owner } from './make-directory.js';
import { AF_UNIX, connect, LONGEST_SOCKET_PATH, SOCK_DGRAM, socket, unixAddress } from './sockets.js';
import { close, SystemCallFailure } from './syscalls.js';

export type PathAddress = Extract<SocketAddress, { readonly path: string }>;

/** Is there a file for it? Not in the abstract namespace. */
export const hasPath = (address: SocketAddress): address is PathAddress =>
  (address.type === 'stream' || address.type === 'datagram') && !address.path.startsWith('@');

/** The file of a socket, told apart from a later one of that name. */
export interface PathFile {
  readonly dev: string;
  readonly ino: string;
}

/** Where it is to be bound, with nothing at its place. `owner`: whose directories on the way may be relied on. @throws Refusal */
export async function freePath(address: PathAddress, owner: Owner, walk: Walk): Promise<Spot> {
  const { path } = address;
  const length = Buffer.byteLength(path);
  if (length > LONGEST_SOCKET_PATH)
    throw new Refusal(
      `${path} has ${length} bytes, and the path of a socket has at most ${LONGEST_SOCKET_PATH}: choose a shorter one`,
    );
  const spot = await walk.reach(path, { type: 'make', owner: owner.uid });
  if (spot === null) throw new Refusal(`${path} cannot be reached: its directory was removed meanwhile`);
  const there = await walk.look(spot);
  if (there === null) return spot;
  if (!there.isSocket())
    throw new Refusal(`${path} is there and is no socket: remove it by hand, or choose another path`);
  const uid = Number(there.uid);
  if (![0, walk.self, owner.uid].includes(uid))
    throw new Refusal(`${path} is a socket of user ${nameOf(uid)}: remove it by hand, or choose another path`);
  if (isBound(spot)) throw new SystemCallFailure('bind', 'EADDRINUSE', path);
  await walk.remove(spot);
  return spot;
}

/** What was just bound there has this owner and mode from now on. @throws Refusal */
export async function dress(spot: Spot, mode: number, owner: Owner, walk: Walk): Promise<PathFile> {
  const held = await walk.hold(spot);
  const file = await walk.look(spot);
  if (held === null || file === null || !file.isSocket())
    throw new Refusal(`${spot.path} was removed or exchanged while it was being made: see who does that`);
  if (held.stat.uid !== owner.uid || held.stat.gid !== owner.gid) await walk.chown(held, owner.uid, owner.gid);
  await walk.chmod(held, mode);
  return fileOf(file);
}

/** What is at that path now; null: no socket. @throws Refusal */
export async function fileAt(
  path: string,
  walk: Walk,
): Promise<{ readonly spot: Spot; readonly file: PathFile } | null> {
  const spot = await walk.reach(path, { type: 'remove' });
  const file = spot === null ? null : await walk.look(spot);
  return spot === null || file === null || !file.isSocket() ? null : { spot, file: fileOf(file) };
}

export const isSameFile = (a: PathFile, b: PathFile): boolean => a.dev === b.dev && a.ino === b.ino;

const fileOf = ({ dev, ino }: { readonly dev: bigint; readonly ino: bigint }): PathFile => ({
  dev: String(dev),
  ino: String(ino),
});

/**
 * Through the directory that is held: it is the same file that would be removed. Asked by a socket of datagrams, which connects to
 * such a one and is of the wrong type for any other (EPROTOTYPE): nobody accepts anything of it.
 */
function isBound({ directory, name }: Spot): boolean {
  const fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  try {
    connect(fd, unixAddress(`/proc/self/fd/${directory.fd}/${name}`));
    return true;
  } catch (error) {
    if (error instanceof SystemCallFailure) return !['ECONNREFUSED', 'ENOENT'].includes(error.errno);
    throw error;
  } finally {
    close(fd);
  }
}
