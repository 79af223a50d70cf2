import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { probeFeatures } from './features.js';
import { identify, identifyAgain, readStat } from './identity.js';
import { hasRoom, reserve } from './reserve.js';
import { signalProcess } from './signals.js';
import { prlimit, type RawLimit } from './syscalls.js';

const NOFILE = 7;
const children: ChildProcess[] = [];
const hoard: number[] = [];
let own: RawLimit | null = null;

/** Takes all descriptors but `left`. */
function exhaust(left: number): void {
  own = prlimit(0, NOFILE, null);
  prlimit(0, NOFILE, { soft: 300, hard: own.hard });
  try {
    for (;;) hoard.push(openSync('/dev/null', 'r'));
  } catch {
    // all are taken
  }
  for (const fd of hoard.splice(0, left)) closeSync(fd);
}

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const fd of hoard.splice(0)) closeSync(fd);
  if (own !== null) prlimit(0, NOFILE, own);
});

describe('without descriptors', () => {
  it('there is no room to start anything, long before the last one is taken', () => {
    expect(hasRoom('first')).toBe(true);
    exhaust(10);
    expect(hasRoom('first')).toBe(false);
    expect(hasRoom('again')).toBe(true);
    for (const fd of hoard.splice(0, 10)) closeSync(fd);
    expect(hasRoom('first')).toBe(true);
  });

  it('a living process is not taken for one that is gone, and can be signalled (supervisors 35)', () => {
    const features = probeFeatures([]);
    const child = spawn('sleep', ['600'], { stdio: 'ignore' });
    children.push(child);
    const living = identify(child.pid ?? 0, features);
    if (living === null) throw new Error('it is not there');
    if (living.pidfd !== null) closeSync(living.pidfd);
    const { process: itself } = living;
    reserve.take();
    exhaust(0);
    expect(readStat(itself.pid)?.startTicks).toBe(itself.startTicks);
    expect(() => identifyAgain(itself, features)).toThrow(/EMFILE/);
    expect(signalProcess(itself, 'SIGCONT', features)).toBe('sent');
    expect(signalProcess(itself, 'SIGCONT', features)).toBe('sent');
  });
});
