// `upkeep plan`: what the keeper would do with a file.

import { resolve } from 'node:path';
import { countOf } from '../core/status.js';
import { EXIT } from './exit.js';
import { hasFlag, type Verb } from './input.js';
import { ask, type Keeper, reachKeeper } from './keeper-link.js';
import { painter } from './paint.js';
import { type Plan, planIn, planLines } from './plan-view.js';
import type { CliPorts } from './ports.js';
import { printJson, printLines, warn } from './print.js';

/** Reading a large configuration takes the keeper a moment. */
const PATIENCE = 60_000;

export const plan: Verb = async (input, ports) => {
  const { out } = ports.terminal;
  const keeper = await reachKeeper(input, ports);
  const [file] = input.words;
  const body = await askForPlan(keeper, 'plan', file === undefined ? null : resolve(ports.terminal.who.cwd, file));
  const made = planIn(body);
  if (hasFlag(input, 'json')) await printJson(out, body);
  else if (made.problems.length === 0) await printLines(out, planLines(made, out.columns(), painter(out.colours)));
  await tellTroubles(made, ports);
  return made.problems.length === 0 ? EXIT.done : EXIT.failed;
};

/** `file`: another one than the keeper's own. */
export const askForPlan = (keeper: Keeper, what: 'plan' | 'apply', file: string | null): Promise<unknown> =>
  ask(keeper, 'POST', `/v1/${what}`, file === null ? {} : { file }, PATIENCE);

export async function tellTroubles({ problems, warnings }: Plan, { terminal }: CliPorts): Promise<void> {
  await warn(
    terminal.err,
    warnings.map((warning) => `warning: ${warning}`),
  );
  if (problems.length === 0) return;
  const many = countOf(problems.length, 'problem');
  await printLines(terminal.err, [...problems, `upkeep: ${many}; nothing was changed`]);
}
