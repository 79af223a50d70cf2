// The keeper that a command talks to: which one it is, its status, and calls to it. What goes wrong is a CommandError
// with a sentence and an exit code. Knows no verb.

import { type Answer, call } from '../control/client.js';
import { isDocument } from '../control/client-document.js';
import { hasBrokenConfiguration, type ServiceStatus, type Status } from '../core/status.js';
import { CommandError, EXIT, usageError } from './exit.js';
import { hasFlag, type Input, whoseOf } from './input.js';
import { select, unknownText } from './names.js';
import { ownKeeper, type Places, placesOf, variableOfRuntime } from './places.js';
import type { CliPorts } from './ports.js';

/** A keeper that answers. */
export interface Keeper {
  readonly places: Places;
  readonly status: Status;
}

/** Longer than the keeper ever is busy; a person still waits. */
const PATIENCE = 10_000;

/** Where this command's keeper may be, first choice first. */
export function candidates(input: Input, { terminal }: CliPorts): readonly Places[] {
  const whose = whoseOf(input);
  const own = ownKeeper(terminal.who.uid);
  const all = whose === null ? [own, 'system' as const] : [whose];
  const places = all.map((one) => placesOf({ whose: one, config: null }, terminal.who));
  return places.filter((place, index) => places.findIndex(({ socket }) => socket === place.socket) === index);
}

/** The first that answers. @throws CommandError 4 */
export async function reachKeeper(input: Input, ports: CliPorts): Promise<Keeper> {
  const tried = candidates(input, ports);
  const why: string[] = [];
  for (const places of tried) {
    const answer = await call({ socket: places.socket, method: 'GET', path: '/v1/status', patience: PATIENCE });
    if (answer.type === 'ok') return { places, status: understood(answer.body, isStatus) };
    if (answer.type === 'error') throw new CommandError(EXIT.failed, answer.message);
    why.push(`${whichText(places, ports)} at ${places.socket} (${reasonText(answer.reason)})`);
  }
  for (const places of tried) {
    const kept = await ports.whoKeeps(places);
    if (kept !== null) throw new CommandError(EXIT.noKeeper, `no keeper answers: not ${why.join(', nor ')}; ${kept}`);
  }
  const flag = tried[0]?.whose === ownKeeper(ports.terminal.who.uid) ? '' : ` --${tried[0]?.whose ?? 'system'}`;
  throw new CommandError(
    EXIT.noKeeper,
    `no keeper answers: not ${why.join(', nor ')}; start one with \`upkeep run${flag}\``,
  );
}

/** The keeper, after a warning where its file has changed since it was applied. */
export async function reachAndWarn(input: Input, ports: CliPorts): Promise<Keeper> {
  const keeper = await reachKeeper(input, ports);
  await warnPending(keeper.status, ports);
  return keeper;
}

export async function warnPending({ keeper }: Status, { terminal }: CliPorts): Promise<void> {
  if (!keeper.pending) return;
  // What the keeper found broken may have been mended since; it looks again when it is asked to.
  const further = hasBrokenConfiguration(keeper)
    ? ', and was broken when the keeper read it; `upkeep check` says what is wrong, `upkeep apply` takes the mended one'
    : '; `upkeep plan` says what would change, `upkeep apply` does it';
  await terminal.err.write(`upkeep: ${keeper.config} has changed since it was applied${further}\n`);
}

/** The services that the words mean; with `--all` or (`otherwise`) without words all. @throws CommandError 2 */
export async function servicesFor(
  input: Input,
  keeper: Keeper,
  otherwise: 'all' | 'refuse',
): Promise<readonly ServiceStatus[]> {
  const { services } = keeper.status;
  const { words } = input;
  if (words.length === 0) {
    if (otherwise === 'all' || hasFlag(input, 'all')) return services;
    throw usageError(`\`upkeep ${input.verb}\` needs a NAME: a service, a glob, @tag, or --all`);
  }
  const selection = select(words, services);
  if (selection.type === 'some') return selection.services;
  throw usageError(await unknownSentence(selection.names, keeper));
}

/** Asks the keeper. @throws CommandError 1 when it refuses, 4 when it is gone */
export async function ask(
  keeper: Keeper,
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
  patience = PATIENCE,
): Promise<unknown> {
  const { socket } = keeper.places;
  return bodyOf(await call({ socket, method, path, patience, ...(body === undefined ? {} : { body }) }), keeper.places);
}

/** What was answered. @throws CommandError 1, 2 or 4 */
export function bodyOf(answer: Answer, places: Places): unknown {
  switch (answer.type) {
    case 'ok':
      return answer.body;
    case 'error':
      throw new CommandError(answer.status === 404 ? EXIT.usage : EXIT.failed, answer.message);
    case 'no-keeper':
      throw new CommandError(EXIT.noKeeper, `the keeper at ${places.socket} went away (${reasonText(answer.reason)})`);
  }
}

/** The system's word for why nobody answers, in ours. */
export function reasonText(reason: string): string {
  if (/ENOENT/.test(reason)) return 'there is no such socket';
  if (/ECONNREFUSED/.test(reason)) return 'nobody listens there any more';
  if (/EACCES|EPERM/.test(reason)) return 'it may not be reached by this user';
  if (/ECONNRESET|EPIPE|socket hang up|aborted/.test(reason)) return 'it hung up';
  return reason;
}

/** With a variable in the way it is neither the system's nor this user's as a matter of course. */
function whichText({ whose }: Places, { terminal }: CliPorts): string {
  const variable = variableOfRuntime(whose, terminal.who);
  if (variable !== null) return `the one of ${variable}`;
  return whose === 'system' ? "the system's" : 'your own';
}

/** What was answered, where this program knows its version. @throws CommandError 1 */
export function understood<T>(body: unknown, isIt: (body: unknown) => body is T): T {
  if (isIt(body)) return body;
  throw new CommandError(
    EXIT.failed,
    'the keeper speaks another version of the protocol than this program; use the `upkeep` that it was started with',
  );
}

export const isStatus = (body: unknown): body is Status => isDocument(body, 'services');

/** A name that this host has not may be of another host. */
async function unknownSentence(
  names: readonly { readonly name: string; readonly near: string | null }[],
  keeper: Keeper,
): Promise<string> {
  const { elsewhereIn } = await import('./keeper-facts.js');
  const answer = await call({ socket: keeper.places.socket, method: 'GET', path: '/v1/keeper', patience: PATIENCE });
  const elsewhere = answer.type === 'ok' ? elsewhereIn(answer.body) : [];
  const known = names.map(({ name }) => elsewhere.find((one) => one.name === name));
  const [first] = known;
  if (known.length === 1 && first !== undefined) return `${first.name} is not for this host: ${first.reason}`;
  return unknownText(names);
}
