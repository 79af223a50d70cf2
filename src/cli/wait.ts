// `upkeep wait`: until services are ready, healthy or stopped. Woken by the keeper's events.

import { type ServiceStatus, standing } from '../core/status.js';
import { lookAtChanges } from './changes.js';
import { CommandError, EXIT, type ExitCode, usageError } from './exit.js';
import { troubleText } from './health-text.js';
import { durationOf, hasFlag, type Input, textOf, type Verb } from './input.js';
import { reachAndWarn, reasonText, servicesFor } from './keeper-link.js';
import { printJson, printLines } from './print.js';
import { progressLine } from './progress-line.js';
import { printable } from './text-width.js';

type Goal = 'ready' | 'healthy' | 'stopped';

/** That a heartbeat is good is no event: it would be one every few seconds. */
const EVERY_MS = 1000;

export const wait: Verb = async (input, ports) => {
  const { terminal } = ports;
  const goal = goalOf(input);
  const timeout = durationOf(input, 'timeout');
  const keeper = await reachAndWarn(input, ports);
  const names = new Set((await servicesFor(input, keeper, 'refuse')).map(({ name }) => name));
  const line = progressLine(terminal.err);
  const stop = new AbortController();
  const timer = timeout === null ? null : setTimeout(() => stop.abort('timeout'), timeout);
  const stopListening = terminal.onInterrupt(() => stop.abort('interrupt'));
  let seen: readonly ServiceStatus[] = [];
  let missing: readonly ServiceStatus[] = [];
  try {
    const looked = await lookAtChanges({
      places: keeper.places,
      every: goal === 'healthy' ? EVERY_MS : null,
      isOurs: (service) => names.has(service),
      onStatus: ({ services }) => {
        seen = services.filter(({ name }) => names.has(name));
        // Who said --all, or named a pool, waits for those that are to stay.
        const gone = input.words.find((name) => names.has(name) && !seen.some((service) => service.name === name));
        if (gone !== undefined && goal !== 'stopped')
          throw new CommandError(EXIT.failed, `${gone} was removed from the configuration`);
        missing = seen.filter((service) => !isThere(service, goal));
        if (missing.length > 0)
          line.show(`waiting for ${missing.map((one) => `${one.name} (${whereabouts(one, goal)})`).join(', ')}`);
        return missing.length === 0 || missing.some((service) => isHopeless(service, goal, services))
          ? 'done'
          : 'go on';
      },
      signal: stop.signal,
    });
    if (looked.type === 'gone')
      throw new CommandError(
        EXIT.noKeeper,
        `the keeper at ${keeper.places.socket} went away (${reasonText(looked.reason)})`,
      );
    await line.clear();
    if (stop.signal.reason === 'interrupt') await printLines(terminal.err, ['upkeep: no longer watching']);
    await printLines(
      terminal.err,
      missing.map(
        (service) => `upkeep: ${service.name} is not ${goal}: ${service.state}, ${printable(service.reason)}`,
      ),
    );
    if (hasFlag(input, 'json')) {
      const is = missing.length === 0 ? 'there' : 'not there';
      await printJson(terminal.out, {
        version: 1,
        for: goal,
        is,
        missing: missing.map(({ name }) => name),
        services: seen,
      });
    }
    return codeFor(missing, goal);
  } finally {
    if (timer !== null) clearTimeout(timer);
    stopListening();
    await line.clear();
  }
};

function whereabouts(service: ServiceStatus, goal: Goal): string {
  const { state, next, health } = service;
  if (next?.why === 'others') return `${state} for ${next.waitsFor.join(', ')}`;
  return state !== 'running' || goal !== 'healthy'
    ? state
    : (troubleText(service) ?? `${state}, health ${health.state}`);
}

/** @throws CommandError 2 */
function goalOf(input: Input): Goal {
  const text = textOf(input, 'for') ?? 'ready';
  if (text === 'ready' || text === 'healthy' || text === 'stopped') return text;
  throw usageError(`--for ${text}: one waits for ready, healthy or stopped`);
}

/** Is it where it is waited for? A finished oneshot is ready. */
export function isThere({ state, health, process }: ServiceStatus, goal: Goal): boolean {
  const name: string = state;
  // While it hands over, the old generation serves.
  const serves = name === 'running' || name === 'handover';
  switch (goal) {
    case 'ready':
      return serves || name === 'done';
    case 'healthy':
      return name === 'done' || (serves && (health.state === 'ok' || health.state === 'none'));
    case 'stopped':
      return process === null && ['stopped', 'failed', 'skipped', 'done'].includes(name);
  }
}

/** Only a person can bring it back: nobody should wait for that in a script. */
function isHopeless(
  { state, hold, next, blockedBy }: ServiceStatus,
  goal: Goal,
  all: readonly ServiceStatus[],
): boolean {
  if (goal === 'stopped') return false;
  // Nobody asks it.
  if (goal === 'healthy' && state === 'running' && hold !== null) return true;
  return (state === 'failed' && next === null) || all.some((one) => blockedBy.includes(one.name) && needsPerson(one));
}

/** Down, and nothing comes by itself. */
const needsPerson = ({ desired, hold, state, next }: ServiceStatus): boolean =>
  desired === 'down' || hold !== null || state === 'stopped' || (state === 'failed' && next === null);

function codeFor(missing: readonly ServiceStatus[], goal: Goal): ExitCode {
  if (missing.length === 0) return EXIT.done;
  const isDown = goal !== 'stopped' && missing.some((service) => standing(service) === 'bad');
  return isDown ? EXIT.down : EXIT.underWay;
}
