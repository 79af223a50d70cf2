// `upkeep shutdown`: asks the keeper to end, and waits until it has. Whoever is killed halfway has not.

import { setTimeout as pause } from 'node:timers/promises';
import { call, follow } from '../control/client.js';
import { CommandError, EXIT } from './exit.js';
import { hasFlag, type Verb } from './input.js';
import { type Standing, standingAt } from './keeper-end.js';
import { fieldsOf } from './keeper-facts.js';
import { bodyOf, reachKeeper } from './keeper-link.js';
import { printLines } from './print.js';
import { progressLine } from './progress-line.js';

const LOOK_MS = 100;
const PATIENCE_MS = 1_000;

export const shutdown: Verb = async (input, ports) => {
  const { terminal } = ports;
  const { places, status } = await reachKeeper(input, ports);
  const { socket } = places;
  const { pid, owner } = status.keeper;
  const leave = hasFlag(input, 'leave');
  const line = progressLine(terminal.err);
  const stop = new AbortController();
  const stopListening = terminal.onInterrupt(() => stop.abort());
  try {
    const { opened, end } = hear(socket, (text) => line.show(text), stop.signal);
    await opened;
    const answer = await call({
      socket,
      method: 'POST',
      path: '/v1/shutdown',
      body: { leave },
      patience: 0,
      signal: stop.signal,
    });
    // It may be gone before it has answered: that is what was asked for.
    if (answer.type !== 'no-keeper') bodyOf(answer, places);
    const ending = await end;
    let now = await standingAt(places, PATIENCE_MS);
    // Whoever still answers has only dropped a listener.
    const wasKilled = ending === 'cut' && now?.pid !== pid;
    while (!stop.signal.aborted && now?.pid === pid) {
      await pause(LOOK_MS);
      now = await standingAt(places, PATIENCE_MS);
    }
    await line.clear();
    if (stop.signal.aborted) {
      await printLines(terminal.err, [`upkeep: no longer watching; the keeper (pid ${pid}) goes on ending`]);
      return EXIT.underWay;
    }
    if (wasKilled) throw new CommandError(EXIT.failed, killedText(pid, leave ? 'leave' : 'stop', now));
    const kept = owner === null ? null : await ports.whoKeeps(places);
    await printLines(terminal.out, [
      `the keeper (pid ${pid}) has ended`,
      ...(kept === null ? [] : [`and stays away for this boot: ${kept}`]),
    ]);
    return EXIT.done;
  } finally {
    stop.abort();
    stopListening();
  }
};

interface Hearing {
  /** From now on nothing is missed, or there is nothing to hear. */
  readonly opened: Promise<void>;
  /** A keeper that comes to its end closes what its listeners hear; one that is killed does not. */
  readonly end: Promise<'closed' | 'cut'>;
}

function hear(socket: string, onText: (text: string) => void, signal: AbortSignal): Hearing {
  let onOpen = (): void => {};
  const opened = new Promise<void>((resolve) => {
    onOpen = resolve;
  });
  const onEvent = (event: unknown): void => {
    const { text } = fieldsOf(event);
    if (typeof text === 'string') onText(text);
  };
  const end = follow(socket, { onOpen, onEvent }, signal).then(({ type }) => {
    onOpen();
    return type === 'ok' ? 'closed' : 'cut';
  });
  return { opened, end };
}

/** `now`: who has come in its place. */
function killedText(pid: number, how: 'leave' | 'stop', now: Standing | null): string {
  const services =
    how === 'leave'
      ? ''
      : '; services that it had not stopped yet may still run, and the next keeper takes charge of them';
  const next = now === null ? '' : `; a keeper with pid ${now.pid} has come in its place`;
  return `the keeper (pid ${pid}) is gone, but did not come to the end of its shutdown${services}${next}`;
}
