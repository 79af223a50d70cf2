// Generations that serve no more, or never did: how they end, each within its time and without touching the one that serves.
// They hang on the service and have no state of their own beyond that. Knows nothing of why another took over.

import type { Effect } from './effect.js';
import { endHelper } from './end-helper.js';
import type { Fact } from './fact.js';
import { before, type Move, stay } from './move.js';
import { isSameProcess, type ProcessRef, type SignalName } from './process.js';
import { desiredOf, isHeld, type Outgoing, type Service, type Unborn } from './state.js';
import { elapsed, type Instant, later, type Moment, seconds } from './time.js';

/** From SIGTERM to SIGKILL of a generation whose time is over. */
const patience = seconds(5);

/** The generation of this service that has this main process and serves no more; undefined: there is none. */
export const outgoingOf = ({ draining }: Service, process: ProcessRef): Outgoing | undefined =>
  draining.find((one) => isSameProcess(one.process, process));

/** How many old generations still finish what they have begun. */
export const countDraining = ({ draining }: Service): number =>
  draining.filter(({ why, phase }) => why === 'drained' && phase !== 'rest').length;

/** A number that no generation has that may still live. */
export const nextGeneration = ({ generation, draining, unborn }: Service): number =>
  Math.max(generation, ...[...draining, ...unborn].map((one) => one.generation)) + 1;

/** To be down for good it has to be rid of its older generations as well, and of what may still come of broken-off orders. */
export const awaitsDrained = (service: Service): boolean =>
  service.draining.length + service.unborn.length > 0 && desiredOf(service) === 'down';

type Outcome = Extract<Fact, { type: 'spawned' | 'spawnFailed' }>;

const isOutcomeOf =
  (fact: Outcome) =>
  ({ role, generation }: Unborn): boolean =>
    role === fact.role && generation === fact.generation;

/** Is this the outcome of an order that nobody wants any more? */
export const isUnwanted = ({ unborn }: Service, fact: Outcome): boolean => unborn.some(isOutcomeOf(fact));

/** What has come of it is ended. */
export function endUnwanted(service: Service, fact: Outcome, at: Moment): Move {
  const isOutcome = isOutcomeOf(fact);
  const rid: Service = { ...service, unborn: service.unborn.filter((one) => !isOutcome(one)) };
  if (fact.type === 'spawnFailed') return stay(rid);
  if (fact.role === 'main') return dismiss(rid, fact.process, fact.generation, at);
  return { service: rid, effects: isHeld(rid) ? [] : endHelper(rid, fact.process), happened: [] };
}

/** The old main process, from the moment on in which another serves: it is told to end, and has so long to finish. */
export function drain(service: Service, process: ProcessRef, generation: number, at: Moment): Move {
  const { handover } = service.spec;
  const deadline = handover.drain === null ? null : later(at.instant, handover.drain);
  const outgoing: Outgoing = {
    process,
    generation,
    since: at.instant,
    why: 'drained',
    phase: 'asked',
    cut: 'no',
    deadline,
  };
  const orders: readonly Effect[] = [
    { type: 'tell', service: service.spec.name, process, word: { type: 'drain' } },
    signalTo(service, outgoing, firstSignal(service), 'main'),
  ];
  return { service: withOutgoing(service, outgoing), effects: orders, happened: [] };
}

/** A generation that was to take over and does not: it has a moment to end by itself. */
export function dismiss(service: Service, process: ProcessRef, generation: number, at: Moment): Move {
  const deadline = later(at.instant, patience);
  const outgoing: Outgoing = {
    process,
    generation,
    since: at.instant,
    why: 'refused',
    phase: 'ending',
    cut: 'no',
    deadline,
  };
  const orders = isHeld(service) ? [] : [signalTo(service, outgoing, 'SIGTERM', 'group')];
  return { service: withOutgoing(service, outgoing), effects: orders, happened: [] };
}

/** The old main process of one that named its successor itself: it ends as it likes. */
export function release(service: Service, process: ProcessRef, at: Moment): Service {
  const { generation } = service;
  return withOutgoing(service, {
    ...{ process, generation, since: at.instant, why: 'own', phase: 'asked', cut: 'no', deadline: null },
  });
}

/** When the first of them has to be pressed; null: none. Under a hold none is. */
export const drainDeadline = ({ draining }: Service): Instant | null =>
  draining.reduce<Instant | null>(
    (soonest, { deadline }) => (deadline !== null && (soonest === null || deadline < soonest) ? deadline : soonest),
    null,
  );

/** Presses those whose time is over. */
export function pressOutgoing(service: Service, at: Moment): Move {
  let move = stay(service);
  for (const outgoing of isHeld(service) ? [] : service.draining)
    if (outgoing.deadline !== null && outgoing.deadline <= at.instant) move = pressOne(move, outgoing, at);
  return move;
}

/** The whole service is to go down: what drains has no more time than that. */
export function hasten(move: Move, at: Moment): Move {
  return move.service.draining.reduce(
    (so, outgoing) => (outgoing.phase === 'asked' ? pressOne(so, outgoing, at) : so),
    move,
  );
}

