// `upkeep apply`: has the keeper read its own file anew. Asks first where many services would be restarted and there is
// a person to ask.

import { CommandError, EXIT } from './exit.js';
import { hasFlag, type Input, type Verb } from './input.js';
import { type Keeper, reachKeeper } from './keeper-link.js';
import { painter } from './paint.js';
import { askForPlan, tellTroubles } from './plan.js';
import { planIn, planLines, restartsIn } from './plan-view.js';
import type { CliPorts } from './ports.js';
import { printJson, printLines } from './print.js';

/** More restarts than these are not done on a terminal without a question. */
const UNASKED_RESTARTS = 5;

export const apply: Verb = async (input, ports) => {
  const { out } = ports.terminal;
  const keeper = await reachKeeper(input, ports);
  if (!hasFlag(input, 'yes')) await askPerson(keeper, input, ports);
  const body = await askForPlan(keeper, 'apply', null);
  const done = planIn(body);
  if (hasFlag(input, 'json')) await printJson(out, body);
  else if (done.problems.length === 0) await printLines(out, planLines(done, out.columns(), painter(out.colours)));
  await tellTroubles(done, ports);
  return done.problems.length === 0 ? EXIT.done : EXIT.failed;
};

/** @throws CommandError 1 when the person says no */
async function askPerson(keeper: Keeper, input: Input, { terminal }: CliPorts): Promise<void> {
  if (terminal.err.columns() === null || hasFlag(input, 'json')) return;
  const plan = planIn(await askForPlan(keeper, 'plan', null));
  const restarts = restartsIn(plan).length;
  if (plan.problems.length > 0 || restarts <= UNASKED_RESTARTS) return;
  await printLines(terminal.err, planLines(plan, terminal.err.columns(), painter(terminal.err.colours)));
  const answer = await terminal.ask(`Restart ${restarts} services? [y/N] `);
  if (answer === null || /^\s*y(es)?\s*$/i.test(answer)) return;
  throw new CommandError(EXIT.failed, 'nothing was changed');
}
