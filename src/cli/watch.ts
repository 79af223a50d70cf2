// `upkeep status --watch`: shows it again whenever something changes, until Ctrl-C. A keeper that goes away is waited for.

import { setTimeout as pause } from 'node:timers/promises';
import { lookAtChanges } from './changes.js';
import { CommandError, EXIT, usageError } from './exit.js';
import { hasFlag, type Input } from './input.js';
import { type Keeper, reachAndWarn, reachKeeper, servicesFor } from './keeper-link.js';
import type { CliPorts } from './ports.js';
import { printLines } from './print.js';
import { documentOf, linesOf, standingCode } from './status-report.js';

// ECMA-48: to the top left, and erase what is below. The terminal's history stays as it is.
const HOME = '\u001b[H';
const ERASE_LINE = '\u001b[K';
const ERASE_BELOW = '\u001b[J';
const CLEAR = '\u001b[2J';

/** On a terminal ages and delays count on; a pipe gets a table, or a line of JSON, when something changed. */
const EVERY_MS = 1_000;

export async function watchStatus(input: Input, ports: CliPorts): Promise<number> {
  if (hasFlag(input, 'quiet') || hasFlag(input, 'keeper'))
    throw usageError('--watch shows the status of services; leave --quiet and --keeper away');
  const { terminal } = ports;
  const { out } = terminal;
  const stop = new AbortController();
  const stopListening = terminal.onInterrupt(() => stop.abort());
  const ending = AbortSignal.any([stop.signal, out.closed]);
  let keeper = await reachAndWarn(input, ports);
  let code: number = EXIT.done;
  const isLive = out.columns() !== null && !hasFlag(input, 'json');
  if (isLive) await out.write(CLEAR);
  try {
    while (!ending.aborted) {
      const { places } = keeper;
      const looked = await lookAtChanges({
        places,
        every: isLive ? EVERY_MS : null,
        isOurs: null,
        onStatus: async (status) => {
          code = await show({ places, status }, input, ports, isLive);
          return 'go on' as const;
        },
        signal: ending,
      });
      if (looked.type === 'gone') keeper = await reachAgain(keeper, input, ports, ending, isLive);
    }
    return code;
  } finally {
    stopListening();
  }
}

async function show(keeper: Keeper, input: Input, ports: CliPorts, isLive: boolean): Promise<number> {
  const { out } = ports.terminal;
  const services = await servicesFor(input, keeper, 'all');
  if (hasFlag(input, 'json')) {
    await out.write(`${JSON.stringify(await documentOf(input, keeper, services))}\n`);
    return standingCode(services);
  }
  const all = await linesOf(input, keeper, services, ports);
  const lines = isLive ? fitted(all, out.rows() ?? 24) : all;
  // Written over the old one line by line, so that nothing flickers.
  if (isLive) await out.write(`${HOME}${lines.map((line) => `${line}${ERASE_LINE}\n`).join('')}${ERASE_BELOW}`);
  else await printLines(out, [...lines, '']);
  return standingCode(services);
}

/** What would scroll cannot be written over: the rest is counted. */
function fitted(lines: readonly string[], rows: number): readonly string[] {
  if (lines.length < rows) return lines;
  const shown = lines.slice(0, Math.max(1, rows - 2));
  return [...shown, `and ${lines.length - shown.length} lines more: name some services, or make the window higher`];
}

async function reachAgain(
  keeper: Keeper,
  input: Input,
  ports: CliPorts,
  ending: AbortSignal,
  isLive: boolean,
): Promise<Keeper> {
  const { err } = ports.terminal;
  if (!isLive) await err.write('upkeep: the keeper went away; waiting for it to come back\n');
  while (!ending.aborted) {
    if (isLive)
      await ports.terminal.out.write(`${HOME}the keeper went away; waiting for it to come back${ERASE_LINE}\n`);
    try {
      return await reachKeeper(input, ports);
    } catch (error) {
      if (!(error instanceof CommandError) || error.code !== EXIT.noKeeper) throw error;
    }
    await pause(EVERY_MS, undefined, { signal: ending }).catch(() => {});
  }
  return keeper;
}
