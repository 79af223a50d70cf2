// A wave: what one end, or one operator's act, moves among the services that are coupled to the one it befell, and who is drawn
// in. What a move means to others is in meaning.ts, how each member's part is remembered in membership.ts, and when a member
// may start or stop in turn.ts; the rules are those of docs/coupling.md.

import { arrange } from './calendar.js';
import { type Draft, enter, stamp } from './draft.js';
import { couplingOf, targetsOf } from './graph.js';
import { callOff } from './handover.js';
import { tend } from './health.js';
import { type Meaning, meaningOf } from './meaning.js';
import { noteSettled, waveOf, waveOfLoss, withPart } from './membership.js';
import { andThen, type Move, stay } from './move.js';
import { hasStandIn } from './pool.js';
import type { Need, ServiceName } from './spec.js';
import { desiredOf, type Membership, originOf, type Service, type WaveId } from './state.js';
import { beginStop, stopWhenLaunched } from './stop.js';
import { tidy } from './tidy.js';
import { type Instant, later, millis } from './time.js';
import { isGoingDown, isThere, isUp } from './turn.js';

/** Takes a move in, with all that follows for others: they are told to go down, not yet stopped or started. */
export function carry(draft: Draft, was: Service | null, made: Move): void {
  const move = tidy(was, arrange(was, tend(was, made, draft.at), draft.at), draft.at);
  const { happened } = move;
  const meaning = meaningOf(draft, was, move.service, happened);
  const now = withPart(draft, was, move.service, meaning);
  if (now === was && move.effects.length === 0 && happened.length === 0) return;
  enter(draft, was, { ...move, service: now });
  draft.touched.push({ name: now.spec.name, reach: isNews(was, now) ? 'far' : 'near' });
  if (was !== null) for (const name of letGo(draft, was)) draft.touched.push({ name, reach: 'near' });
  noteSettled(draft, was, now);
  spread(draft, now, meaning);
  if (happened.some(({ type }) => type === 'reloaded')) followReload(draft, now);
}

/** Those that it named, and names no more: they have waited for it perhaps. */
function letGo(draft: Draft, was: Service): readonly ServiceName[] {
  const coupling = couplingOf(was);
  const now = draft.get(was.spec.name);
  if (now !== undefined && couplingOf(now) === coupling) return [];
  return [...targetsOf(coupling), ...coupling.restartWith];
}

/** The other services that this concerns. */
function spread(draft: Draft, service: Service, meaning: Meaning): void {
  const { wave } = service;
  const { needs, restarts } = draft.dependentsOf(service.spec.name);
  switch (meaning) {
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
function needOf(draft: Draft, dependent: ServiceName, gone: Service): Need | null {
  const service = draft.get(dependent);
  if (service === undefined || hasStandIn(draft, couplingOf(service), gone)) return null;
  return couplingOf(service).needs.find((need) => need.service === gone.spec.name) ?? null;
}

/** What it needs has ended: it goes down too, at once or when its patience is over. */
function bereave(draft: Draft, name: ServiceName, gone: Service, { grace }: Need, wave: WaveId): void {
  const service = draft.get(name);
  if (service === undefined) return;
  if (grace === 0 || desiredOf(gone) === 'down' || !isThere(service)) {
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
    case 'handover':
      crestOf(draft, id).moves.add(name);
      carry(
        draft,
        service,
        andThen(callOff(member, 'another service moves it', draft.at), (it) =>
          beginStop(it, state.process, null, 'coupling', draft.at),
        ),
      );
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
      if (isGoingDown(service)) carry(draft, service, stay(member));
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

/** Has it come to nothing, or is it on its way again, or down at last? */
function isNews(was: Service | null, now: Service): boolean {
  if (was === null) return isHopeless(now);
  if (isGoingDown(was) && !isGoingDown(now)) return true;
  return isHopeless(was) !== isHopeless(now) || couplingOf(was) !== couplingOf(now);
}

function isHopeless({ state, hold }: Service): boolean {
  switch (state.name) {
    case 'running':
    case 'handover':
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
