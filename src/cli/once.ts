// `upkeep once`: asks the keeper that runs, else does it itself.

import { call } from '../control/client.js';
import { textOf, type Verb, whoseOf } from './input.js';
import { fieldsOf, listOf, wordOf } from './keeper-facts.js';
import { bodyOf, reachKeeper } from './keeper-link.js';
import { ownKeeper, placesOf } from './places.js';
import { printLines } from './print.js';
import { standingCode } from './status-report.js';
import { countsText } from './status-view.js';

export const once: Verb = async (input, ports) => {
  const { terminal } = ports;
  const whose = whoseOf(input) ?? ownKeeper(terminal.who.uid);
  const places = placesOf({ whose, config: textOf(input, 'config') }, terminal.who);
  const answer = await call({ socket: places.socket, method: 'POST', path: '/v1/once', body: {}, patience: 0 });
  if (answer.type === 'no-keeper') return ports.once({ places });
  const body = fieldsOf(bodyOf(answer, places));
  const { status } = await reachKeeper({ ...input, options: { [whose]: true } }, ports);
  const lines = listOf(body.lines).map(wordOf);
  await printLines(terminal.out, [
    ...lines,
    `a keeper runs (pid ${status.keeper.pid}) and has looked: ${countsText(status.services)}`,
  ]);
  return standingCode(status.services);
};
