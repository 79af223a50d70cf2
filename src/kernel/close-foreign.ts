// Closing what others gave us, without standing still for it. Anybody on this host may send a descriptor to the socket of a
// service, and close(2) can be made to last: by SO_LINGER on a connection whose other end takes nothing, or by a file system
// that some program answers for. It must not know whose a descriptor is.

import { linkOf, mayStandStill } from './may-stand-still.js';
import { getsockopt, SOL_SOCKET, setsockopt } from './sockets.js';
import { close, libc } from './syscalls.js';

const SO_LINGER = 13;
const cclose = libc.func('int close(int fd)');

/** One after the other: there are four threads in libuv's pool, and one that never returns is enough. */
const waiting: number[] = [];

export function closeForeign(fd: number): void {
  const link = linkOf(fd);
  if (mayLast(fd, link)) {
    waiting.push(fd);
    if (waiting.length === 1) closeNext();
    return;
  }
  if (link.startsWith('socket:')) takeLinger(fd);
  close(fd);
}

/** Where no descriptor is left to look with (EMFILE, as when one message has brought too many), the thread takes it: it is closed all the same. */
function mayLast(fd: number, link: string): boolean {
  try {
    return mayStandStill(fd, link);
  } catch {
    return true;
  }
}

function closeNext(): void {
  const [fd] = waiting;
  if (fd === undefined) return;
  cclose.async(fd, () => {
    waiting.shift();
    closeNext();
  });
}

/**
 * What was written still arrives: the kernel sees to it behind our back. It is the socket's: whoever has it too loses his
 * SO_LINGER, and nothing tells whether there is anybody.
 */
function takeLinger(fd: number): void {
  const linger = Buffer.alloc(8);
  getsockopt(fd, SOL_SOCKET, SO_LINGER, linger);
  const [isOn, seconds] = [linger.readInt32LE(0) !== 0, linger.readInt32LE(4)];
  // On for no time at all is a reset, which waits for nobody.
  if (isOn && seconds > 0) setsockopt(fd, SOL_SOCKET, SO_LINGER, Buffer.alloc(8));
}
