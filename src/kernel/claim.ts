// A directory held against other keepers: an flock on the directory itself, which needs no file and stays while files in it
// come and go. The state directory is held so: whoever removes the runtime directory, and with it the file of the lock,
// does not open the door for a second keeper. It must not know what is in the directory.

import { closeSync, constants, fstatSync, lstatSync, openSync } from 'node:fs';
import { readText } from './processes-of.js';
import { flock, LOCK_EX, LOCK_NB, SystemCallFailure } from './syscalls.js';

export interface Claim {
  /** Is the directory at the path still the one that is held? */
  isInPlace(): boolean;
  release(): void;
}

/** Takes the directory, or throws a sentence that names the holder. Where the file system has no such locks nothing is held. */
export function claimDirectory(path: string): Claim {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  const { ino, dev } = fstatSync(fd);
  try {
    flock(fd, LOCK_EX | LOCK_NB);
  } catch (error) {
    if (error instanceof SystemCallFailure && isTaken(error.errno)) {
      closeSync(fd);
      const holder = holderOf(ino);
      throw new Error(`another keeper runs already${holder === null ? '' : ` (pid ${holder})`}; it holds ${path}`);
    }
    // NFS asks for a descriptor that can write, which no directory gives (flock(2)).
  }
  return {
    isInPlace: () => {
      const there = lstatSync(path, { throwIfNoEntry: false });
      return there !== undefined && there.ino === ino && there.dev === dev;
    },
    release: () => closeSync(fd),
  };
}

const isTaken = (errno: string): boolean => errno === 'EWOULDBLOCK' || errno === 'EAGAIN';

/** As /proc/locks has it: `1: FLOCK  ADVISORY  WRITE 4711 fe:01:1234 0 EOF`. The device there is not always the one of stat(2) (btrfs). */
function holderOf(ino: number): number | null {
  const found = new RegExp(`FLOCK +ADVISORY +WRITE +(\\d+) +[0-9a-f]+:[0-9a-f]+:${ino} `).exec(readText('/proc/locks'));
  return found === null ? null : Number(found[1]);
}
