// A wave: what one end, or one operator's act, moves among the services that are coupled to the one it befell. Who is drawn
// in, and how each member's part is remembered until all are ready or have come to nothing. When a member may start or stop
// is decided in turn.ts; the rules are those of product.md 2.5.

import type { What } from './change.js';
import { amend, type Draft, enter, stamp } from './draft.js';
import { couplingOf } from './graph.js';
import { type Move, stay } from './move.js';
import type { Need, ServiceName } from './spec.js';
import {
  desiredOf,
  type Membership,
  type Missing,
  mainOf,
  originOf,
  type Service,
  type Stopping,
  type WaveId,
} from './state.js';
import { beginStop, stopWhenLaunched } from './stop.js';
import { type Instant, later, millis } from './time.js';
import { isGoingDown, isUp } from './turn.js';

/** What a move meant to those who depend on the service. */
type Turning =
  /** It is to be stopped, and nothing was done to it yet. */
  | 'leaving'
  /** It has ended. */
  | 'ended'
  /** An attempt to start it has come to nothing. */
  | 'failed'
  /** The same, and it begins a wave: those that restart with it may be why. */
  | 'relapsed'
  /** It is ready. */
  | 'returned'
  /** It was down already, and is to stay so. */
  | 'abandoned'
  | 'nothing';

/** Takes a move in, with all that follows for others: they are told to go down, not yet stopped or started. */
export function carry(draft: Draft, was: Service | null, move: Move): void {
  const { happened } = move;
  const turning = turningOf(draft, was, move.service, happened);
  const now = withPart(draft, was, move.service, turning);
  if (now === was && move.effects.length === 0 && happened.length === 0) return;
  enter(draft, was, { ...move, service: now });
  draft.touched.push({ name: now.spec.name, reach: isNews(was, now) ? 'far' : 'near' });
  noteSettled(draft, was, now);
  spread(draft, now, turning);
  if (happened.some(({ type }) => type === 'reloaded')) followReload(draft, now);
}

/** Where a wave may be over now. One that left it, or its neighbours, stood between others: they are looked at from both sides. */
function noteSettled(draft: Draft, was: Service | null, now: Service): void {
  const { name } = now.spec;
  if (now.wave?.step === 'settled') draft.settled.push({ id: now.wave.id, name });
  if (was === null || was.wave === null) return;
  const { id } = was.wave;
  const isStillThere = draft.get(name)?.wave?.id === id && couplingOf(was) === couplingOf(now);
  if (!isStillThere) for (const companion of companionsOf(draft, was)) draft.settled.push({ id, name: companion });
}

function turningOf(draft: Draft, was: Service | null, now: Service, happened: readonly What[]): Turning {
  if (was === null) return 'nothing';
  // Back by another's hand after an end that nobody had acted on yet: that end counts. Whoever it handed over to was never away.
  if (isUp(now) && !isUp(was))
    return isSettling(was) && happened.some(({ type }) => type === 'cameBack') ? 'ended' : 'returned';
  if (now.state.name === 'stopping' && was.state.name !== 'stopping')
    return isLeaving(now.state) ? 'leaving' : endingOf(happened);
  if (happened.some(({ type }) => type === 'startFailed')) return isRelapse(draft, now) ? 'relapsed' : 'failed';
  if (hasEnded(was, now, happened)) return 'ended';
  return now.state.name === 'stopped' && was.state.name !== 'stopped' ? 'abandoned' : 'nothing';
}

/** Ended by itself: its commands after a stop are no part of what others wait for. */
function endingOf(happened: readonly What[]): Turning {
  if (happened.some(({ type }) => type === 'startFailed')) return 'failed';
  return happened.some(({ type }) => type === 'died') ? 'ended' : 'nothing';
}

/** A start that is given up takes nobody with it: nobody was there for its sake. */
const isLeaving = ({ phase, why }: Stopping): boolean => phase === 'turn' && why !== 'start-timeout' && why !== 'hook';

/** In a wave its partners have moved already, and a quiet try of one that has failed disturbs nobody. */
function isRelapse(draft: Draft, { spec, state, wave, missing, lastDeath }: Service): boolean {
  const isOnItsOwn = wave === null && missing.length === 0 && state.name !== 'failed';
  return isOnItsOwn && lastDeath?.process != null && draft.dependentsOf(spec.name).restarts.length > 0;
}

function hasEnded(was: Service, now: Service, happened: readonly What[]): boolean {
  if (was.state.name === 'stopping') {
    // What its own restart command left alive has not ended.
    return (
      was.state.why !== 'ended' &&
      now.state.name !== 'stopping' &&
      !(mainOf(now) !== null && mainOf(now) === mainOf(was))
    );
  }
  return !isSettling(now) && (isSettling(was) || happened.some(({ type }) => type === 'died'));
}

