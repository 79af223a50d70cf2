// What an end leads to: the verdict of the restart rule made a state. Death flows in one direction, down this page.

import { ailment } from './ailment.js';
import type { Next, What } from './change.js';
import type { Death } from './death.js';
import { awaitsDrained } from './draining.js';
import type { Effect } from './effect.js';
import { isBlow, type Opposition, pass, strike } from './fight.js';
import { afterEnd, runHook } from './hooks.js';
import { filed } from './incident.js';
import { launch, seek } from './launch.js';
import { before, go, type Move, stay } from './move.js';
import { settleDone } from './oneshot.js';
import { comesBack, isAgreed, judge, postpone, type Verdict } from './restart.js';
import { desiredOf, type Service, type Stopping } from './state.js';
import { elapsed, type Instant, type Moment } from './time.js';

/** An end that nobody asked for, of the main process or of an attempt to start: told, and answered by the rule. */
export function retry(service: Service, end: Death, at: Moment): Move {
  const death = filed(service, end);
  const answer = decide(service, death, at);
  const type = death.served === null ? 'startFailed' : 'died';
  return before([], [{ type, death, next: answer.next }], answer.move);
}

/** The same for the end of a generation, whose commands after a stop come before the answer, where it has any. */
export function conclude(service: Service, end: Death, at: Moment): Move {
  const death = filed(service, end);
  const dead: Service = { ...service, lastDeath: death };
  const ordered = runHook(dead, afterEnd('ended', at.instant), at);
  if (ordered === null) return retry(service, end, at);
  // What the rule will say then, as far as it leads nowhere, is worth saying now.
  const answer = decide(service, death, at).next;
  const next: Next = answer.type === 'nothing' ? answer : { type: 'hooks' };
  return before([], [{ type: death.served === null ? 'startFailed' : 'died', death, next }], ordered);
}

/** The answer of the restart rule to an end that was told already. */
export function decide(service: Service, death: Death, at: Moment): { readonly move: Move; readonly next: Next } {
  const dead: Service = { ...service, lastDeath: filed(service, death) };
  if (desiredOf(dead) === 'down')
    return { move: rest(dead, 'requested', at), next: { type: 'nothing', why: 'it is not wanted up' } };
  if (dead.hold !== null) return { move: launch(dead, 'restart', at), next: { type: 'nothing', why: 'it is on hold' } };
  // What it needs has ended before it, and it was about to be moved: no fault of its own.
  if (dead.missing.length > 0)
    return {
      move: launch(dead, 'coupling', at),
      next: { type: 'others', names: dead.missing.map((it) => it.service) },
    };
  const fair = judge(dead.spec.restart, dead.restarts, death, at);
  const opposition = resist(dead, death, fair, at);
  const until = opposition.fight?.until ?? null;
  const verdict = until === null ? fair : postpone(fair, until);
  const next = nextOf(verdict, at);
  const answered: Service = { ...dead, restarts: verdict.restarts, opposition };
  return { move: before([], fightOf(service, opposition, next), carryOut(answered, verdict, next, at)), next };
}

/** Was that an opponent of ours? Only where we started it, and start it again. A host that goes down ends everything, politely. */
function resist({ spec, opposition, generation }: Service, death: Death, verdict: Verdict, at: Moment): Opposition {
  const isOurs = spec.kind.type === 'supervised' || opposition.launched === generation;
  const counts =
    isOurs &&
    at.host !== 'ending' &&
    comesBack(verdict) &&
    isBlow(death, spec.kind.type) &&
    !isAgreed(spec.restart, death);
  return counts ? strike(opposition, death, at) : pass(opposition);
}

/** Told when it is named, and each time that it makes us wait longer. */
function fightOf(was: Service, { fight }: Opposition, next: Next): readonly What[] {
  if (fight === null || fight.until === null) return [];
  return [{ type: 'fight', told: was.opposition.fight === null ? 'first' : 'again', fight, next }];
}

function carryOut(service: Service, verdict: Verdict, next: Next, at: Moment): Move {
  switch (verdict.type) {
    case 'start':
      if (verdict.at <= at.instant) return launch(service, 'restart', at);
      return go(
        service,
        { name: 'backoff', since: at.instant, attempt: service.restarts.streak, deadline: verdict.at },
        seeking(service),
      );
    case 'failed': {
      // Told once: the quiet tries that follow fail without another word.
      const told: readonly What[] =
        verdict.told === 'first' ? [{ type: 'failed', failure: verdict.failure, next }] : [];
      return go(
        service,
        { name: 'failed', since: at.instant, failure: verdict.failure, deadline: verdict.retryAt },
        seeking(service),
        told,
      );
    }
    case 'rest':
      return rest(service, 'policy', at);
  }
}

