// `needs`, `wants`, `after` and `restartWith` as they are written: names of services, and what a need asks for. Whether there
// are such services, and whether they can be put in an order, is judged in neighbours.ts.

import { duration } from './amounts.js';
import { keyed } from './keyed.js';
import { defaulted, record } from './record.js';
import { complain, listOf, oneOf, refine, type Shape, word } from './shape.js';

/** Like the name of a service, or of one of its members. */
export const SERVICE_REF = /^[A-Za-z0-9][A-Za-z0-9_.@-]*$/;

const serviceRef = word('the name of a service', SERVICE_REF);

const need = record('a map like {grace: 5s}', {
  grace: defaulted(
    duration,
    '0s',
    'How long that may be away before this is stopped for it; with 0s every end counts.',
  ),
  onReload: defaulted(oneOf('nothing', 'restart'), 'nothing', 'What happens to this when that was reloaded.'),
});

/** The services that it cannot be without. */
export const needs = keyed(serviceRef, need, {
  write: 'the name of a service, a list of them, or a map like {db: {grace: 5s}}',
});

/** Names of services, each once. */
export const serviceRefs: Shape<readonly string[]> = refine(listOf(serviceRef, 'single'), (names, tree, reading) => {
  const twice = names.findIndex((name, index) => names.indexOf(name) < index);
  if (twice === -1) return names;
  const at = tree.type === 'list' ? tree.items[twice]?.at : undefined;
  return complain(reading, at ?? tree.at, `${names[twice]} stands here twice; take one out`);
});