/** Ended in a way that somebody may have wanted: until that is decided it is no end for others. */
const isSettling = ({ state }: Service): boolean => state.name === 'waiting' && state.for === 'settle';

/** Its part in a wave after this move. */
function withPart(draft: Draft, was: Service | null, now: Service, turning: Turning): Service {
  switch (turning) {
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
function waveOfLoss(draft: Draft, { service, wave }: Missing): WaveId {
  return draft.get(service)?.wave?.id === wave ? wave : `${service}@${draft.at.instant}`;
}

/** null: there is nobody that it could move. */
function beginning(draft: Draft, service: Service): Membership | null {
  const { needs, restarts } = draft.dependentsOf(service.spec.name);
  return needs.length + restarts.length === 0 ? null : { id: waveOf(draft, service), step: 'down', ahead: [] };
}

/** The wave that it begins now. */
const waveOf = ({ at }: Draft, { spec }: Service): WaveId => `${spec.name}@${at.instant}`;

const settle = (service: Service): Service =>
  service.wave === null || service.wave.step === 'settled'
    ? service
    : { ...service, wave: { ...service.wave, step: 'settled' } };

/** Down, and nothing brings it up by itself soon. */
function isLost({ state }: Service): boolean {
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
    case 'done':
    case 'stopping':
    case 'backoff':
      return false;
  }
}

/** The other services that this concerns. */
function spread(draft: Draft, service: Service, turning: Turning): void {
  const { wave } = service;
  const { needs, restarts } = draft.dependentsOf(service.spec.name);
  switch (turning) {
    case 'leaving':
      if (wave === null) return;
      for (const name of needs) {
        const need = needOf(draft, name, service);
        // Where it is coming back, patience decides when it has really gone.
        if (need !== null && (need.grace === 0 || desiredOf(service) === 'down')) draw(draft, name, wave.id, null);
      }
      return;
    case 'ended':
      if (wave === null) return;
      for (const name of needs) {
        const need = needOf(draft, name, service);
        if (need !== null) bereave(draft, name, service, need, wave.id);
      }
      for (const name of restarts) draw(draft, name, wave.id, service.spec.name);
      return;
    case 'relapsed':
      if (wave === null) return;
      for (const name of restarts) draw(draft, name, wave.id, service.spec.name);
      return;
    case 'returned':
      for (const name of needs) comfort(draft, name, service.spec.name);
      return;
    case 'abandoned':
      for (const name of needs) despair(draft, name, service);
      return;
    case 'failed':
    case 'nothing':
      return;
  }
}

/** How this dependent needs it; null: another member of the same pool is there for it, or it needs it no more. */
function needOf(draft: Draft, dependent: ServiceName, { spec }: Service): Need | null {
  const service = draft.get(dependent);
  if (service === undefined) return null;
  const { needs } = couplingOf(service);
  const { pool } = spec;
  const hasOther =
    pool !== null &&
    needs.some((need) => {
      const other = draft.get(need.service);
      return other !== undefined && other.spec.name !== spec.name && other.spec.pool?.name === pool.name && isUp(other);
    });
  return hasOther ? null : (needs.find((need) => need.service === spec.name) ?? null);
}

/** What it needs has ended: it goes down too, at once or when its patience is over. */
function bereave(draft: Draft, name: ServiceName, gone: Service, { grace }: Need, wave: WaveId): void {
  const service = draft.get(name);
  if (service === undefined) return;
  const isThere = service.state.name === 'running' || service.state.name === 'starting';
  if (grace === 0 || desiredOf(gone) === 'down' || !isThere) {
    draw(draft, name, wave, null);
    return;
  }
  // Back already, or missed since an earlier end.
  if (isUp(gone) || service.missing.some((missing) => missing.service === gone.spec.name)) return;
  const until: Instant = later(draft.at.instant, millis(grace));
  carry(draft, service, stay({ ...service, missing: [...service.missing, { service: gone.spec.name, until, wave }] }));
}

function comfort(draft: Draft, name: ServiceName, returned: ServiceName): void {
  const service = draft.get(name);
  if (service === undefined || service.missing.length === 0) return;
  const missing = service.missing.filter((one) => one.service !== returned);
  if (missing.length < service.missing.length) carry(draft, service, stay({ ...service, missing }));
}

/** What it waits for in patience is not wanted any more. */
function despair(draft: Draft, name: ServiceName, abandoned: Service): void {
  const missed = draft.get(name)?.missing.find(({ service }) => service === abandoned.spec.name);
  if (missed !== undefined && desiredOf(abandoned) === 'down') draw(draft, name, waveOfLoss(draft, missed), null);
}

/** A reload is no end, but some want to be restarted after it. */
function followReload(draft: Draft, service: Service): void {
  const { spec } = service;
  for (const name of draft.dependentsOf(spec.name).needs) {
    const dependent = draft.get(name);
    const need = dependent && couplingOf(dependent).needs.find(({ service: needed }) => needed === spec.name);
    if (need?.onReload === 'restart') draw(draft, name, waveOf(draft, service), null);
  }
}

/** Its patience with what it needs is over. What may not be moved now goes on without. */
export function loseFaith(draft: Draft, service: Service): void {
  const { instant } = draft.at;
  const over = service.missing.find(({ until }) => until <= instant);
  // A hold acts on nothing; afterwards this is due at once.
  if (over === undefined || service.hold !== null) return;
  const missing = service.missing.filter(({ until }) => until > instant);
  carry(draft, service, stay({ ...service, missing }));
  draw(draft, service.spec.name, waveOfLoss(draft, over), null);
}

/** Moves a service for the sake of a wave: down, and up again by itself. `behind`: the one that starts after it, whose end did this. */
function draw(draft: Draft, name: ServiceName, id: WaveId, behind: ServiceName | null): void {
  const service = draft.get(name);
  // What is up when the host goes down is left to the host.
  if (service === undefined || draft.at.host === 'ending') return;
  const { wave, state } = service;
  if (wave?.id === id && wave.step !== 'down') return;
  const reason = service.hold !== null ? 'hold' : desiredOf(service) === 'down' ? 'down' : null;
  if (reason !== null) {
    spare(draft, service, id, reason);
    return;
  }

  const ahead = [...(wave === null || wave.step === 'settled' ? [] : wave.ahead), ...(behind === null ? [] : [behind])];
  // One that is down already, and not started again yet, keeps its wave: its end joins the two.
  const part: Membership = wave?.step === 'down' ? { ...wave, ahead } : { id, step: 'down', ahead };
  const member: Service = { ...service, wave: part };
  switch (state.name) {
    case 'running':
      crestOf(draft, id).moves.add(name);
      carry(draft, service, beginStop(member, state.process, state.helper, 'coupling', draft.at));
      return;
    case 'starting':
      crestOf(draft, id).moves.add(name);
      carry(
        draft,
        service,
        state.process === null
          ? stopWhenLaunched(member, state, 'coupling', draft.at)
          : beginStop(member, state.process, state.helper, 'coupling', draft.at),
      );
      return;
    case 'stopping':
      carry(draft, service, stay(member));
      return;
    case 'waiting':
      if (state.for === 'turn' || state.for === 'leftovers') carry(draft, service, stay(member));
      return;
    case 'unknown':
    case 'stopped':
    case 'skipped':
    case 'done':
    case 'backoff':
    case 'failed':
      return;
  }
}

/** What is neither there nor to be there is worth a word too: whoever reads of the wave may expect it. */
function spare(draft: Draft, { spec, state, fate }: Service, id: WaveId, why: 'hold' | 'down'): void {
  const isGoing = fate !== 'stays' || state.name === 'stopping';
  if (why === 'hold' || !isGoing) crestOf(draft, id).spares.set(spec.name, why);
}

function crestOf({ crests }: Draft, id: WaveId) {
  const crest = crests.get(id) ?? { moves: new Set<ServiceName>(), spares: new Map<ServiceName, 'hold' | 'down'>() };
  crests.set(id, crest);
  return crest;
}

/** Tells what each wave does, in the name of the service that began it. */
export function announce(draft: Draft): void {
  for (const [id, { moves, spares }] of draft.crests) {
    const origin = draft.get(originOf(id));
    if (origin === undefined) continue;
    const spared = [...spares].map(([service, why]) => ({ service, why }));
    draft.changes.push({
      ...stamp(draft, origin),
      wave: id,
      what: { type: 'waved', moves: [...moves], spares: spared },
    });
  }
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

/** Has it come to nothing, or is it on its way again, or down at last? */
function isNews(was: Service | null, now: Service): boolean {
  if (was === null) return isHopeless(now);
  if (isGoingDown(was) && !isGoingDown(now)) return true;
  return isHopeless(was) !== isHopeless(now) || couplingOf(was) !== couplingOf(now);
}

function isHopeless({ state, hold }: Service): boolean {
  switch (state.name) {
    case 'running':
    case 'done':
      return false;
    case 'starting':
      return hold !== null;
    case 'stopping':
      return hold !== null || state.phase === 'stuck';
    case 'waiting':
      return hold !== null || state.for === 'shutdown';
    case 'unknown':
      return state.why.type !== 'looking';
    case 'stopped':
    case 'skipped':
    case 'backoff':
    case 'failed':
      return true;
  }
}
