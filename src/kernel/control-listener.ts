// The listening Unix socket that operators reach the keeper by. Made here and not by Node: libuv removes the path of a
// listener that it made when it closes it, and this one is to outlive the program that made it. Knows no protocol.

import { chmodSync, fstatSync, lstatSync, rmSync } from 'node:fs';
import {
  AF_UNIX,
  bind,
  getsockopt,
  LONGEST_SOCKET_PATH,
  listen,
  SO_ACCEPTCONN,
  SOCK_STREAM,
  SOL_SOCKET,
  socket,
  sockName,
  unixAddress,
} from './sockets.js';
import { close, duplicate } from './syscalls.js';

export interface ControlListener {
  /** Ours until `close`: what is handed on. */
  readonly fd: number;
  /** Another descriptor of it, for somebody who closes it. */
  share(): number;
  /** Nobody is to answer here any more: the path goes too, so that who asks is told that there is no keeper. */
  close(): void;
}

/**
 * The first of `inherited` that does listen at this path, else a new one, open to all local users. Only the holder of the
 * keeper's lock may call this: what else lies at the path is nobody's any more. @throws what bind(2) says, as a sentence
 */
export function openControlListener(
  path: string,
  backlog: number,
  inherited: readonly (number | null)[] = [],
): ControlListener {
  const fd = inherited.find((one) => one !== null && listensAt(one, path)) ?? make(path, backlog);
  return {
    fd,
    share: () => duplicate(fd),
    close: () => {
      close(fd);
      try {
        rmSync(path, { force: true });
      } catch {
        // It ends; what is left there is removed by the next.
      }
    },
  };
}

function make(path: string, backlog: number): number {
  if (Buffer.byteLength(path) > LONGEST_SOCKET_PATH)
    throw new Error(
      `${path} is longer than the ${LONGEST_SOCKET_PATH} bytes that the path of a socket may have; set UPKEEP_RUNTIME_DIR to a shorter one`,
    );
  rmSync(path, { force: true });
  const fd = socket(AF_UNIX, SOCK_STREAM, 0);
  try {
    bind(fd, unixAddress(path));
    // Open to all before anybody can connect: until listen(2) everybody is refused alike.
    chmodSync(path, 0o666);
    listen(fd, backlog);
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** A listening socket whose path is still there. The number may be anything. */
function listensAt(fd: number, path: string): boolean {
  try {
    if (!fstatSync(fd).isSocket() || !lstatSync(path).isSocket()) return false;
    const listening = Buffer.alloc(4);
    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, listening);
    return listening.readInt32LE(0) === 1 && sockName(fd) === path;
  } catch {
    return false;
  }
}