function pressOne(move: Move, outgoing: Outgoing, at: Moment): Move {
  const { service } = move;
  const pressed: Outgoing = { ...outgoing, cut: 'yes', deadline: later(at.instant, patience) };
  switch (outgoing.phase) {
    case 'asked':
      return and(move, { ...pressed, phase: 'ending' }, [
        // One that named its successor shares its group with that one.
        signalTo(service, outgoing, 'SIGTERM', outgoing.why === 'own' ? 'main' : 'group'),
      ]);
    case 'ending':
      return and(move, { ...pressed, phase: 'killing' }, [
        signalTo(service, outgoing, 'SIGKILL', outgoing.why === 'own' ? 'main' : 'group'),
      ]);
    case 'killing':
    case 'rest': {
      const { name } = service.spec;
      const { process } = outgoing;
      const kill: Effect =
        outgoing.phase === 'rest'
          ? { type: 'endRest', service: name, process, signal: 'SIGKILL', policy: 'kill' }
          : signalTo(service, outgoing, 'SIGKILL', 'group');
      return and(move, pressed, [kill]);
    }
  }
}

const and = (move: Move, outgoing: Outgoing, orders: readonly Effect[]): Move => ({
  service: withOutgoing(move.service, outgoing),
  effects: [...move.effects, ...orders],
  happened: move.happened,
});

/** Its main process has ended: what is left of it goes too, unless that is the service itself. */
export function outgoingExited(service: Service, outgoing: Outgoing, at: Moment): Move {
  if (outgoing.why === 'own') return gone(service, outgoing, at);
  const { process } = outgoing;
  const deadline = later(at.instant, patience);
  const left = withOutgoing(service, { ...outgoing, phase: 'rest', deadline });
  const signal = outgoing.phase === 'killing' ? 'SIGKILL' : 'SIGTERM';
  const end: Effect = { type: 'endRest', service: service.spec.name, process, signal, policy: 'stop' };
  // Under a hold nothing is ended; its deadline is due when that is over.
  return { service: left, effects: isHeld(service) ? [] : [end], happened: [] };
}

/** Nothing is left of it. */
export function gone(service: Service, outgoing: Outgoing, at: Moment): Move {
  const { process, generation, why, since, cut } = outgoing;
  const told =
    why === 'drained' ? [{ type: 'drained', process, generation, took: elapsed(since, at.instant), cut } as const] : [];
  return before([], told, stay(staying(service, process)));
}

/** What the facts about such a generation do. */
export function receiveOutgoing(service: Service, outgoing: Outgoing, fact: Fact, at: Moment): Move {
  switch (fact.type) {
    case 'exited':
      return outgoing.phase === 'rest' ? stay(service) : outgoingExited(service, outgoing, at);
    case 'emptied':
      return outgoing.phase === 'rest' ? gone(service, outgoing, at) : stay(service);
    case 'spawned':
    case 'spawnFailed':
    case 'looked':
    case 'becameReady':
    case 'prepared':
    case 'deadlinePassed':
      return stay(service);
  }
}

/** What a new keeper orders anew: it cannot know whether the one before got to it, and all of it may be said twice. */
export function resumeOutgoing(service: Service, at: Moment): Move {
  const { name } = service.spec;
  const lost = service.unborn.map((one): Effect => ({ type: 'reclaim', spec: service.spec, ...one }));
  const least = later(at.instant, patience);
  return service.draining.reduce(
    (move, outgoing) => {
      const { process, deadline } = outgoing;
      const follow: Effect = { type: 'follow', service: name, process };
      const orders = isHeld(service) ? [] : ordersFor(service, outgoing);
      const kinder = deadline === null || deadline > least ? deadline : least;
      return and(move, { ...outgoing, deadline: kinder }, outgoing.phase === 'rest' ? orders : [follow, ...orders]);
    },
    { service, effects: lost, happened: [] } as Move,
  );
}

/** What was ordered for a generation when it came to where it is. */
function ordersFor(service: Service, outgoing: Outgoing): readonly Effect[] {
  const { name } = service.spec;
  const { process, phase, why } = outgoing;
  if (phase === 'rest') return [{ type: 'endRest', service: name, process, signal: 'SIGTERM', policy: 'stop' }];
  switch (why) {
    case 'drained':
      return [
        { type: 'tell', service: name, process, word: { type: 'drain' } },
        signalTo(service, outgoing, firstSignal(service), 'main'),
      ];
    case 'refused':
      return [
        { type: 'settleKept', service: name, process, as: 'discard' },
        signalTo(service, outgoing, 'SIGTERM', 'group'),
      ];
    case 'own':
      return [];
  }
}

const firstSignal = ({ spec: { kind } }: Service): SignalName =>
  (kind.stop.type === 'ladder' ? kind.stop.rungs[0]?.signal : undefined) ?? 'SIGTERM';

const withOutgoing = (service: Service, outgoing: Outgoing): Service => ({
  ...service,
  draining: [...staying(service, outgoing.process).draining, outgoing],
});

/** It serves again, or is gone. */
export const staying = (service: Service, process: ProcessRef): Service => ({
  ...service,
  draining: service.draining.filter((one) => !isSameProcess(one.process, process)),
});

const signalTo = ({ spec }: Service, { process }: Outgoing, signal: SignalName, to: 'main' | 'group'): Effect => ({
  ...{ type: 'signal', service: spec.name, process, signal, to },
  thenContinue: signal === 'SIGKILL' ? 'no' : 'yes',
});
