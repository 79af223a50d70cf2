// What a child inherits and posix_spawn cannot set: for the microseconds of the call the keeper has it itself, and then
// its own again. Only this thread spawns, so nothing else is born meanwhile.

import { readFileSync, writeFileSync } from 'node:fs';
import type { ProcessSettings } from '../core/spec.js';
import type { ResourceLimit } from './limits.js';
import { getNice, prlimit, SystemCallFailure, setNice } from './syscalls.js';

const OOM_SCORE = '/proc/self/oom_score_adj';

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
    if (settings.oomScoreAdjust !== null) {
      const before = readFileSync(OOM_SCORE, 'latin1').trim();
      if (before !== String(settings.oomScoreAdjust)) {
        writeScore(String(settings.oomScoreAdjust));
        takeOff.push(() => writeScore(before));
      }
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

/** @throws SystemCallFailure: EACCES when it would be lowered without CAP_SYS_RESOURCE */
function writeScore(value: string): void {
  try {
    writeFileSync(OOM_SCORE, value);
  } catch (error) {
    const errno = error instanceof Error && 'code' in error ? String(error.code) : 'EIO';
    throw new SystemCallFailure('oom_score_adj', errno, value);
  }
}
