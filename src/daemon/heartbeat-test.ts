// Asks a heartbeat now, for somebody who waits for it: by the same askers, whether the service runs or not.

import type { Tested, TestParts } from '../control/test-route.js';
import { asPid, type ProcessRef } from '../core/process.js';
import { mainOf } from '../core/state.js';
import { millis } from '../core/time.js';
import type { Askers } from './askers.js';

/** What is asked over the network, or by a program, needs no process. */
const nobody: ProcessRef = { pid: asPid(0), startTicks: 0, inode: null };

const notRunning: Tested = {
  answer: { result: 'unasked', ms: millis(0), detail: 'it does not run, so there is nothing to measure' },
  steps: [],
};

export const heartbeatTester =
  (askers: Pick<Askers, 'test'>): TestParts['test'] =>
  (service, heartbeat) => {
    const main = mainOf(service);
    if (main === null && heartbeat.question.kind === 'process') return Promise.resolve(notRunning);
    return askers.test(service.spec, heartbeat, main ?? nobody);
  };
