// For tests alone: the keeper kills itself, as `kill -9` would, at a chosen call of its ports. Without UPKEEP_FAULT nothing
// of this is in the way.

import type { Journal, Kernel } from '../keeper/ports.js';

interface Ports {
  readonly journal: Journal;
  readonly kernel: Kernel;
}

type Point = 'before-record' | 'after-record' | 'before-effect' | 'after-effect';

/** `fault`: like `after-record:7`, the seventh call counted from 1. @throws a sentence when it is anything else */
export function withFault({ journal, kernel }: Ports, fault: string | undefined): Ports {
  if (fault === undefined || fault === '') return { journal, kernel };
  const [, point, count] = /^((?:before|after)-(?:record|effect)):(\d+)$/.exec(fault) ?? [];
  if (point === undefined || count === undefined)
    throw new Error(`UPKEEP_FAULT is "${fault}"; it is to be like after-record:7 or before-effect:3`);
  let left = Number(count);
  const pass = (here: Point): void => {
    if (here !== point) return;
    left -= 1;
    if (left === 0) process.kill(process.pid, 'SIGKILL');
  };
  return {
    journal: {
      record: (services, removed, changes) => {
        pass('before-record');
        journal.record(services, removed, changes);
        pass('after-record');
      },
    },
    kernel: {
      perform: (effect) => {
        pass('before-effect');
        kernel.perform(effect);
        pass('after-effect');
      },
      close: () => kernel.close(),
    },
  };
}
