// The edges of the graph of services, as a person reads them: in words, and which part of it belongs to some names. Pure.

import type { GraphDocument, GraphNode } from '../core/graph-view.js';

/** `node` says of `target` that it … */
export interface Edge {
  readonly kind: EdgeKind;
  readonly target: string;
}

export type EdgeKind = 'needs' | 'wants' | 'after' | 'restartWith';

export const edgeWords: Readonly<Record<EdgeKind, string>> = {
  needs: 'needs',
  wants: 'wants',
  after: 'after',
  restartWith: 'restarts with',
};

/** What it says of others, the strongest first. */
export function edgesOf({ needs, wants, after, restartWith }: GraphNode): readonly Edge[] {
  const edge =
    (kind: EdgeKind) =>
    (target: string): Edge => ({ kind, target });
  return [
    ...needs.map(({ service }) => edge('needs')(service)),
    ...wants.map(edge('wants')),
    ...after.map(edge('after')),
    ...restartWith.map(edge('restartWith')),
  ];
}

/** The services that have to do with these, over however many others: what they build on, and what builds on them. */
export function partOf(document: GraphDocument, names: readonly string[]): GraphDocument {
  const targets = new Map(document.services.map((node) => [node.name, edgesOf(node).map(({ target }) => target)]));
  const sources = new Map<string, string[]>();
  for (const [name, its] of targets)
    for (const target of its) sources.set(target, [...(sources.get(target) ?? []), name]);
  const meant = new Set([...reached(names, targets), ...reached(names, sources)]);
  // What is on another host stays: that it is not here is worth knowing.
  const isPart = (name: string): boolean => meant.has(name) || !targets.has(name);
  const services = document.services.filter(({ name }) => meant.has(name)).map((node) => trimmed(node, isPart));
  return { ...document, services };
}

const trimmed = (node: GraphNode, isPart: (name: string) => boolean): GraphNode => ({
  ...node,
  needs: node.needs.filter(({ service }) => isPart(service)),
  wants: node.wants.filter(isPart),
  after: node.after.filter(isPart),
  restartWith: node.restartWith.filter(isPart),
});

function reached(names: readonly string[], edges: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const found = new Set(names);
  // A set is walked in the order in which it grows.
  for (const name of found) for (const next of edges.get(name) ?? []) found.add(next);
  return found;
}
