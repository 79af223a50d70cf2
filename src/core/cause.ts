// What a service that waits comes down to: the chain of those that wait for each other, and those at its end, which are what
// somebody can do something about. Knows no state but waiting.

import { listOf } from './message.js';
import type { Outlook } from './outlook.js';
import type { Service } from './state.js';

/** More causes than these are no explanation. */
const most = 6;

/** Those that it waits for in the end, directly or over others that only wait too: the nearest first. */
export function causesOf(service: Service, outlook: Outlook): readonly Service[] {
  const causes = new Set<Service>();
  const seen = new Set<Service>([service]);
  const queue = [service];
  for (let next = queue.shift(); next !== undefined && causes.size < most; next = queue.shift()) {
    for (const name of outlook.waitsFor(next)) {
      const other = outlook.get(name);
      if (other === undefined || seen.has(other)) continue;
      seen.add(other);
      if (outlook.waitsFor(other).length > 0) queue.push(other);
      else causes.add(other);
    }
  }
  return [...causes];
}

/** `web waits for api, which waits for db`, as far as there is one way to go. */
export function chainInWords(service: Service, outlook: Outlook): string {
  const { name } = service.spec;
  const seen = new Set<Service>();
  let text = '';
  for (let one: Service | undefined = service; one !== undefined && !seen.has(one); ) {
    seen.add(one);
    const others = outlook.waitsFor(one);
    if (others.length === 0) break;
    text += `${text === '' ? name : ', which'} waits for ${listOf(others)}`;
    const [first, second] = others;
    one = first === undefined || second !== undefined ? undefined : outlook.get(first);
  }
  return text === ''
    ? `${name} waits for a free place: ${outlook.parallel} start at once, as \`keeper.limits.parallel\` says`
    : text;
}
