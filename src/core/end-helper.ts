// Commands that run beside a service: the order that ends one. Knows nothing of when.

import type { Effect } from './effect.js';
import type { ProcessRef } from './process.js';
import type { Service } from './state.js';

/** Ends this command, and what it started; null: none runs. */
export function endHelper({ spec }: Service, helper: ProcessRef | null): readonly Effect[] {
  return helper === null ? [] : [{ type: 'endHelper', service: spec.name, process: helper, spec }];
}
