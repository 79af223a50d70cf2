// What a service tells by sd_notify(3), and what of it counts: whose words (systemd's NotifyAccess=), of which generation, and in
// which state. The order of the fields is systemd's (service_notify_message in its src/core/service.c); what has no meaning where
// the service is now, is dropped without a word, as there. Knows no socket.

import { outgoingOf, release, staying } from './draining.js';
import type { Effect } from './effect.js';
import type { ServiceEvent, Speaker } from './event.js';
import { approved, callOff } from './handover.js';
import { awaitReady } from './launch.js';
import { andThen, go, type Move, stay } from './move.js';
import type { Notification, StoreWish } from './notification.js';
import { isSameProcess, type ProcessRef } from './process.js';
import { acknowledge, reloadsByItself } from './reload.js';
import type { NotifyAccess } from './socket.js';
import { forgetFailures, isHeld, latestSpec, mainOf, type Said, type Service } from './state.js';
import { type Instant, instant, type Millis, type Moment } from './time.js';
import { armed, extended, missed } from './watchdog.js';
import { follow } from './watching.js';
import { succeed } from './way-up.js';

type Of<T extends ServiceEvent['type']> = Extract<ServiceEvent, { type: T }>;

/** As what a sender speaks. `old`: for a generation that serves no more, whose words change nothing (sidekiq#5829). */
type Voice = 'main' | 'control' | 'member' | 'successor' | 'old' | 'stranger';

export function notified(service: Service, { sender, says, batch }: Of<'notified'>, at: Moment): Move {
  const voice = voiceOf(service, sender);
  if (!mayTell(accessOf(service), voice)) return stay(service);
  return voice === 'successor'
    ? fromSuccessor(service, sender.process, says, batch, at)
    : fromMain(service, sender, says, batch, at);
}

function voiceOf(service: Service, { process, kinOf, isMember }: Speaker): Voice {
  const { state } = service;
  const is = (other: ProcessRef | null): boolean => other !== null && isSameProcess(other, process);
  const isKinOf = (other: ProcessRef): boolean => kinOf !== null && isSameProcess(other, kinOf);
  if (is(mainOf(service))) return 'main';
  if (state.name === 'handover' && state.successor !== null && (is(state.successor) || isKinOf(state.successor)))
    return is(state.successor) || accessOf(service) === 'all' ? 'successor' : 'stranger';
  if (outgoingOf(service, process) !== undefined || (kinOf !== null && outgoingOf(service, kinOf) !== undefined))
    return 'old';
  if ('helper' in state && is(state.helper)) return 'control';
  return isMember === 'yes' ? 'member' : 'stranger';
}

/** By its own word (NOTIFYACCESS), else as configured. */
const accessOf = ({ said, spec }: Service): NotifyAccess => said.access ?? spec.notifyAccess;

function mayTell(access: NotifyAccess, voice: Voice): boolean {
  switch (voice) {
    case 'main':
    case 'successor':
      return access !== 'none';
    case 'control':
      return access === 'exec' || access === 'all';
    case 'member':
      return access === 'all';
    case 'old':
    case 'stranger':
      return false;
  }
}

/** Nothing of it counts before it takes over but its readiness, and what it says of itself. */
function fromSuccessor(
  service: Service,
  process: ProcessRef,
  says: Notification,
  batch: number | null,
  at: Moment,
): Move {
  const { state } = service;
  if (state.name !== 'handover') return stay(service);
  const said = saidSoFar(state.said, says);
  const deadline =
    says.extend === null || state.deadline === null ? state.deadline : furthest(state.deadline, says.extend, at);
  const told: Service =
    said === state.said && deadline === state.deadline ? service : { ...service, state: { ...state, said, deadline } };
  const stored = keep(told, process, says.store, batch);
  if (says.ready === 'no' || service.spec.kind.type !== 'supervised') return stored;
  const isAwaited = latestSpec(service).ready.probe.type === 'notify';
  return andThen(stored, (it) => (isAwaited && it.state.name === 'handover' ? approved(it, it.state, at) : stay(it)));
}

function fromMain(service: Service, sender: Speaker, says: Notification, batch: number | null, at: Moment): Move {
  const steps: readonly ((it: Service) => Move)[] = [
    (it) => changeMain(it, says, at),
    (it) => turn(it, says, at),
    (it) => tell(it, says),
    (it) => extend(it, says, at),
    (it) => watch(it, says, at),
    (it) => stay(says.restartReset === 'yes' ? { ...it, restarts: forgetFailures(it.restarts) } : it),
    (it) => keep(it, mainOf(it) ?? sender.process, says.store, batch),
  ];
  return steps.reduce((move, next) => andThen(move, next), stay(service));
}

