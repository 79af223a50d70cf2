// What applying a configuration would do, service by service, and the events that do just that. Pure.

import { isResize } from './definition.js';
import { changedKeys, isEqual, needsRestart } from './difference.js';
import type { SingleEvent } from './event.js';
import { inOrderOfDoing, type PlanEntry, withOthers } from './plan-order.js';
import { isReplacedBeside } from './replaced.js';
import { type ServiceName, type ServiceSpec, serviceName } from './spec.js';
import { desiredOf, latestSpec, newService, type Service, type ServiceSet } from './state.js';
import type { Instant } from './time.js';
import { isThere } from './turn.js';

export type { PlanEntry };

/** Every service of both sides, also those that only others move, in the order in which things are done; what nothing happens to comes last. */
export const planOf = (set: ServiceSet, specs: readonly ServiceSpec[]): readonly PlanEntry[] =>
  inOrderOfDoing(withOthers(ownEntries(set, specs), set, specs), set, specs);

function ownEntries(set: ServiceSet, specs: readonly ServiceSpec[]): readonly PlanEntry[] {
  const coming = new Set<string>(specs.map((spec) => spec.name));
  const entries = specs.map((spec) => entryOf(set.get(spec.name), spec));
  for (const [name, service] of set) {
    if (!coming.has(name))
      entries.push({
        name,
        action: 'remove',
        keys: [],
        why: service.spec.kind.type === 'watched' ? 'left running, no longer watched' : 'stopped and forgotten',
      });
  }
  return entries;
}

function entryOf(service: Service | undefined, spec: ServiceSpec): PlanEntry {
  const { name } = spec;
  if (service === undefined) return { name, action: spec.desired === 'up' ? 'start' : 'none', keys: [], why: 'new' };
  const before = latestSpec(service);
  if (isEqual(before, spec) || isResize(before, spec)) return { name, action: 'none', keys: [], why: 'unchanged' };
  const keys = changedKeys(before, spec);
  const desiredChanged = before.desired !== spec.desired;
  const wanted = desiredChanged ? spec.desired : desiredOf(service);
  if (desiredChanged && wanted === 'down') return { name, action: 'stop', keys, why: 'no longer wanted up' };
  if (desiredChanged) return { name, action: 'start', keys, why: 'wanted up now' };
  const baked = needsRestart(before, spec);
  if (baked.length > 0 && isThere(service) && wanted === 'up' && spec.kind.type === 'supervised')
    return {
      ...{ name, keys, action: isReplacedBeside({ ...service, next: spec }) ? 'handover' : 'restart' },
      why: `a new process is needed for ${baked.join(', ')}`,
    };
  if (baked.length > 0 && wanted === 'up' && service.state.name === 'failed')
    return { name, action: 'start', keys, why: 'tried again with its new definition' };
  if (baked.length > 0 && wanted === 'up' && service.state.name === 'done')
    return { name, action: 'start', keys, why: 'runs again with its new definition' };
  return { name, action: 'live', keys, why: 'takes effect at once' };
}

/** The events that carry the plan out. What did not change gets none, but what is skipped is asked again. */
export function applyEvents(set: ServiceSet, specs: readonly ServiceSpec[], now: Instant): readonly SingleEvent[] {
  const events: SingleEvent[] = [];
  const coming = new Set<string>(specs.map((spec) => spec.name));
  for (const name of set.keys()) {
    if (!coming.has(name)) events.push({ type: 'removed', service: serviceName(name) });
  }
  for (const spec of specs) {
    const service = set.get(spec.name);
    const name: ServiceName = spec.name;
    if (service === undefined) events.push({ type: 'added', service: name, as: newService(spec, now) });
    else if (service.fate === 'removed' || service.state.name === 'skipped' || !isEqual(latestSpec(service), spec))
      events.push({ type: 'changed', service: name, spec });
  }
  return events;
}
