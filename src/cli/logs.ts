// `upkeep logs`: what services printed. Reads the files itself, with the rights of whoever asks; the keeper, where one
// answers, only says which services there are and where their logs lie.

import { readdir } from 'node:fs/promises';
import { parseDuration } from '../config/quantity.js';
import { call } from '../control/client.js';
import { errorCode, errorText } from '../core/status.js';
import { CommandError, EXIT, usageError } from './exit.js';
import { hasFlag, type Input, textOf, type Verb } from './input.js';
import { fieldsOf } from './keeper-facts.js';
import { candidates, type Keeper, reachKeeper, servicesFor, warnPending } from './keeper-link.js';
import { type LineForm, lineWriter } from './log-line.js';
import { type Named, select, unknownText } from './names.js';
import type { CliPorts, LogReader, LogSource } from './ports.js';

const DEFAULT_LINES = 50;
const PATIENCE = 10_000;

export const logs: Verb = async (input, ports) => {
  const { terminal } = ports;
  const since = sinceOf(input, Date.now());
  const lines = linesOf(input, since);
  const reader = await ports.logs();
  const sources = await sourcesFor(input, ports, reader);
  const stop = new AbortController();
  const stopListening = terminal.onInterrupt(() => stop.abort());
  const signal = AbortSignal.any([stop.signal, terminal.out.closed]);
  const write = lineWriter({
    output: terminal.out,
    services: [...new Set(sources.map(({ service }) => service))],
    form: formOf(input),
    forTerminal: reader.forTerminal,
  });
  const follow = hasFlag(input, 'follow') ? 'yes' : 'no';
  try {
    for await (const line of reader.read(sources, { lines, since, follow, signal })) {
      if ((await write(line)) === 'closed' || signal.aborted) break;
    }
    return EXIT.done;
  } catch (error) {
    if (signal.aborted) return EXIT.done;
    throw new CommandError(EXIT.failed, whyNot(error));
  } finally {
    stopListening();
  }
};

/** @throws CommandError 2 */
function formOf(input: Input): LineForm['form'] {
  if (hasFlag(input, 'raw') && hasFlag(input, 'json')) throw usageError('--raw and --json do not go together');
  return hasFlag(input, 'raw') ? 'raw' : hasFlag(input, 'json') ? 'json' : 'timed';
}

/** @throws CommandError 2 */
export function linesOf(input: Input, since: number | null): number | 'all' {
  const text = textOf(input, 'lines');
  if (text === null) return since === null ? DEFAULT_LINES : 'all';
  if (text === 'all') return 'all';
  if (!/^\d{1,9}$/.test(text)) throw usageError(`--lines ${text}: a number of lines, or all`);
  return Number(text);
}

/** A length of time back from now, or a time. @throws CommandError 2 */
export function sinceOf(input: Input, now: number): number | null {
  const text = textOf(input, 'since');
  if (text === null) return null;
  const back = parseDuration(text);
  if (back.type === 'ok') return now - back.value;
  // A time without a zone is one of here, as Date reads it where hours are given.
  const written = /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00` : text.replace(' ', 'T');
  const clock = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(text);
  if (clock !== null) return new Date(now).setHours(Number(clock[1]), Number(clock[2]), Number(clock[3] ?? 0), 0);
  const at = Date.parse(written);
  if (/^\d{4}-\d{2}-\d{2}T/.test(written) && !Number.isNaN(at)) return at;
  throw usageError(`--since ${text}: write how long ago, like 2h, or a time like 14:30 or 2026-11-20T14:30`);
}

/** @throws CommandError 2, 4 */
async function sourcesFor(input: Input, ports: CliPorts, reader: LogReader): Promise<readonly LogSource[]> {
  try {
    const keeper = await reachKeeper(input, ports);
    await warnPending(keeper.status, ports);
    const services = await servicesFor(input, keeper, 'all');
    const directory = await directoryOf(keeper);
    const sources = services.map(({ name }) => sourcesOf(keeper, name, reader.pathOf(directory, name)));
    return (await Promise.all(sources)).flat();
  } catch (error) {
    if (!(error instanceof CommandError) || error.code !== EXIT.noKeeper) throw error;
    return sourcesOnDisk(input, ports, reader, error);
  }
}

/** Where the keeper that answers has its logs: it may have been started with other variables than this command. */
async function directoryOf({ places }: Keeper): Promise<string> {
  const answer = await call({ socket: places.socket, method: 'GET', path: '/v1/keeper', patience: PATIENCE });
  const { logs: directory } = fieldsOf(answer.type === 'ok' ? fieldsOf(answer.body).paths : null);
  return typeof directory === 'string' ? directory : places.logs;
}

/** Its log, and the file that a watched daemon writes itself (`logFrom`), which those may know who may see details. */
async function sourcesOf({ places }: Keeper, service: string, path: string): Promise<readonly LogSource[]> {
  const answer = await call({
    socket: places.socket,
    method: 'GET',
    path: `/v1/services/${encodeURIComponent(service)}`,
    patience: PATIENCE,
  });
  const { detail } = fieldsOf(answer.type === 'ok' ? answer.body : null);
  const { logFrom } = fieldsOf(fieldsOf(fieldsOf(detail).spec).kind);
  const own: LogSource = { service, path, kind: 'own' };
  return typeof logFrom === 'string' ? [own, { service, path: logFrom, kind: 'foreign' }] : [own];
}

/** Logs outlive their keeper. @throws `noKeeper` where there are none either */
async function sourcesOnDisk(
  input: Input,
  ports: CliPorts,
  reader: LogReader,
  noKeeper: CommandError,
): Promise<readonly LogSource[]> {
  for (const { logs: directory } of candidates(input, ports)) {
    const files = await readdir(directory).catch(() => []);
    const named = files
      .filter((file) => file.endsWith('.log'))
      .map((file): Named => ({ name: file.slice(0, -4), tags: [] }));
    if (named.length === 0) continue;
    const selection =
      input.words.length === 0 ? ({ type: 'some', services: named } as const) : select(input.words, named);
    if (selection.type === 'unknown')
      throw usageError(`no keeper answers, and in ${directory} ${unknownText(selection.names)}`);
    return selection.services.map(({ name }) => ({ service: name, path: reader.pathOf(directory, name), kind: 'own' }));
  }
  throw noKeeper;
}

function whyNot(error: unknown): string {
  const code = errorCode(error);
  const path = error instanceof Error && 'path' in error ? String(error.path) : 'the log';
  if (code === 'EACCES')
    return `${path} may not be read by this user; logs are for root and the user of the service's keeper`;
  return errorText(error);
}