function nextOf(verdict: Verdict, at: Moment): Next {
  if (at.host === 'ending' && comesBack(verdict)) return { type: 'nothing', why: 'the host goes down' };
  switch (verdict.type) {
    case 'start':
      return verdict.at <= at.instant ? { type: 'start' } : { type: 'wait', for: elapsed(at.instant, verdict.at) };
    case 'failed':
      if (verdict.retryAt !== null) return { type: 'slow', in: elapsed(at.instant, verdict.retryAt) };
      return {
        type: 'nothing',
        why: verdict.failure.type === 'limit' ? 'its restart limit is reached' : 'its restart policy says so',
      };
    case 'rest':
      return { type: 'nothing', why: 'its restart policy says so' };
  }
}

/** Down and staying so. */
export function rest(service: Service, why: 'requested' | 'policy', at: Moment): Move {
  if (awaitsDrained(service)) return go(service, restOf(at.instant));
  return go(service, { name: 'stopped', since: at.instant, why }, seeking(service));
}

/** A watched daemon may come up by another's hand at any time: seen, not prevented. */
function seeking(service: Service): readonly Effect[] {
  return service.spec.kind.type === 'watched' && service.fate === 'stays' ? [seek(service)] : [];
}

/** Its main process has ended, and something else of it has not. */
export const restOf = (since: Instant): Stopping => ({ ...afterEnd('requested', since), phase: 'rest' });

/** An older generation is gone: was it the last that a stop waited for? */
export function afterDrained(service: Service, at: Moment): Move {
  const { state } = service;
  const waits = state.name === 'stopping' && state.phase === 'rest' && state.process === null && service.rest === null;
  return waits && !awaitsDrained(service) ? finish(service, state, at) : stay(service);
}

/** The way down is done: nothing of it is left. Its commands after a stop come next, where it has any. */
export function finish(service: Service, { why, since }: Stopping, at: Moment): Move {
  const down: Service = { ...service, rest: null };
  if (awaitsDrained(down)) return go(down, restOf(since));
  const state = afterEnd(why, since);
  return runHook(down, state, at) ?? moveOn(down, state, at);
}

/** Nothing is left to be done for the generation that has ended. Up again, if that is what is wanted. */
export function moveOn(down: Service, state: Stopping, at: Moment): Move {
  if (state.why === 'ended' && down.lastDeath !== null) return decide(down, down.lastDeath, at).move;
  if (desiredOf(down) === 'down') return before([], [{ type: 'stopped' }], rest(applyNext(down), 'requested', at));
  switch (state.why) {
    case 'requested':
    case 'changed':
    case 'restart-command':
    case 'planned':
      return before([], [{ type: 'stopped' }], launch(down, 'requested', at));
    case 'heartbeat-stop':
      return putDown(down, at);
    case 'coupling':
      return before([], [{ type: 'stopped' }], launch(down, 'coupling', at));
    case 'done':
      return settleDone(down, at);
    case 'ended':
    case 'start-timeout':
    case 'heartbeat':
    case 'watchdog':
    case 'hook':
      return down.lastDeath === null ? launch(down, 'restart', at) : retry(down, down.lastDeath, at);
  }
}

/** A heartbeat said that it is to be stopped: only a person starts it again. */
function putDown(service: Service, at: Moment): Move {
  const { lastDeath } = service;
  const failure = { type: 'unhealthy', heartbeat: ailment(service) ?? 'its heartbeat' } as const;
  const next: Next = { type: 'nothing', why: 'its heartbeat says stop' };
  const died: readonly What[] = lastDeath === null ? [] : [{ type: 'died', death: lastDeath, next }];
  return go(applyNext(service), { name: 'failed', since: at.instant, failure, deadline: null }, seeking(service), [
    ...died,
    { type: 'failed', failure, next },
  ]);
}

/** A stopped service takes its new definition at once. */
function applyNext(service: Service): Service {
  return service.next === null ? service : { ...service, spec: service.next, next: null };
}
