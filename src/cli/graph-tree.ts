// Who needs whom as trees: what nobody needs at the left, what it builds on below it. A service is shown once with what it
// builds on, and only named after that. Pure.

import type { GraphDocument, GraphNode } from '../core/graph-view.js';
import type { ServiceStatus } from '../core/status.js';
import { standing } from '../core/status.js';
import { type Edge, edgesOf, edgeWords } from './graph-edge.js';
import type { Paint } from './paint.js';
import { colourOf } from './service-text.js';
import { cutTo, printable } from './text-width.js';

export interface TreeView {
  readonly document: GraphDocument;
  /** How they are, by name; empty: nobody keeps them. */
  readonly statuses: ReadonlyMap<string, ServiceStatus>;
  /** Those that were asked for: they stand out. */
  readonly asked: ReadonlySet<string>;
  /** null: no terminal; then nothing is cut and no lines are drawn. */
  readonly columns: number | null;
  readonly paint: Paint;
}

interface Branch {
  readonly edge: Edge | null;
  /** What stands before its own branch, and before what is below it. */
  readonly branch: string;
  readonly below: string;
}

export function treeLines(view: TreeView): readonly string[] {
  const { document, columns } = view;
  const nodes = new Map(document.services.map((node) => [node.name, node]));
  const shown = new Set<string>();
  const lines: string[] = [];
  const grow = (name: string, { edge, branch, below }: Branch): void => {
    const node = nodes.get(name);
    const edges = node === undefined ? [] : edgesOf(node);
    const isKnown = shown.has(name);
    shown.add(name);
    lines.push(lineOf(name, node, edge, branch, isKnown && edges.length > 0 ? 'above' : 'here', view));
    if (isKnown) return;
    edges.forEach((next, index) => {
      const isLast = index === edges.length - 1;
      grow(next.target, { edge: next, ...branchOf(next, isLast, below, columns) });
    });
  };
  const plant = (node: GraphNode): void => {
    if (!shown.has(node.name)) grow(node.name, { edge: null, branch: '', below: '' });
  };
  for (const isRoot of rootsIn(document)) document.services.filter(isRoot).forEach(plant);
  return lines;
}

/** Where to begin, first choice first: what nobody builds on, with those last that only follow another's end; and what is left. */
function rootsIn({ services }: GraphDocument): readonly ((node: GraphNode) => boolean)[] {
  const edges = services.flatMap(edgesOf).filter(({ kind }) => kind !== 'restartWith');
  const built = new Set(edges.map(({ target }) => target));
  const isRoot = ({ name }: GraphNode): boolean => !built.has(name);
  return [(node) => isRoot(node) && node.restartWith.length === 0, isRoot, () => true];
}

function branchOf({ kind }: Edge, isLast: boolean, below: string, columns: number | null): Omit<Branch, 'edge'> {
  if (columns === null) return { branch: `${below}  `, below: `${below}  ` };
  const stroke = kind === 'needs' ? '──' : '╌╌';
  return { branch: `${below}${isLast ? '└' : '├'}${stroke} `, below: `${below}${isLast ? '    ' : '│   '}` };
}

function lineOf(
  name: string,
  node: GraphNode | undefined,
  edge: Edge | null,
  branch: string,
  where: 'here' | 'above',
  { statuses, asked, columns, paint }: TreeView,
): string {
  const relation = edge === null ? '' : `${edgeWords[edge.kind]} `;
  const status = statuses.get(name);
  const how = where === 'above' ? '(above)' : node === undefined ? 'not on this host' : howText(node, status);
  const room = columns === null ? null : Math.max(8, columns - branch.length - relation.length - name.length - 2);
  const shownHow = room === null ? how : cutTo(how, room);
  const colour = where === 'above' || status === undefined ? 'dim' : colourOf(status);
  const line = `${paint('dim', branch + relation)}${paint(asked.has(name) ? 'bold' : null, name)}`;
  return shownHow === '' ? line : `${line}  ${paint(colour, shownHow)}`;
}

/** Its state, and why where that is not as it should be. For whom it waits stands below it. */
function howText({ state, kind, desired }: GraphNode, status: ServiceStatus | undefined): string {
  if (state === null) return desired === 'down' ? `${kind}, not wanted up` : kind;
  if (status === undefined || standing(status) === 'fine' || status.next?.why === 'others') return state;
  return `${state}: ${printable(status.reason)}`;
}
