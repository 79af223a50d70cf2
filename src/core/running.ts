// A service that serves: its death, the commands that run beside it, and the time that a watched one is given to come back.

import { healthyFor } from './ailment.js';
import type { What } from './change.js';
import { askedFor, type Death, deathOf, describeStatus, mayBeWanted } from './death.js';
import { staying } from './draining.js';
import type { Effect } from './effect.js';
import { endHelper } from './end-helper.js';
import { conclude, decide, retry } from './ending.js';
import type { ServiceEvent } from './event.js';
import type { Fact } from './fact.js';
import { forgive, peaceAt } from './fight.js';
import { askDue } from './health.js';
import { filed } from './incident.js';
import { launch, seek } from './launch.js';
import { leaveNoRest } from './leftovers.js';
import { andThen, before, go, type Move, stay } from './move.js';
import { type ExitEvidence, isSameProcess, type ProcessRef } from './process.js';
import { reloadTimedOut } from './reload.js';
import type { Running, Service, Waiting } from './state.js';
import { beginStop } from './stop.js';
import { elapsed, type Instant, later, type Moment, millis, seconds } from './time.js';
import { isMissed, missed, pardoned } from './watchdog.js';
import { follow } from './watching.js';

type Of<T extends Fact['type']> = Extract<Fact, { type: T }>;

/** After a crash the pid file is asked whether there is a successor; the answer takes a moment, never this long. */
const lookTime = seconds(5);

export function exited(service: Service, state: Running, fact: Of<'exited'>, at: Moment): Move {
  if (!isSameProcess(state.process, fact.process)) return helperExited(service, state, fact);
  const life = { startedAt: service.restarts.lastStart, readySince: state.since };
  const evidence = sparingHeirs(fact.evidence, state.process);
  const seen = deathOf(state.process, evidence, 'none', life, fact.away, at);
  const death = filed(service, askedFor({ ...seen, served: healthyFor(service) ?? seen.served }, service.asked, at));
  const { kind } = service.spec;
  const rid = leaveNoRest(service, state.process);
  const busy = service.hold === null ? endHelper(service, state.helper) : [];
  const orders = [...busy, ...rid.effects];
  if (kind.type === 'supervised')
    return service.spec.handover.pidFile === null || service.hold !== null
      ? before(orders, [], conclude(rid.service, death, at))
      : seekHeir(rid.service, state, death, busy, at);

  // A crash is answered at once. After an end that somebody may have wanted (also without `settle`: it may have forked
  // its successor), and wherever a pid file may name one, we look first.
  const wanted = mayBeWanted(death);
  if (!wanted && kind.pattern.pidFile === null) return before(orders, [], retry(rid.service, death, at));
  const settle = wanted && kind.settle > 0 ? kind.settle : lookTime;
  const next: Waiting = {
    name: 'waiting',
    since: at.instant,
    for: 'settle',
    why: 'restart',
    deadline: later(at.instant, settle),
  };
  const told: What = { type: 'died', death, next: wanted ? { type: 'settle', for: settle } : { type: 'start' } };
  // Its successor is no leftover: those are noted, and spared until there is none (leftovers.ts).
  return go({ ...rid.service, lastDeath: death }, next, [...busy, seek(service)], [told]);
}

/** A program that starts its own successor, like nginx and gunicorn, leaves it behind when it ends; its pid file names it. Until that is known, nothing of it is a leftover. */
function seekHeir(service: Service, { process }: Running, death: Death, busy: readonly Effect[], at: Moment): Move {
  const next: Waiting = {
    ...{ name: 'waiting', since: at.instant, for: 'settle', why: 'restart' },
    deadline: later(at.instant, seconds(10)),
  };
  return go({ ...service, lastDeath: death }, next, [...busy, seekSuccessor(service, death, process)]);
}

/** A crash is answered at once, by what the file says now; after an end that was wanted some rename it a moment later (gunicorn). */
export const seekSuccessor = ({ spec }: Service, death: Death, dead: ProcessRef): Effect => ({
  ...{ type: 'seekSuccessor', spec, dead },
  patience: mayBeWanted(death) ? lookTime : millis(0),
});

/** The answer. Whoever took over was never away; else it has ended, and is answered as any end. */
export function succeeded(
  service: Service,
  { dead, process }: Extract<ServiceEvent, { type: 'succeeded' }>,
  at: Moment,
): Move {
  const { state, lastDeath } = service;
  const waits = state.name === 'waiting' && state.for === 'settle' && service.spec.kind.type === 'supervised';
  if (!waits || lastDeath?.process == null || !isSameProcess(lastDeath.process, dead)) return stay(service);
  if (process === null) return conclude(service, lastDeath, at);
  const running: Running = { name: 'running', since: at.instant, process, helper: null, deadline: null };
  return go(
    { ...staying(service, process), rest: null },
    running,
    [follow(service, process)],
    [{ type: 'handedOver', from: dead, to: process }],
  );
}

