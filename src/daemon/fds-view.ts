// What `upkeep fds` shows of a service: its sockets and what it stored, as the kernel describes each.

import type { DescriptorFacts, DescriptorView, FdsDocument } from '../core/descriptor-view.js';
import { socketOwnerOf } from '../core/socket.js';
import type { Service } from '../core/state.js';
import { iso, wallTime } from '../core/time.js';
import type { HeldDescriptors } from '../kernel/held-descriptors.js';
import type { StoredDescriptors } from '../kernel/stored-descriptors.js';

export interface FdsParts {
  readonly held: Pick<HeldDescriptors, 'of'>;
  readonly stored: Pick<StoredDescriptors, 'of'>;
  readonly factsOf: (fd: number) => DescriptorFacts;
}

export function fdsView({ spec, state }: Service, { held, stored, factsOf }: FdsParts): FdsDocument {
  const owner = socketOwnerOf(spec);
  const open = held.of('socket').filter((one) => one.owner === owner);
  const place = new Map(spec.sockets.map(({ name }, index) => [name, index]));
  const placeOf = (name: string): number => place.get(name) ?? spec.sockets.length;
  const sockets = open
    .toSorted((a, b) => placeOf(a.name) - placeOf(b.name))
    .map(({ fd, name }): DescriptorView => ({ name, held: 'socket', since: null, ...factsOf(fd) }));
  const kept = stored.of(spec.name).map(({ fd, name, since, by }): DescriptorView => {
    const is = by === null ? 'stored' : 'storedBeside';
    return { name, held: is, since: since === 0 ? null : iso(wallTime(since)), ...factsOf(fd) };
  });
  return {
    version: 1,
    service: spec.name,
    state: state.name,
    fdStore: spec.fdStore,
    descriptors: [...sockets, ...kept],
  };
}
