// The keeper's directories, and that nobody else keeps in them: the lock in the runtime directory, and a claim on the state
// directory, which still stands when somebody removes the other. Knows no service.

import { join } from 'node:path';
import type { Places } from '../cli/places.js';
import { type Claim, claimDirectory } from '../kernel/claim.js';
import { type Lock, takeLock } from '../kernel/lock.js';
import { makeDirectory } from './directories.js';
import type { Piece } from './runtime-watch.js';

export interface Premises {
  /** The descriptor that holds the lock now: what the next program is given. */
  readonly lockFd: () => number;
  readonly makeRuntime: () => void;
  /** What can be taken anew while we run. */
  readonly pieces: readonly Piece[];
  leave(): void;
}

/** Makes the directories and takes them. Throws a sentence where they are somebody else's, or another keeper is in them. */
export function enter(places: Places, uid: number, inheritedLock: number | null): Premises {
  const lockPath = join(places.runtime, 'lock');
  const makeRuntime = (): void => makeDirectory({ path: places.runtime, mode: 0o755 }, uid);
  const makeState = (): void => makeDirectory({ path: places.state, mode: 0o700 }, uid);
  makeRuntime();
  // Before anything is touched: a second keeper must not even look into the journal of the first.
  let lock: Lock = takeLock(lockPath, inheritedLock);
  let claim: Claim;
  try {
    makeState();
    claim = claimDirectory(places.state);
    makeDirectory({ path: places.logs, mode: 0o755 }, uid);
  } catch (error) {
    lock.release();
    throw error;
  }
  const renewLock = (): void => {
    const before = lock;
    lock = takeLock(lockPath);
    before.release();
  };
  const renewState = (): void => {
    makeState();
    const before = claim;
    claim = claimDirectory(places.state);
    before.release();
  };
  return {
    lockFd: () => lock.fd,
    makeRuntime,
    pieces: [
      { name: 'the state directory', isInPlace: () => claim.isInPlace(), renew: renewState },
      { name: 'the lock', isInPlace: () => lock.isInPlace(), renew: renewLock },
    ],
    leave: () => {
      lock.release();
      claim.release();
    },
  };
}
