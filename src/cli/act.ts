// start, stop, restart, reload, hold, unhold, reset, signal: asks the keeper for it, and waits with the person.

import { setMaxListeners } from 'node:events';
import { follow } from '../control/client.js';
import { usageError } from './exit.js';
import { tellImpact } from './impact.js';
import { durationOf, hasFlag, type Input, textOf, type Verb } from './input.js';
import { fieldsOf } from './keeper-facts.js';
import { reachAndWarn, servicesFor } from './keeper-link.js';
import { type Act, carryOut, codeOf, type Outcome } from './operation.js';
import { painter } from './paint.js';
import type { CliPorts } from './ports.js';
import { printJson, printLines } from './print.js';
import { progressLine } from './progress-line.js';
import { padTo, printable, widthOf } from './text-width.js';

export const act: Verb = async (asked, ports) => {
  const { terminal } = ports;
  const { input, body } = bodyFor(asked);
  const wait = hasFlag(input, 'wait') || input.verb === 'signal' ? { ms: durationOf(input, 'timeout') } : 'no';
  const keeper = await reachAndWarn(input, ports);
  const services = (await servicesFor(input, keeper, 'refuse')).map(({ name }) => name);
  if (input.verb === 'stop' || input.verb === 'restart') await tellImpact(input.verb, services, keeper, input, ports);
  const giveUp = new AbortController();
  // Each service that is waited for listens to it, and more than ten are no leak.
  setMaxListeners(0, giveUp.signal);
  const stopListening = terminal.onInterrupt(() => giveUp.abort());
  const watching = watchProgress({ keeper, services, verb: input.verb, body, wait }, giveUp.signal, ports);
  try {
    const outcomes = await carryOut({
      keeper,
      services,
      verb: input.verb,
      body,
      wait,
      uid: terminal.who.uid,
      onOutcome: watching.onOutcome,
      signal: giveUp.signal,
    });
    await watching.end();
    await report(outcomes, { input, wait, interrupted: giveUp.signal.aborted }, ports);
    return codeOf(outcomes, wait);
  } finally {
    await watching.end();
    stopListening();
  }
};

/** What is sent along, and the words without the signal. @throws CommandError 2 */
function bodyFor(input: Input): { readonly input: Input; readonly body: Readonly<Record<string, unknown>> } {
  const reason = textOf(input, 'reason');
  const length = textOf(input, 'for');
  if (durationOf(input, 'for') === 0) throw usageError('--for needs a length of time, like 30m or 2h');
  if (length !== null && hasFlag(input, 'untilBoot'))
    throw usageError('--for and --until-boot do not go together; give one of them');
  const body = {
    ...(reason === null ? {} : { reason }),
    ...(length === null || length === 'none' ? {} : { for: length }),
    ...(hasFlag(input, 'untilBoot') ? { untilBoot: true } : {}),
  };
  if (input.verb !== 'signal') return { input, body };
  const [name = '', signal = ''] = input.words;
  return { input: { ...input, words: [name] }, body: { signal } };
}

interface Watching {
  readonly onOutcome: (outcome: Outcome) => void;
  readonly end: () => Promise<void>;
}

/** On a terminal: one line with how far it is, made of what the keeper tells meanwhile. */
function watchProgress(
  { keeper, services, verb, wait }: Pick<Act, 'keeper' | 'services' | 'verb' | 'body' | 'wait'>,
  signal: AbortSignal,
  { terminal }: CliPorts,
): Watching {
  if (wait === 'no' || terminal.err.columns() === null) return { onOutcome: () => {}, end: async () => {} };
  const line = progressLine(terminal.err);
  const open = new Set(services);
  let last = '';
  const show = (): void => {
    const done = services.length === 1 ? '' : `, ${services.length - open.size} of ${services.length} done`;
    if (open.size > 0) line.show(`${verb}: ${[...open].join(', ')}${done}${last === '' ? '' : `; ${last}`}`);
  };
  const stop = new AbortController();
  void follow(
    keeper.places.socket,
    {
      onOpen: show,
      onEvent: (event) => {
        const { service, text } = fieldsOf(event);
        if (typeof service !== 'string' || !open.has(service) || typeof text !== 'string') return;
        // Of one alone the name stands before it already.
        last = services.length === 1 && text.startsWith(`${service}: `) ? text.slice(service.length + 2) : text;
        show();
      },
    },
    AbortSignal.any([stop.signal, signal]),
  );
  return {
    onOutcome: ({ service }) => {
      open.delete(service);
      show();
    },
    end: async () => {
      stop.abort();
      await line.clear();
    },
  };
}

interface Ending {
  readonly input: Input;
  readonly wait: Act['wait'];
  readonly interrupted: boolean;
}

async function report(
  outcomes: readonly Outcome[],
  { input, wait, interrupted }: Ending,
  { terminal }: CliPorts,
): Promise<void> {
  const { out, err } = terminal;
  if (hasFlag(input, 'json')) await printJson(out, { version: 1, operations: outcomes });
  else await printLines(out, goodLines(outcomes, wait, out.colours));
  await printLines(err, troubleLines(outcomes, { input, wait, interrupted }));
}

function goodLines(outcomes: readonly Outcome[], wait: Act['wait'], colours: 'yes' | 'no'): readonly string[] {
  const paint = painter(colours);
  const good = outcomes.filter(
    ({ progress }) => progress.type === 'done' || (progress.type === 'pending' && wait === 'no'),
  );
  const width = Math.max(0, ...good.map(({ service }) => widthOf(service)));
  return good.map(({ service, verb, progress }) => {
    const text = progress.type === 'done' ? printable(progress.text) : `asked to ${verb}`;
    return `${padTo(service, width)}  ${paint(progress.type === 'done' ? 'green' : null, text)}`;
  });
}

function troubleLines(outcomes: readonly Outcome[], { input, wait, interrupted }: Ending): readonly string[] {
  const { verb } = input;
  const failed = outcomes.filter(({ progress }) => progress.type === 'failed');
  const pending = wait === 'no' ? [] : outcomes.filter(({ progress }) => progress.type === 'pending');
  const lines = failed.map(
    ({ service, progress }) => `upkeep: ${service}: ${verb} failed: ${printable(progress.text)}`,
  );
  if (interrupted) {
    const goesOn = pending.map(({ service }) => service).join(', ');
    if (goesOn !== '') lines.push(`upkeep: no longer watching; ${verb} of ${goesOn} goes on, see \`upkeep status\``);
    return lines;
  }
  const limit = textOf(input, 'timeout') ?? '';
  return [
    ...lines,
    ...pending.map(
      ({ service, progress }) =>
        `upkeep: ${service}: not done within ${limit}, and goes on: ${printable(progress.text)}`,
    ),
  ];
}
