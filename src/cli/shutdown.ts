// `upkeep shutdown`: asks the keeper to end, and waits until it has.

import { setTimeout as pause } from 'node:timers/promises';
import { call, follow } from '../control/client.js';
import { EXIT } from './exit.js';
import { hasFlag, type Verb } from './input.js';
import { standingAt } from './keeper-end.js';
import { fieldsOf } from './keeper-facts.js';
import { bodyOf, reachKeeper } from './keeper-link.js';
import type { Places } from './places.js';
import { printLines } from './print.js';
import { progressLine } from './progress-line.js';

const LOOK_MS = 100;

export const shutdown: Verb = async (input, ports) => {
  const { terminal } = ports;
  const { places, status } = await reachKeeper(input, ports);
  const { socket } = places;
  const line = progressLine(terminal.err);
  const stop = new AbortController();
  const stopListening = terminal.onInterrupt(() => stop.abort());
  const following = follow(
    socket,
    {
      onOpen: () => {},
      onEvent: (event) => {
        const { text } = fieldsOf(event);
        if (typeof text === 'string') line.show(text);
      },
    },
    stop.signal,
  );
  try {
    const answer = await call({
      socket,
      method: 'POST',
      path: '/v1/shutdown',
      body: { leave: hasFlag(input, 'leave') },
      patience: 0,
      signal: stop.signal,
    });
    // It may be gone before it has answered: that is what was asked for.
    if (answer.type !== 'no-keeper') bodyOf(answer, places);
    await following;
    while (!stop.signal.aborted && (await isAnswering(places, status.keeper.pid))) await pause(LOOK_MS);
    await line.clear();
    if (stop.signal.aborted) {
      await printLines(terminal.err, [
        `upkeep: no longer watching; the keeper (pid ${status.keeper.pid}) goes on ending`,
      ]);
      return EXIT.underWay;
    }
    const kept = status.keeper.owner === null ? null : await ports.whoKeeps(places);
    await printLines(terminal.out, [
      `the keeper (pid ${status.keeper.pid}) has ended`,
      ...(kept === null ? [] : [`and stays away for this boot: ${kept}`]),
    ]);
    return EXIT.done;
  } finally {
    stop.abort();
    stopListening();
  }
};

/** Another keeper may have come in its place. */
const isAnswering = async (places: Places, pid: number): Promise<boolean> =>
  (await standingAt(places, 1_000))?.pid === pid;
