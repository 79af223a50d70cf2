// The part of one service in a wave: which wave it joins, how far it has come in it, and when all have come so far that the
// wave is over. Moves nobody.

import { amend, type Draft } from './draft.js';
import { couplingOf } from './graph.js';
import type { Meaning } from './meaning.js';
import type { ServiceName } from './spec.js';
import type { Membership, Missing, Service, WaveId } from './state.js';
import { isGoingDown, isUp } from './turn.js';

/** Its part in a wave after this move. */
export function withPart(draft: Draft, was: Service | null, now: Service, meaning: Meaning): Service {
  switch (meaning) {
    case 'leaving':
    case 'ended':
      return { ...joined(draft, now), missing: [] };
    case 'failed':
      // Without what it needs: it waits for that as if it had been up.
      return now.missing.length > 0 ? { ...joined(draft, now), missing: [] } : settle(now);
    case 'relapsed':
      return { ...now, wave: { id: waveOf(draft, now), step: 'settled', ahead: [] } };
    case 'returned':
    case 'abandoned':
      return settle(now);
    case 'nothing':
      if (was !== null && isLost(now) && !isLost(was)) return settle(now);
      // Its restart command has left it alive.
      if (now.state.name === 'starting' && now.wave?.step === 'down')
        return { ...now, wave: { ...now.wave, step: 'up' } };
      return now;
  }
}

/** As a member of a wave that takes it down: of the one that has not started it again yet, else of a new one of its own. */
function joined(draft: Draft, service: Service): Service {
  const wave = service.wave?.step === 'down' ? service.wave : (inherited(draft, service) ?? beginning(draft, service));
  if (wave === null) return { ...service, wave: null };
  return { ...service, wave: { ...wave, step: stepOf(service) } };
}

/** Some are on their way again in the very move in which they end: a restart command does both, and others may do it for us. */
function stepOf(service: Service): Membership['step'] {
  if (isLost(service) || isUp(service)) return 'settled';
  return service.state.name === 'starting' ? 'up' : 'down';
}

/** It was about to be moved by the end of what it needs. */
function inherited(draft: Draft, { missing }: Service): Membership | null {
  const [first] = missing;
  return first === undefined ? null : { id: waveOfLoss(draft, first), step: 'down', ahead: [] };
}

/** The wave in which what is missing ended; where that is over, or left it, the loss begins another. */
export function waveOfLoss(draft: Draft, { service, wave }: Missing): WaveId {
  return draft.get(service)?.wave?.id === wave ? wave : `${service}@${draft.at.instant}`;
}

/** null: there is nobody that it could move. */
function beginning(draft: Draft, service: Service): Membership | null {
  const { needs, restarts } = draft.dependentsOf(service.spec.name);
  return needs.length + restarts.length === 0 ? null : { id: waveOf(draft, service), step: 'down', ahead: [] };
}

/** The wave that it begins now. */
export const waveOf = ({ at }: Draft, { spec }: Service): WaveId => `${spec.name}@${at.instant}`;

const settle = (service: Service): Service =>
  service.wave === null || service.wave.step === 'settled'
    ? service
    : { ...service, wave: { ...service.wave, step: 'settled' } };

/** Down, and nothing brings it up by itself soon; or it hangs on its way down, and its end, some day, will be another wave. */
function isLost(service: Service): boolean {
  const { state } = service;
  switch (state.name) {
    case 'stopped':
    case 'failed':
    case 'skipped':
      return true;
    case 'unknown':
      return state.why.type !== 'looking';
    case 'waiting':
    case 'starting':
    case 'running':
    case 'handover':
    case 'done':
    case 'backoff':
      return false;
    case 'stopping':
      return !isGoingDown(service);
  }
}

/** Where a wave may be over now. One that left it, or its neighbours, stood between others: they are looked at from both sides. */
export function noteSettled(draft: Draft, was: Service | null, now: Service): void {
  const { name } = now.spec;
  if (now.wave?.step === 'settled') draft.settled.push({ id: now.wave.id, name });
  if (was === null || was.wave === null) return;
  const { id } = was.wave;
  const isStillThere = draft.get(name)?.wave?.id === id && couplingOf(was) === couplingOf(now);
  if (!isStillThere) for (const companion of companionsOf(draft, was)) draft.settled.push({ id, name: companion });
}

/** Closes the waves of which every member has settled: whoever ends from now on begins a new one. */
export function close(draft: Draft): void {
  for (const { id, name } of draft.settled) {
    for (const member of settledMembers(draft, id, name)) amend(draft, { ...member, wave: null });
  }
}

/** All members of a wave, found from one of them: each was drawn in by a neighbour. Empty as long as one is on its way. */
function settledMembers(draft: Draft, id: WaveId, from: ServiceName): readonly Service[] {
  const members = new Map<string, Service>();
  const names: ServiceName[] = [from];
  for (let name = names.pop(); name !== undefined; name = names.pop()) {
    const service = draft.get(name);
    if (service?.wave?.id !== id || members.has(name)) continue;
    if (service.wave.step !== 'settled') return [];
    members.set(name, service);
    names.push(...companionsOf(draft, service));
  }
  return [...members.values()];
}

/** Those that it may have drawn in, or been drawn in by. */
function* companionsOf(draft: Draft, service: Service): Generator<ServiceName> {
  const { needs, restarts } = draft.dependentsOf(service.spec.name);
  const coupling = couplingOf(service);
  yield* needs;
  yield* restarts;
  yield* coupling.restartWith;
  for (const need of coupling.needs) yield need.service;
}
