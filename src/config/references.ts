// What services say of one another, as trees and as the core has it: each name with the place where it stands. Judges nothing.

import type { Coupling } from '../core/spec.js';
import type { Place } from './problem.js';
import { isNull, type Layer, type Tree, valueAt } from './tree.js';

const COUPLING_KEYS = ['needs', 'wants', 'after', 'restartWith'] as const;

type CouplingKey = (typeof COUPLING_KEYS)[number];

export type Couplings = ReadonlyMap<string, Coupling>;

/** One name that stands in one of the four keys. */
export interface Reference {
  readonly key: CouplingKey;
  readonly target: string;
  readonly at: Place;
  readonly layer: Layer['type'];
}

/** Every name in the four keys of a service, or of a layer of one. */
export function* referencesIn(tree: Tree): Generator<Reference> {
  for (const key of COUPLING_KEYS) {
    const said = valueAt(tree, key);
    if (said?.type === 'dict') {
      for (const { key: target, at, value } of said.entries)
        if (!isNull(value)) yield { key, target, at, layer: value.layer.type };
    } else if (said?.type === 'list') {
      for (const item of said.items)
        if (item.type === 'leaf') yield { key, target: item.text, at: item.at, layer: item.layer.type };
    }
  }
}

/** The same without the names that are not kept. */
export function restricted(coupling: Coupling, isKept: (name: string) => boolean): Coupling {
  const { needs, wants, after, restartWith } = coupling;
  return {
    needs: needs.filter(({ service }) => isKept(service)),
    wants: wants.filter(isKept),
    after: after.filter(isKept),
    restartWith: restartWith.filter(isKept),
  };
}
