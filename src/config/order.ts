// Services of one host and the order in which they can start: a cycle of `needs` and `after` is a mistake, told with its whole
// path; one that closes over a `wants` is broken there, and that is told too.

import { orderOf } from '../core/graph.js';
import type { Coupling } from '../core/spec.js';
import type { Problems } from './problem.js';
import { type Couplings, type Reference, referencesIn, restricted } from './references.js';
import type { ReadService } from './service.js';

/** `from` starts after `target`. */
interface Edge {
  readonly from: string;
  readonly target: string;
}

/** The same couplings without a cycle. */
export function ordered(
  couplings: Couplings,
  here: ReadonlyMap<string, ReadService>,
  problems: Problems,
  warnings: Problems,
): Couplings {
  const left = new Map(couplings);
  for (;;) {
    const order = orderOf(left);
    if (order.type === 'order') return left;
    const way = order.path.join(' → ');
    const edges = edgesOf(order.path);
    const wish = edges.findLast((edge) => isOnlyWanted(left.get(edge.from), edge.target));
    for (const edge of wish === undefined ? edges : [wish]) giveUp(left, edge);
    if (wish === undefined)
      tell(
        edges[0],
        `each of these waits for the next, so none could ever start: ${way}; take one of these \`needs\` or \`after\` out`,
        here,
        problems,
      );
    else
      tell(
        wish,
        `${way} is a cycle, so ${wish.from} does not wait for ${wish.target}, which it only wants; both are started`,
        here,
        warnings,
      );
  }
}

const edgesOf = (path: readonly string[]): readonly Edge[] =>
  path.slice(1).map((target, index) => ({ from: path[index] ?? '', target }));

function tell(edge: Edge | undefined, text: string, here: ReadonlyMap<string, ReadService>, to: Problems): void {
  const effective = edge === undefined ? undefined : here.get(edge.from)?.effective;
  if (edge === undefined || effective === undefined) return;
  const isIt = ({ key, target }: Reference): boolean => target === edge.target && key !== 'restartWith';
  const reference = [...referencesIn(effective)].find(isIt);
  if (reference !== undefined) to.report(reference.at, `services.${edge.from}.${reference.key}`, text);
}

function isOnlyWanted(coupling: Coupling | undefined, target: string): boolean {
  if (coupling === undefined) return false;
  const { needs, wants, after } = coupling;
  return (
    wants.some((name) => name === target) &&
    !after.some((name) => name === target) &&
    !needs.some(({ service }) => service === target)
  );
}

/** What is said by `restartWith` orders nothing, and stays. */
function giveUp(couplings: Map<string, Coupling>, { from, target }: Edge): void {
  const coupling = couplings.get(from);
  if (coupling === undefined) return;
  const { restartWith } = coupling;
  couplings.set(from, { ...restricted(coupling, (name) => name !== target), restartWith });
}
