// `upkeep __complete WORD…`: what a shell may offer for the last word, one a line. All three shells ask this, so that
// they offer the same. A line `:file` asks the shell for its own files. Never fails, never waits long.

import { call } from '../control/client.js';
import { type Command, type Completes, commands, findCommand } from './commands.js';
import { EXIT } from './exit.js';
import type { Verb } from './input.js';
import { fieldsOf, listOf, wordOf } from './keeper-facts.js';
import { candidates } from './keeper-link.js';
import { poolsOf } from './names.js';
import type { CliPorts } from './ports.js';
import { printLines } from './print.js';

/** A person has pressed the tab key. */
const PATIENCE = 500;

export const complete: Verb = async ({ words }, ports) => {
  const [verb = '', ...rest] = words;
  const current = words.at(-1) ?? '';
  const offers = words.length <= 1 ? verbs(verb) : await offersFor(verb, rest, ports);
  await printLines(
    ports.terminal.out,
    offers.filter((offer) => offer.startsWith(current) || offer === ':file'),
  );
  return EXIT.done;
};

const verbs = (begun: string): readonly string[] =>
  commands.filter(({ group, name }) => group !== 'hidden' && name.startsWith(begun)).map(({ name }) => name);

async function offersFor(verb: string, rest: readonly string[], ports: CliPorts): Promise<readonly string[]> {
  const command = findCommand(verb);
  if (command === undefined) return [];
  const current = rest.at(-1) ?? '';
  const value = valueBefore(command, rest.at(-2) ?? '');
  if (value !== null && value !== 'heartbeat') return resolveOffers(value, ports);
  if (current.startsWith('-')) {
    const told = command.options.filter(({ summary }) => summary !== '');
    return told.flatMap(({ flags }) => flags.match(/--[a-z-]+/g) ?? []);
  }
  // Words that are no options and no values of options.
  const words = rest
    .slice(0, -1)
    .filter((word, index) => !word.startsWith('-') && valueBefore(command, rest[index - 1] ?? '') === null);
  const slot = command.words[Math.min(words.length, command.words.length - 1)];
  if (slot === undefined) return [];
  const offers = await (slot.completes === 'heartbeat'
    ? heartbeatsOf(words[0] ?? '', ports)
    : resolveOffers(slot.completes, ports));
  return offers.filter((offer) => !words.includes(offer));
}

/** What the value of this option may be; null where it is no option with a value. */
function valueBefore({ options }: Command, word: string): Completes | null {
  if (!word.startsWith('-')) return null;
  return options.find(({ flags }) => flags.split(/[ ,]+/).includes(word))?.completes ?? null;
}

/** Those of the service that was named before. */
const heartbeatsOf = (name: string, ports: CliPorts): Promise<readonly string[]> =>
  namesAt(
    `/v1/services/${encodeURIComponent(name)}`,
    ports,
    ({ service }) => fieldsOf(fieldsOf(service).health).heartbeats,
    'name',
  );

async function resolveOffers(what: Exclude<Completes, 'heartbeat'>, ports: CliPorts): Promise<readonly string[]> {
  if (what === 'file') return [':file'];
  if (what === 'nothing') return [];
  if (what === 'service') {
    const names = await namesAt('/v1/status', ports, ({ services }) => services, 'name');
    return [...names, ...poolsOf(names.map((name) => ({ name })))];
  }
  if (what === 'channel') return namesAt('/v1/notices', ports, ({ channels }) => channels, 'channel');
  return what;
}

async function namesAt(
  path: string,
  ports: CliPorts,
  listIn: (body: Readonly<Record<string, unknown>>) => unknown,
  field: string,
): Promise<readonly string[]> {
  for (const { socket } of candidates({ verb: 'status', words: [], options: {} }, ports)) {
    const answer = await call({ socket, method: 'GET', path, patience: PATIENCE });
    if (answer.type !== 'ok') continue;
    return listOf(listIn(fieldsOf(answer.body))).map((one) => wordOf(fieldsOf(one)[field]));
  }
  return [];
}
