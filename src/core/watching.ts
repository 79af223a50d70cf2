// What a look at the host's processes means for a watched service: found, gone, handed over, back by itself, or unclear.
// Knows nothing of start commands; `starting.ts` does.

import { failedStart, mayBeWanted } from './death.js';
import { isEqual } from './difference.js';
import type { Effect } from './effect.js';
import { decide, rest, retry } from './ending.js';
import { launch, seek } from './launch.js';
import { orderRest } from './leftovers.js';
import { andThen, go, type Move, stay } from './move.js';
import { chooseMain, findSuccessor, type Look, type ProcessFacts } from './pattern.js';
import { isSameProcess, type ProcessRef } from './process.js';
import { desiredOf, type Identity, type Service } from './state.js';
import { beginStop } from './stop.js';
import { type Moment, millis } from './time.js';

/** The first look, and every look while it is unclear which process it is. */
export function identify(service: Service, look: Look, at: Moment): Move {
  const { kind } = service.spec;
  if (kind.type !== 'watched') return stay(service);
  const choice = chooseMain(kind.pattern, living(look, service), memoryOf(service));
  switch (choice.type) {
    case 'main': {
      const found = adopt(service, choice.facts, 'found', at);
      const stopWasAsked = service.override?.desired === 'down' && service.hold === null;
      return stopWasAsked
        ? andThen(found, (known) => beginStop(known, choice.facts.process, null, 'requested', at))
        : found;
    }
    case 'none':
      if (desiredOf(service) === 'down') return rest(service, 'requested', at);
      if (service.matched === 'never') return launch(service, 'first', at);
      // It was there once, and is gone while it could not be told which one it is: an end like any other, that passes the limit.
      return retry(
        service,
        { ...failedStart('gone', { type: 'unknown' }, null, 'it is gone, nobody saw how', at), served: millis(0) },
        at,
      );
    case 'ambiguous':
      return unclear(service, { type: 'ambiguous', pids: choice.pids }, at);
    case 'unseen':
      return unclear(service, { type: 'unseen', reason: choice.reason }, at);
  }
}

type Unclear = Extract<Service['state'], { name: 'unknown' }>['why'];

/** It cannot be told which process it is: told, and looked at until it can. */
export function unclear(service: Service, why: Exclude<Unclear, { type: 'looking' }>, at: Moment): Move {
  const { state } = service;
  if (state.name === 'unknown' && isSameReason(state.why, why)) return stay(service);
  return go(service, { name: 'unknown', since: at.instant, why }, [seek(service)], [why]);
}

function isSameReason(a: Unclear, b: Unclear): boolean {
  if (a.type === 'ambiguous' && b.type === 'ambiguous') return a.pids.join() === b.pids.join();
  return a.type === 'unseen' && b.type === 'unseen' && a.reason === b.reason;
}

/** A look while it is down: somebody else may have brought it up, or the dead one handed over to another. */
export function noticeWhileDown(service: Service, look: Look, at: Moment): Move {
  const successor = successorOf(service, look);
  if (successor !== null) return adopt(service, successor, 'handedOver', at);
  const { kind } = service.spec;
  if (kind.type !== 'watched') return stay(service);
  const choice = chooseMain(kind.pattern, living(look, service), memoryOf(service));
  switch (choice.type) {
    case 'main':
      return adopt(service, choice.facts, 'cameBack', at);
    case 'ambiguous':
      return unclear(service, { type: 'ambiguous', pids: choice.pids }, at);
    case 'none':
      return settledByLook(service, at);
    case 'unseen':
      return stay(service);
  }
}

/** After a crash nothing but a successor was worth waiting for, and there is none. */
function settledByLook(service: Service, at: Moment): Move {
  const { state, lastDeath } = service;
  if (state.name !== 'waiting' || state.for !== 'settle' || lastDeath === null) return stay(service);
  const { kind } = service.spec;
  if (mayBeWanted(lastDeath) && kind.type === 'watched' && kind.settle > 0) return stay(service);
  return decide(service, lastDeath, at).move;
}

/** The look without the process that we know to be dead: a fact may be older than the death that overtook it. */
export function living(look: Look, service: Service): Look {
  const dead = service.lastDeath?.process;
  if (dead == null) return look;
  return {
    ...look,
    matches: look.matches.filter(
      (match) => !isSameProcess(match.process, dead) && !isNamedByStaleFile(service, dead, match),
    ),
  };
}

/** A pid file alone names whoever has that number by now. The number of the dead one, and nothing else of it: a stranger. */
function isNamedByStaleFile(
  { spec, identity }: Service,
  dead: ProcessRef,
  { process, uid, argv }: ProcessFacts,
): boolean {
  if (spec.kind.type !== 'watched' || spec.kind.pattern.by.type !== 'pidFile') return false;
  return process.pid === dead.pid && identity !== null && !isEqual(identity, { uid, argv });
}

/** The process that the dead main process handed over to. Only within `settle`: afterwards a match is a new start by somebody. */
export function successorOf(service: Service, look: Look): ProcessFacts | null {
  const { lastDeath, identity, state } = service;
  const { kind } = service.spec;
  if (kind.type !== 'watched' || lastDeath?.process == null || state.name !== 'waiting' || state.for !== 'settle')
    return null;
  const abnormal = mayBeWanted(lastDeath) ? 'no' : 'yes';
  return findSuccessor(kind.pattern, living(look, service), { process: lastDeath.process, identity, abnormal });
}

/** Takes this process for the service's main process, as one that serves. */
export function adopt(
  service: Service,
  facts: ProcessFacts,
  how: 'found' | 'handedOver' | 'cameBack',
  at: Moment,
): Move {
  const { process } = facts;
  // What the dead one left is its successor's. Of a daemon that came by another's hand it is not, once that one is followed.
  const rid = how === 'cameBack' ? orderRest(service) : [];
  const effects: Effect[] = [follow(service, process), ...rid, { type: 'stopSeeking', service: service.spec.name }];
  const known = remember(service, facts);
  const from = service.lastDeath?.process;
  const what =
    how === 'handedOver' && from != null
      ? ({ type: how, from, to: process } as const)
      : ({ type: how === 'handedOver' ? 'cameBack' : how, process } as const);
  const generation = how === 'found' && service.generation > 0 ? service.generation : service.generation + 1;
  return go(
    { ...known, generation, rest: null },
    { name: 'running', since: at.instant, process, helper: null, deadline: null },
    effects,
    [what],
  );
}

/** By uid and command line a later hand-over is recognized. */
export function remember(service: Service, facts: ProcessFacts): Service {
  const identity: Identity = { uid: facts.uid, argv: facts.argv };
  return { ...service, matched: 'once', identity };
}

export function follow(service: Service, process: ProcessRef): Effect {
  return { type: 'follow', service: service.spec.name, process };
}

/** What the choice of a main process may build on. */
export function memoryOf(service: Service): { readonly identity: Identity | null; readonly deadSince: number | null } {
  const death = service.lastDeath;
  // Nobody saw the end of one that died while the keeper was away; what is older than the dead one itself is old all the same.
  return { identity: service.identity, deadSince: death?.ticks ?? death?.process?.startTicks ?? null };
}
