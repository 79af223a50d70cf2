// `upkeep ack`: somebody has taken note of an incident, so nobody is reminded of it any more. It is told when it is over all the same.

import { EXIT, usageError } from './exit.js';
import { hasFlag, textOf, type Verb } from './input.js';
import { fieldsOf } from './keeper-facts.js';
import { ask, reachAndWarn } from './keeper-link.js';
import { printJson, printLines } from './print.js';
import { printable } from './text-width.js';

export const ack: Verb = async (input, ports) => {
  const { out } = ports.terminal;
  const [what, ...others] = input.words;
  if (what === undefined || others.length > 0)
    throw usageError('`upkeep ack` needs one NAME of a service, or one incident');
  const keeper = await reachAndWarn(input, ports);
  const answer = fieldsOf(await ask(keeper, 'POST', '/v1/ack', { what, reason: textOf(input, 'reason') }));
  if (hasFlag(input, 'json')) {
    await printJson(out, { version: 1, ...answer });
    return EXIT.done;
  }
  const { incident, service } = answer;
  const whose = typeof service === 'string' ? `${service}: ` : '';
  const line = `${whose}incident ${String(incident)} is acknowledged; there are no more reminders of it`;
  await printLines(out, [printable(line)]);
  return EXIT.done;
};
