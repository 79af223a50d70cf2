// Who is on the other side of a Unix socket: the kernel's word, as of connect(2), for a process that may be gone since.

import type { Socket } from 'node:net';
import { getsockopt, SO_PEERCRED, SO_PEERPIDFD, SOL_SOCKET } from './sockets.js';

export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** unix(7), SO_PEERCRED; null when the connection is gone already. */
export function peerOf(socket: Socket): PeerCredentials | null {
  const fd = descriptorOf(socket);
  if (fd === null) return null;
  const credentials = Buffer.alloc(12);
  try {
    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials);
  } catch {
    return null;
  }
  return { pid: credentials.readInt32LE(0), uid: credentials.readUInt32LE(4), gid: credentials.readUInt32LE(8) };
}

/** Node has no public way to the descriptor of a socket; `_handle.fd` has been there since its beginning, and the contract test says when it goes. */
function descriptorOf(socket: Socket): number | null {
  const handle: unknown = '_handle' in socket ? socket._handle : null;
  if (typeof handle !== 'object' || handle === null || !('fd' in handle)) return null;
  return typeof handle.fd === 'number' && handle.fd >= 0 ? handle.fd : null;
}

/** A descriptor of that very process (6.5), for the caller to close; null where the kernel has none to give. */
export function peerPidfd(socket: Socket): number | null {
  const fd = descriptorOf(socket);
  if (fd === null) return null;
  const pidfd = Buffer.alloc(4);
  try {
    getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, pidfd);
    return pidfd.readInt32LE(0);
  } catch {
    return null;
  }
}
