// `upkeep notice`: the channels by which people are told, and how they do. `--test CHANNEL` has the keeper send something by
// one, and shows what was done and what the other side answered.

import { call } from '../control/client.js';
import { CommandError, EXIT, type ExitCode, usageError } from './exit.js';
import { hasFlag, textOf, type Verb } from './input.js';
import { fieldsOf, listOf, wordOf } from './keeper-facts.js';
import { ask, bodyOf, type Keeper, reachAndWarn } from './keeper-link.js';
import { type Colour, type Paint, painter } from './paint.js';
import type { CliPorts } from './ports.js';
import { printJson, printLines } from './print.js';
import { progressLine } from './progress-line.js';
import { tableOf } from './table.js';
import { printable } from './text-width.js';
import { sinceText } from './time-text.js';

export const notice: Verb = async (input, ports) => {
  const { out } = ports.terminal;
  const keeper = await reachAndWarn(input, ports);
  const body = await ask(keeper, 'GET', '/v1/notices');
  const channels = listOf(fieldsOf(body).channels).map(channelIn);
  const tested = textOf(input, 'test');
  const isJson = hasFlag(input, 'json');
  if (tested !== null) return test({ channel: tested, channels, keeper, form: isJson ? 'json' : 'text' }, ports);
  if (isJson) await printJson(out, { version: 1, channels });
  else await printLines(out, channelLines(channels, keeper, out.columns(), painter(out.colours)));
  return EXIT.done;
};

interface ChannelFact {
  readonly channel: string;
  readonly state: string;
  readonly waiting: number;
  readonly lastError: string | null;
  readonly lastDelivered: string | null;
}

function channelIn(read: unknown): ChannelFact {
  const { channel, state, waiting, lastError, lastDelivered } = fieldsOf(read);
  return {
    channel: wordOf(channel),
    state: wordOf(state),
    waiting: typeof waiting === 'number' ? waiting : 0,
    lastError: wordOf(lastError) || null,
    lastDelivered: wordOf(lastDelivered) || null,
  };
}

function channelLines(
  channels: readonly ChannelFact[],
  { status }: Keeper,
  columns: number | null,
  paint: Paint,
): readonly string[] {
  if (channels.length === 0)
    return ['nobody is told of anything: there is no channel; `upkeep help notices` says how to declare one'];
  const now = Date.parse(status.time);
  const cell = (text: string, colour: Colour | null = null) => ({ text: printable(text), colour });
  const rows = channels.map(({ channel, state, waiting, lastError, lastDelivered }) => [
    cell(channel),
    cell(STATES[state] ?? state, COLOURS[state] ?? null),
    cell(String(waiting)),
    cell(lastDelivered === null ? '-' : `${sinceText(lastDelivered, now)} ago`),
    cell(lastError ?? '', 'red'),
  ]);
  const titles = [
    { title: 'CHANNEL', least: null },
    { title: 'STATE', least: null },
    { title: 'WAITING', least: null },
    { title: 'TOLD', least: null },
    { title: 'LAST ERROR', least: 20 },
  ];
  return tableOf(titles, rows, columns, paint);
}

/** `unknown`: nothing was sent yet. */
const STATES: Readonly<Record<string, string>> = { unknown: 'not used yet' };
const COLOURS: Readonly<Record<string, Colour>> = { ok: 'green', failing: 'yellow', lost: 'red', unknown: 'dim' };

interface Test {
  readonly channel: string;
  readonly channels: readonly ChannelFact[];
  readonly keeper: Keeper;
  readonly form: 'json' | 'text';
}

async function test({ channel, channels, keeper, form }: Test, { terminal }: CliPorts): Promise<ExitCode> {
  const declared = channels.map((one) => one.channel);
  if (!declared.includes(channel))
    throw usageError(`there is no channel ${channel}; declared are ${declared.join(', ') || 'none'}`);
  const line = progressLine(terminal.err);
  line.show(`waiting for what the channel ${channel} answers …`);
  const giveUp = new AbortController();
  const stopListening = terminal.onInterrupt(() => giveUp.abort());
  // The keeper has deadlines for everything on the way: it answers in the end.
  const { socket } = keeper.places;
  const answer = await call({
    socket,
    method: 'POST',
    path: '/v1/notices/test',
    body: { channel },
    patience: 0,
    signal: giveUp.signal,
  }).finally(stopListening);
  await line.clear();
  if (giveUp.signal.aborted) throw new CommandError(EXIT.underWay, 'no longer waiting; the test goes on');
  const { talk, delivery } = fieldsOf(bodyOf(answer, keeper.places));
  const { type, answer: said, reason } = fieldsOf(delivery);
  if (form === 'json') await printJson(terminal.out, { version: 1, channel, talk, delivery });
  else
    await printLines(
      terminal.out,
      listOf(talk).map((one) => printable(wordOf(one))),
    );
  if (type !== 'delivered')
    throw new CommandError(EXIT.failed, `${channel} did not take it: ${printable(wordOf(reason))}`);
  if (form === 'text') await printLines(terminal.out, [`${channel} has taken it: ${printable(wordOf(said))}`]);
  return EXIT.done;
}
