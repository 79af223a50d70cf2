// One socket that is held for a service, from its opening to its end: as its definition wants it, with the path that it has if it
// has one, and what the next keeper is told of it. It must not know how long it is held.

import type { SocketSpec } from '../core/socket.js';
import type { ServiceName, ServiceSpec } from '../core/spec.js';
import type { Walk } from './held-path.js';
import type { Owner } from './make-directory.js';
import { begin, bound } from './open-socket.js';
import { ownerOf } from './owner.js';
import { hasRoom } from './reserve.js';
import { dress, fileAt, freePath, hasPath, isSameFile, type PathFile } from './socket-path.js';
import { close, SystemCallFailure } from './syscalls.js';

export interface Opened {
  readonly spec: SocketSpec;
  readonly fd: number;
  /** null: it has no path. */
  readonly file: PathFile | null;
}

/** What a keeper has to know of it that takes it over. */
export interface Note {
  readonly spec: SocketSpec;
  readonly file: PathFile | null;
  readonly users: readonly ServiceName[];
}

export const writeNote = (note: Note): string => JSON.stringify(note);

/** Our own words of an earlier life; null: of a version that had others. */
export function readNote(text: string): Note | null {
  const { spec, file, users }: Partial<Note> = JSON.parse(text);
  if (spec?.address?.type === undefined || file === undefined || !Array.isArray(users)) return null;
  return { spec, file, users };
}

/** Only what bind(2) is told: the rest can be changed while it is open. */
export function isSame(a: SocketSpec, b: SocketSpec): boolean {
  return addressOf(a) === addressOf(b);
}

function addressOf({ address, reusePort }: SocketSpec): string {
  switch (address.type) {
    case 'tcp':
    case 'udp':
      return JSON.stringify([address.type, address.host, address.port, reusePort]);
    case 'stream':
    case 'datagram':
      return JSON.stringify([address.type, address.path]);
  }
}

/** @throws Refusal */
function pathOwner({ address }: SocketSpec, { settings }: ServiceSpec, self: number): Owner | null {
  if (!hasPath(address)) return null;
  const { user, group } = address;
  return ownerOf({ user: user ?? settings.user, group: group ?? (user === null ? settings.group : null) }, self);
}

/** @throws Refusal, SystemCallFailure */
export async function opened(spec: SocketSpec, service: ServiceSpec, walk: Walk): Promise<Opened> {
  // The keeper needs the last ones itself.
  if (!hasRoom('first')) throw new SystemCallFailure('socket', 'EMFILE', spec.name);
  const owner = pathOwner(spec, service, walk.self);
  const { address } = spec;
  const spot = hasPath(address) && owner !== null ? await freePath(address, owner, walk) : null;
  const fd = bound(spec);
  try {
    const file =
      spot !== null && owner !== null && hasPath(address) ? await dress(spot, address.mode, owner, walk) : null;
    begin(fd, spec);
    return { spec, fd, file };
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** The same socket as this definition wants it; null: its path has been removed, or is another's. */
export async function refreshed(
  { fd, file }: Opened,
  spec: SocketSpec,
  service: ServiceSpec,
  walk: Walk,
): Promise<Opened | null> {
  const owner = pathOwner(spec, service, walk.self);
  const { address } = spec;
  if (file !== null && owner !== null && hasPath(address)) {
    const there = await fileAt(address.path, walk);
    if (there === null || !isSameFile(there.file, file)) return null;
    await dress(there.spot, address.mode, owner, walk);
  }
  begin(fd, spec);
  return { spec, fd, file };
}

/** Each, if it is still that socket's. */
export async function removePaths(dropped: readonly Opened[], walk: Walk): Promise<void> {
  for (const { spec, file } of dropped) {
    if (file === null || !hasPath(spec.address)) continue;
    const there = await fileAt(spec.address.path, walk);
    if (there !== null && isSameFile(there.file, file)) await walk.remove(there.spot);
  }
}