/** MAINPID: another process is the main one from now on. */
function changeMain(service: Service, { main: process }: Notification, at: Moment): Move {
  const { state } = service;
  const old = mainOf(service);
  if (process === null || old === null || service.spec.kind.type !== 'supervised') return stay(service);
  if (state.name !== 'starting' && state.name !== 'running' && state.name !== 'stopping') return stay(service);
  if (isSameProcess(process, old)) return stay(service);
  if (state.helper !== null && isSameProcess(state.helper, process)) return stay(service);
  const named = [{ type: 'mainChanged', from: old, to: process } as const];
  // What it had been, it is no more; it ends when it likes, and that is no end of the service.
  const freed = staying(release(service, old, at), process);
  const isReadying = state.name === 'starting' && state.phase === 'readying';
  const awaited = isReadying ? awaitReady(service, process) : [];
  return go(freed, { ...state, process }, [follow(service, process), ...awaited], named);
}

/** STOPPING wins over READY, and READY after RELOADING in one message means: reloaded at once. */
function turn(service: Service, says: Notification, at: Moment): Move {
  const { state, said } = service;
  if (says.stopping === 'yes') {
    const serves = state.name === 'running' || state.name === 'handover';
    const isNews = serves && said.stopping === null;
    return isNews ? stay({ ...service, said: { ...said, stopping: at.instant }, watchdog: null }) : stay(service);
  }
  const reloading = says.reloading === null ? stay(service) : acknowledge(service, says.reloading.at, at);
  if (says.ready === 'no') return reloading;
  return andThen(reloading, (it) => becomeReady(it, at));
}

function becomeReady(service: Service, at: Moment): Move {
  const { state, spec } = service;
  if (state.name === 'running') return reloadsByItself(service);
  if (state.name !== 'starting' || state.phase !== 'readying' || spec.ready.probe.type !== 'notify')
    return stay(service);
  return succeed(service, state, at);
}

function tell(service: Service, says: Notification): Move {
  const said = saidSoFar(service.said, says);
  return said === service.said ? stay(service) : stay({ ...service, said });
}

function saidSoFar(said: Said, says: Notification): Said {
  const { status, access, watchdogPeriod, errno, busError, varlinkError } = says;
  const next: Said = {
    ...said,
    status: status === null ? said.status : status === '' ? null : status,
    access: access ?? said.access,
    watchdogPeriod: watchdogPeriod ?? said.watchdogPeriod,
    errno: errno ?? said.errno,
    busError: busError ?? said.busError,
    varlinkError: varlinkError ?? said.varlinkError,
  };
  const keys = Object.keys(next) as (keyof Said)[];
  return keys.every((key) => next[key] === said[key]) ? said : next;
}

/** EXTEND_TIMEOUT_USEC: for what has a time-out now, and for the watchdog. Never less than it has. */
function extend(service: Service, { extend: by }: Notification, at: Moment): Move {
  if (by === null) return stay(service);
  const patient = extended(service, by, at);
  const { state } = patient;
  const isTimed = state.name === 'starting' || state.name === 'stopping';
  if (!isTimed || state.deadline === null) return stay(patient);
  return stay({ ...patient, state: { ...state, deadline: furthest(state.deadline, by, at) } });
}

const furthest = (deadline: Instant, by: Millis, at: Moment): Instant => instant(Math.max(deadline, at.instant + by));

/** WATCHDOG and WATCHDOG_USEC, which it has told already. It is armed while it serves. */
function watch(service: Service, { watchdog, watchdogPeriod }: Notification, at: Moment): Move {
  const { state, said } = service;
  if (state.name !== 'running' && state.name !== 'handover') return stay(service);
  const set = watchdogPeriod === null ? service : armed({ ...service, watchdog: null }, at);
  if (watchdog === 'trigger' && !isHeld(service))
    return andThen(callOff(set, 'the old generation says that it hangs', at), (it) =>
      missed(it, state.process, 'trigger', at),
    );
  const isPing = watchdog === 'ping' && set.watchdog !== null && said.stopping === null;
  return stay(isPing ? armed(set, at) : set);
}

/** FDSTORE and FDSTOREREMOVE. What nobody claims is closed by whoever received it. */
function keep(service: Service, process: ProcessRef, wish: StoreWish | null, batch: number | null): Move {
  const { state } = service;
  const isNew = state.name === 'handover' && state.successor !== null && isSameProcess(state.successor, process);
  const spec = isNew ? latestSpec(service) : service.spec;
  if (wish === null || spec.fdStore === 0) return stay(service);
  switch (wish.type) {
    case 'remove': {
      const drop: Effect = { type: 'dropKept', service: spec.name, name: wish.name };
      return isNew ? stay(service) : go(service, state, [drop]);
    }
    case 'store': {
      if (batch === null) return stay(service);
      const as = isNew ? 'successor' : 'main';
      return go(service, state, [{ type: 'keep', spec, process, as, batch, name: wish.name, poll: wish.poll }]);
    }
  }
}