/** How long the outer half of a double fork may live: slapd's reads its database before it lets go. In ticks of 10 ms. */
const detachingTicks = 500;

/**
 * A process that ends with 0 right after its start was most likely the outer half of a daemon that detaches itself, seen in
 * the middle of somebody else's `service ssh restart`. The daemon was forked before that end and is no leftover of it: old
 * is only what is older than the half itself.
 */
function sparingHeirs(evidence: ExitEvidence, { startTicks }: ProcessRef): ExitEvidence {
  const { status, ticks } = evidence;
  const hasDetached =
    status.type === 'exited' && status.code === 0 && ticks !== null && ticks - startTicks < detachingTicks;
  return hasDetached ? { ...evidence, ticks: startTicks } : evidence;
}

/** It did not come back by itself. */
export function afterSettle(service: Service, at: Moment): Move {
  const dead = service.lastDeath?.process ?? null;
  // Nobody could tell in time.
  if (service.spec.kind.type === 'supervised' && dead !== null)
    return succeeded(service, { type: 'succeeded', service: service.spec.name, dead, process: null }, at);
  return service.lastDeath === null ? launch(service, 'restart', at) : decide(service, service.lastDeath, at).move;
}

/** A reload command, or a start command that goes on beside what it started. */
export function helperSpawned(service: Service, state: Running, fact: Of<'spawned'>, at: Moment): Move {
  const { reload } = service.spec.kind;
  const timeout = reload?.type === 'command' ? reload.command.timeout : null;
  return go(service, {
    ...state,
    helper: fact.process,
    deadline: timeout === null ? null : later(at.instant, timeout),
  });
}

function helperExited(service: Service, state: Running, fact: Of<'exited'>): Move {
  const { status } = fact.evidence;
  const next: Running = { ...state, helper: null, deadline: null };
  // Only a reload is reported: what a start command says after its daemon serves is of no consequence. It is the older of the two.
  const isStart = service.spec.kind.type === 'watched' && fact.process.startTicks <= state.process.startTicks;
  if (isStart) return go(service, next);
  if (status.type === 'exited' && status.code === 0) return go(service, next, [], [{ type: 'reloaded' }]);
  return go(
    service,
    next,
    [],
    [{ type: 'reloadFailed', reason: `its reload command ended with ${describeStatus(status)}` }],
  );
}

/** Several things may be due: its word that it lives, an end that it has announced, a reload, a command that takes too long, the peace after a fight, and questions. */
export function deadlinePassed(service: Service, state: Running, at: Moment): Move {
  if (isMissed(service, at)) return missed(service, state.process, 'silence', at);
  if (isOverdue(service, at)) return beginStop(service, state.process, state.helper, 'requested', at);
  const fair = pardoned(service, at);
  const told = andThen(reloadTimedOut(fair, state, at), (it) => endFight(it, state, at));
  const calm = andThen(told, (it) => helperTimedOut(it, state, at));
  return andThen(calm, (it) => (it.state.name === 'running' ? askDue(it, it.state, at) : stay(it)));
}

/** It has said that it is stopping: when it should have; null: it has not, or may take for ever. */
export function announcedEnd({ said, spec }: Service): Instant | null {
  const { stop } = spec.kind;
  const wait = stop.type === 'ladder' ? (stop.rungs[0]?.wait ?? null) : null;
  return said.stopping === null || wait === null ? null : later(said.stopping, wait);
}

function isOverdue(service: Service, at: Moment): boolean {
  const end = announcedEnd(service);
  return end !== null && end <= at.instant;
}

/** Whoever stopped it had time enough to do it again. */
function endFight(service: Service, state: Running, at: Moment): Move {
  const { fight } = service.opposition;
  if (fight === null || peaceAt(fight, state.since) > at.instant) return stay(service);
  const peace = elapsed(state.since, at.instant);
  const calm: Service = { ...service, opposition: forgive(service.opposition) };
  return before([], [{ type: 'fightEnded', fight, peace }], stay(calm));
}

function helperTimedOut(service: Service, state: Running, at: Moment): Move {
  if (state.helper === null || state.deadline === null || state.deadline > at.instant) return stay(service);
  return go(service, { ...state, deadline: null }, endHelper(service, state.helper));
}
