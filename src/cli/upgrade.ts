// `upkeep upgrade`: asks the keeper to be replaced by the program on disk, and waits until that one answers.

import { setTimeout as pause } from 'node:timers/promises';
import { call } from '../control/client.js';
import { CommandError, EXIT } from './exit.js';
import type { Verb } from './input.js';
import { fieldsOf, wordOf } from './keeper-facts.js';
import { ask, isStatus, reachKeeper, reasonText } from './keeper-link.js';
import { printLines } from './print.js';
import { progressLine } from './progress-line.js';

const LOOK_MS = 50;
/** Longer than the keeper's own patience with a rehearsal and a disk, so that its word is heard. */
const REHEARSAL = 60_000;
/** A new program with a thousand services is there in a second. */
const START = 60_000;

export const upgrade: Verb = async (input, ports) => {
  const { terminal } = ports;
  const keeper = await reachKeeper(input, ports);
  const { pid, since } = keeper.status.keeper;
  const line = progressLine(terminal.err);
  const stop = new AbortController();
  const stopListening = terminal.onInterrupt(() => stop.abort());
  try {
    line.show('the program on disk is tried');
    const { was } = fieldsOf(await ask(keeper, 'POST', '/v1/upgrade', {}, REHEARSAL));
    line.show('the keeper is being replaced');
    const deadline = Date.now() + START;
    for (;;) {
      const answer = await call({ socket: keeper.places.socket, method: 'GET', path: '/v1/status', patience: 5_000 });
      if (stop.signal.aborted) {
        await line.clear();
        await printLines(terminal.err, ['upkeep: no longer watching; the upgrade goes on']);
        return EXIT.underWay;
      }
      if (answer.type === 'ok' && isStatus(answer.body)) {
        const now = answer.body.keeper;
        await line.clear();
        // It answers nobody between its promise and the replacement: who answers as before has not been replaced.
        if (now.since === since)
          throw new CommandError(EXIT.failed, `the keeper (pid ${pid}) was not replaced; its log says why`);
        await printLines(terminal.out, [`the keeper (pid ${now.pid}) now runs ${now.version} (was ${wordOf(was)})`]);
        return EXIT.done;
      }
      if (Date.now() > deadline) {
        const why = answer.type === 'no-keeper' ? ` (${reasonText(answer.reason)})` : '';
        throw new CommandError(
          EXIT.noKeeper,
          `the keeper (pid ${pid}) was replaced, and does not answer${why}; its log says why`,
        );
      }
      await pause(LOOK_MS);
    }
  } finally {
    stopListening();
    await line.clear();
  }
};
