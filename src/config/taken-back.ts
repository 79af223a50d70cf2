// `needs: { db: }` reads like a need and is none: null takes back what lower layers say. Where they say nothing, somebody
// probably meant the name alone, and is told.

import type { Problems } from './problem.js';
import { type Dict, entryOf, isNull } from './tree.js';

// The maps of names, and what is written behind one that is meant. In the first two a name means something by itself.
const NAMED = { needs: '{}', directories: '{}', sockets: 'ADDRESS' } as const;

/** `layers`: lowest first. */
export function warnOfTakingNothingBack(name: string, layers: readonly Dict[], warnings: Problems): void {
  for (const [key, meant] of Object.entries(NAMED)) {
    const said = new Set<string>();
    for (const layer of layers) {
      const value = entryOf(layer, key)?.value;
      if (value === undefined) continue;
      if (isNull(value)) said.clear();
      if (value.type !== 'dict') continue;
      for (const entry of value.entries) {
        if (isNull(entry.value) && !said.has(entry.key))
          warnings.report(
            entry.at,
            `services.${name}.${key}`,
            `${entry.key} without a value takes back what defaults or templates say, and they say nothing of it; write \`${entry.key}: ${meant}\` if it is meant`,
          );
        said.add(entry.key);
      }
    }
  }
}
