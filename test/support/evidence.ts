// Ends and looks as the kernel side tells of them, where a test cares for little of it.

import type { ProcessFacts } from '../../src/core/pattern.js';
import type { ExitEvidence, ExitStatus, ProcessRef } from '../../src/core/process.js';

/** An end of which nothing is known but its status. */
export const ended = (status: ExitStatus, ticks: number | null = null): ExitEvidence => ({
  status,
  oom: false,
  peakMemory: null,
  cpuTime: null,
  findings: null,
  ticks,
  by: null,
});

export const exitedWith = (code: number, ticks: number | null = null): ExitEvidence =>
  ended({ type: 'exited', code }, ticks);

export const endedUnseen: ExitEvidence = ended({ type: 'unknown' });

/** A daemon of root's below PID 1, `/usr/sbin/ssh`. */
export const daemonFacts = (process: ProcessRef): ProcessFacts => ({
  process,
  ppid: 1,
  ancestors: [],
  uid: 0,
  comm: 'ssh',
  argv: ['/usr/sbin/ssh'],
  exe: '/usr/sbin/ssh',
  exeId: null,
  script: null,
  foreignNamespace: 'no',
});
