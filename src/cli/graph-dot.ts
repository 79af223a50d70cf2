// Who needs whom in the language of Graphviz: `upkeep graph --dot | dot -Tsvg`. Pure.

import type { GraphDocument, GraphNode } from '../core/graph-view.js';
import { type EdgeKind, edgesOf } from './graph-edge.js';

export function dotLines({ services }: GraphDocument): readonly string[] {
  return [
    'digraph upkeep {',
    '  rankdir=LR;',
    '  node [shape=box, style=rounded];',
    ...services.map((node) => `  ${quoted(node.name)} [label=${labelOf(node)}${colourOf(node)}];`),
    ...services.flatMap((node) =>
      edgesOf(node).map(({ kind, target }) => `  ${quoted(node.name)} -> ${quoted(target)}${STYLES[kind]};`),
    ),
    '}',
  ];
}

const STYLES: Readonly<Record<EdgeKind, string>> = {
  needs: '',
  wants: ' [style=dashed, label="wants"]',
  after: ' [style=dotted, label="after"]',
  // It orders nothing, and a ring of it is no mistake.
  restartWith: ' [style=dashed, color=blue, label="restarts with", constraint=false]',
};

const labelOf = ({ name, state }: GraphNode): string => quoted(state === null ? name : `${name}\n${state}`);

function colourOf({ state, desired }: GraphNode): string {
  if (state === null) return '';
  if (state === 'running' || state === 'handover' || state === 'done') return ', color=darkgreen';
  return desired === 'down' || state === 'skipped' ? ', color=gray' : ', color=red';
}

/** A quoted string of the language: a backslash and a quote are escaped, and a new line is written as one. */
const quoted = (text: string): string =>
  `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
