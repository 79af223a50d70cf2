// Closing what others gave us, without standing still for it: a connection whose owner set SO_LINGER would hold close(2) up
// until its other end has taken everything, however long it takes its time. It must not know whose it is.

import { getsockopt, SOL_SOCKET, setsockopt } from './sockets.js';
import { close, SystemCallFailure } from './syscalls.js';

const SO_LINGER = 13;

/**
 * What was written still arrives: the kernel sees to it behind our back. It is the socket's: whoever has it too loses his
 * SO_LINGER, and nothing tells whether there is anybody.
 */
export function closeSoon(fd: number): void {
  try {
    const linger = Buffer.alloc(8);
    getsockopt(fd, SOL_SOCKET, SO_LINGER, linger);
    const [isOn, seconds] = [linger.readInt32LE(0) !== 0, linger.readInt32LE(4)];
    // On for no time at all is a reset, which waits for nobody.
    if (isOn && seconds > 0) setsockopt(fd, SOL_SOCKET, SO_LINGER, Buffer.alloc(8));
  } catch (error) {
    if (!(error instanceof SystemCallFailure)) throw error; // ENOTSOCK: nothing lingers
  }
  close(fd);
}
