// What the keeper is asked outside of one service: signals to its own process, and the bodies of governing requests.

import { ControlError } from '../control/control-error.js';
import type { Sender } from '../core/death.js';
import type { Report } from '../keeper/ports.js';
import { releaseSignals } from './early-signals.js';

export interface SignalActions {
  readonly end: () => void;
  readonly apply: () => void;
  readonly upgrade: () => void;
  /** Milliseconds in which a second request to end is an echo: one Ctrl-C reaches us twice where our guard hears it too, and passes it on. */
  readonly echo: number;
}

export interface Listening {
  /** Resolves at the second request to end: whoever asks twice does not want to wait. */
  readonly second: Promise<void>;
  close(): void;
}

/** SIGTERM and Ctrl-C end the keeper, SIGHUP applies the configuration, SIGUSR2 upgrades; what else would end a process by default does not. */
export function listen({ end, apply, upgrade, echo }: SignalActions): Listening {
  let first: number | null = null;
  let again: () => void = () => {};
  const second = new Promise<void>((resolve) => {
    again = resolve;
  });
  const onEnd = (): void => {
    const now = performance.now();
    if (first === null) end();
    else if (now - first >= echo) again();
    first ??= now;
  };
  const nothing = (): void => {};
  const handlers: readonly (readonly [NodeJS.Signals, () => void])[] = [
    ['SIGTERM', onEnd],
    ['SIGINT', onEnd],
    ['SIGHUP', apply],
    ['SIGUSR2', upgrade],
    ['SIGPIPE', nothing],
    ['SIGQUIT', nothing],
    ['SIGALRM', nothing],
  ];
  for (const [signal, handler] of handlers) process.on(signal, handler);
  const early = releaseSignals();
  for (const [signal, handler] of handlers) if (early.includes(signal)) handler();
  return {
    second,
    close: () => {
      for (const [signal, handler] of handlers) process.off(signal, handler);
    },
  };
}

/** Nothing in the keeper ends it but a request: what nobody caught is reported, and it goes on. Returns how to stop that. */
export function surviveSurprises(report: Report): () => void {
  const onError = (error: unknown): void => report('a surprise, and the keeper goes on', error);
  process.on('uncaughtException', onError);
  process.on('unhandledRejection', onError);
  return () => {
    process.off('uncaughtException', onError);
    process.off('unhandledRejection', onError);
  };
}

/** The file that a plan is asked for; null: the keeper's own. */
export function fileIn(body: unknown): string | null {
  const file = fieldOf(body, 'file');
  if (file === undefined || file === null) return null;
  if (typeof file !== 'string' || !file.startsWith('/'))
    throw new ControlError(400, 'bad-file', '`file` is to be an absolute path');
  return file;
}

/** Is this flag set in the body? */
export function wants(body: unknown, flag: string): boolean {
  return fieldOf(body, flag) === true;
}

/** A text in the body; null: there is none. */
export function textIn(body: unknown, name: string): string | null {
  const value = fieldOf(body, name);
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') throw new ControlError(400, `bad-${name}`, `\`${name}\` is to be a text`);
  return value;
}

/** `upkeep ack`: no more reminders of what is named, a service or an incident. */
export function acknowledge(
  body: unknown,
  by: Sender,
  ack: (what: string, by: Sender, reason: string | null) => object | null,
): unknown {
  const what = textIn(body, 'what') ?? '';
  const found = ack(what, by, textIn(body, 'reason'));
  if (found === null)
    throw new ControlError(404, 'no-incident', `nothing is wrong that is called ${what}; \`upkeep why\` shows what is`);
  return { version: 1, ...found };
}

function fieldOf(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null
    ? new Map<string, unknown>(Object.entries(body)).get(name)
    : undefined;
}
