// What a child inherits and posix_spawn cannot set: for the microseconds of the call the keeper has it itself, and then
// its own again. Only this thread spawns, so nothing else is born meanwhile.

import type { ProcessSettings } from '../core/spec.js';
import type { ResourceLimit } from './limits.js';
import { oomScore } from './oom-score.js';
import { getNice, prlimit, setNice } from './syscalls.js';

/** @throws SystemCallFailure: the keeper may not wear that. What was put on is taken off again in any case. */
export function wearing<T>(settings: ProcessSettings, limits: readonly ResourceLimit[], action: () => T): T {
  const takeOff: (() => void)[] = [];
  try {
    // Nice counts for the thread that asks, here the main one, and is inherited from it.
    if (settings.nice !== null) {
      const nice = getNice();
      if (settings.nice !== nice && isReversible(settings.nice, nice)) {
        setNice(settings.nice);
        takeOff.push(() => setNice(nice));
      }
    }
    const score = settings.oomScoreAdjust ?? oomScore.before;
    const ownScore = oomScore.own;
    if (score !== ownScore) {
      oomScore.wear(score);
      takeOff.push(() => oomScore.wear(ownScore));
    }
    const umask = process.umask(settings.umask);
    takeOff.push(() => void process.umask(umask));
    for (const [resource, value] of limits) {
      const own = prlimit(0, resource, value);
      takeOff.push(() => void prlimit(0, resource, own));
    }
    return action();
  } finally {
    for (const undo of takeOff.reverse()) undo();
  }
}

/** Who is not root may grow nicer, and never less nice again: then it is set from outside, on the child. */
export const isReversible = (wanted: number, own: number): boolean => wanted < own || process.geteuid?.() === 0;
