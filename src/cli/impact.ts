// What a stop or a restart does to others, said before it is done; on a terminal a person is asked where others go down.

import { call } from '../control/client.js';
import { CommandError, EXIT } from './exit.js';
import { hasFlag, type Input } from './input.js';
import { fieldsOf, listOf, wordOf } from './keeper-facts.js';
import type { Keeper } from './keeper-link.js';
import type { CliPorts } from './ports.js';
import { printLines } from './print.js';
import { printable } from './text-width.js';

/** What the keeper says quickly, or the act goes on without it. */
const PATIENCE = 10_000;

export interface Impact {
  /** They go down too, in the order in which they stop. */
  readonly down: readonly string[];
  readonly restarted: readonly string[];
  readonly spared: readonly string[];
}

/** @throws CommandError 1 when the person says no */
export async function tellImpact(
  verb: 'stop' | 'restart',
  services: readonly string[],
  keeper: Keeper,
  input: Input,
  { terminal }: CliPorts,
): Promise<void> {
  const { socket } = keeper.places;
  const body = { verb, services };
  const answer = await call({ socket, method: 'POST', path: '/v1/impact', body, patience: PATIENCE });
  // What it means for others is worth a word, not a failure: the act itself says what is wrong.
  if (answer.type !== 'ok') return;
  const impact = impactIn(answer.body);
  const lines = impactLines(services, impact);
  const canAsk = verb === 'stop' && impact.down.length > 0 && terminal.err.columns() !== null;
  await printLines(terminal.err, lines);
  if (!canAsk || hasFlag(input, 'yes') || hasFlag(input, 'json')) return;
  const reply = await terminal.ask(`Stop ${impact.down.length === 1 ? 'it' : 'them'} too? [y/N] `);
  if (reply === null || /^\s*y(es)?\s*$/i.test(reply)) return;
  throw new CommandError(EXIT.failed, 'nothing was stopped');
}

export function impactIn(body: unknown): Impact {
  const { down, restarted, spared } = fieldsOf(body);
  const words = (list: unknown): readonly string[] => listOf(list).map((one) => printable(wordOf(one)));
  return { down: words(down), restarted: words(restarted), spared: words(spared) };
}

/** A sentence for each thing that happens to others. */
export function impactLines(services: readonly string[], { down, restarted, spared }: Impact): readonly string[] {
  const [it, does] = services.length === 1 ? [services[0] ?? '', 'does'] : ['what is stopped', 'is'];
  const order = down.length === 1 ? 'stops' : 'stop, in this order,';
  const lines = [
    [down, 'goes', 'go', `down too, and ${order} before ${it} ${does}`],
    [restarted, 'is', 'are', 'restarted too'],
    [spared, 'is', 'are', 'on hold, and left alone'],
  ] as const;
  return lines.flatMap(([names, one, many, what]) =>
    names.length === 0 ? [] : [`upkeep: ${listed(names)} ${names.length === 1 ? one : many} ${what}`],
  );
}

/** As many as a line or two hold. */
const mostNames = 20;

function listed(names: readonly string[]): string {
  const others = names.length - mostNames;
  // One more is as short as the word for it.
  return others > 1 ? `${names.slice(0, mostNames).join(', ')} and ${others} others` : names.join(', ');
}
