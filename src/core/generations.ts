// All main processes of a service: while one generation hands over to another, and while old ones drain, there are several.

import type { ProcessRef } from './process.js';
import { mainOf, type Service } from './state.js';

/** The one that serves first. */
export function mainsOf(service: Service): readonly ProcessRef[] {
  const { state, draining } = service;
  const next = state.name === 'handover' ? state.successor : null;
  return [mainOf(service), next, ...draining.map(({ process }) => process)].filter((one) => one !== null);
}
