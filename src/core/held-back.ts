// Whom the trouble of one service keeps down: for the notice of it, which is the one that people need. Nobody is told of
// those who only wait.

import { desiredOf, type Service } from './state.js';
import { isUp, startsAfter } from './turn.js';
import type { View } from './world.js';

/** Services that are wanted up and are not, because they need this one, directly or over others; nearest first. */
export function heldBackBy(view: View, name: string): readonly string[] {
  const names = new Set<string>();
  const queue: string[] = [name];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    for (const dependent of view.dependentsOf(next).needs) {
      const service = view.get(dependent);
      if (service === undefined || names.has(dependent) || !isHeldBack(view, service)) continue;
      names.add(dependent);
      queue.push(dependent);
    }
  }
  return [...names];
}

function isHeldBack(view: View, service: Service): boolean {
  if (isUp(service) || service.hold !== null || desiredOf(service) === 'down') return false;
  return service.state.name === 'stopping' || startsAfter(view, service).length > 0;
}
