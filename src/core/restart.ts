// May it come back, and when: policy, back-off, limit. One road back up: every automatic start passes `judge`.

import type { Death } from './death.js';
import type { ExitStatus, SignalName } from './process.js';
import type { ExitSelector, RestartSpec, RestartWhen } from './spec.js';
import type { Failure, Restarts } from './state.js';
import { elapsed, type Instant, instant, later, type Now } from './time.js';

export type Verdict =
  /** Start at that instant (which may have passed). */
  | { readonly type: 'start'; readonly at: Instant; readonly restarts: Restarts }
  /** The limit is reached: failed, with a quiet try at that instant, or none. */
  | {
      readonly type: 'failed';
      readonly failure: Failure;
      readonly retryAt: Instant | null;
      readonly restarts: Restarts;
      readonly told: 'first' | 'again';
    }
  /** Its policy lets it stay down: it ended as it should. */
  | { readonly type: 'rest'; readonly restarts: Restarts };

/** systemd.service(5): a termination by one of these counts as clean. */
const cleanSignals: readonly SignalName[] = ['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGPIPE'];

/** Judges an end that nobody asked for. Counted unless the status is an agreed restart code. */
export function judge(rule: RestartSpec, before: Restarts, death: Death, now: Now): Verdict {
  const memory: Restarts = (death.served ?? 0) >= rule.healthyAfter ? { ...before, streak: 0, pace: 'normal' } : before;

  if (isAgreed(rule, death)) {
    // Uncounted, but never faster than the first delay: an agreed code in a loop must not become a busy loop.
    const restarts = { ...memory, total: memory.total + 1 };
    return { type: 'start', at: startAt(memory.lastStart, rule.delay, now), restarts };
  }
  if (selects(rule.preventExit, death) || !wants(rule.when, rule, death)) {
    if (isClean(rule, death)) return { type: 'rest', restarts: memory };
    return { type: 'failed', failure: { type: 'prevented' }, retryAt: null, restarts: memory, told: 'first' };
  }
  if (memory.pace === 'slow') return limitReached(rule, memory, 'again', now);

  const window = recent(rule, memory.window, now.instant);
  if (rule.limit !== null && window.length >= rule.limit.count)
    return limitReached(rule, { ...memory, window }, 'first', now);

  const delay = backoff(rule, memory.streak, now.random);
  const restarts: Restarts = {
    ...memory,
    total: memory.total + 1,
    window: [...window, now.instant],
    streak: memory.streak + 1,
  };
  return { type: 'start', at: startAt(memory.lastStart, delay, now), restarts };
}

function limitReached(rule: RestartSpec, memory: Restarts, told: 'first' | 'again', now: Now): Verdict {
  // As they were when it was reached: quiet tries add none, and what is told is why they are quiet.
  const failure: Failure = { type: 'limit', count: memory.window.length };
  const restarts: Restarts = { ...memory, pace: 'slow' };
  switch (rule.then) {
    case 'slow':
      return { type: 'failed', failure, retryAt: later(now.instant, rule.slowEvery), restarts, told };
    case 'give-up':
      return { type: 'failed', failure, retryAt: null, restarts, told };
  }
}

/** The same verdict, but nothing before that instant; what is not started again anyway stays so. */
export function postpone(verdict: Verdict, until: Instant): Verdict {
  switch (verdict.type) {
    case 'start':
      return { ...verdict, at: instant(Math.max(verdict.at, until)) };
    case 'failed':
      return verdict.retryAt === null ? verdict : { ...verdict, retryAt: instant(Math.max(verdict.retryAt, until)) };
    case 'rest':
      return verdict;
  }
}

/** Does it bring the service back by itself? */
export function comesBack(verdict: Verdict): boolean {
  return verdict.type === 'start' || (verdict.type === 'failed' && verdict.retryAt !== null);
}

/** An end that was agreed to mean "start me again". */
export function isAgreed(rule: RestartSpec, death: Death): boolean {
  return selects(rule.alwaysAfter, death);
}

/** Restarts that still count at `now`. Without a limit none need remembering beyond the last 100. */
function recent(rule: RestartSpec, window: readonly Instant[], now: Instant): readonly Instant[] {
  if (rule.limit === null) return window.slice(-100);
  const { within } = rule.limit;
  return window.filter((at) => elapsed(at, now) < within);
}

/** How many counted restarts stand in the window at `now`. */
export function countRecent(rule: RestartSpec, restarts: Restarts, now: Instant): number {
  return recent(rule, restarts.window, now).length;
}

/** The delay counts from start to start, so what has lived longer than it comes back at once. */
function startAt(lastStart: Instant | null, delay: number, now: Now): Instant {
  if (lastStart === null) return now.instant;
  return instant(Math.max(now.instant, lastStart + delay));
}

/** The delay after `streak` earlier ends in a row: geometric, capped, with jitter inside ±jitter of it. */
export function backoff(rule: RestartSpec, streak: number, random: number): number {
  const { factor, max, jitter } = rule.backoff;
  // 64 doublings are beyond any cap; an unbounded exponent would become Infinity × 0.
  const grown = Math.min(max, rule.delay * factor ** Math.min(streak, 64));
  return Math.max(grown * (1 + jitter * (2 * random - 1)), busyFloor(streak));
}

/** Whatever is configured, an end that follows an end must not become a busy loop: up to 100 ms from start to start, none for the first. */
const busyFloor = (streak: number): number => (streak === 0 ? 0 : Math.min(100, 2 ** Math.min(streak, 7)));

/** Does the policy want a restart after such an end? The table of Restart= in systemd.service(5). */
function wants(when: RestartWhen, rule: RestartSpec, death: Death): boolean {
  switch (when) {
    case 'always':
      return true;
    case 'never':
      return false;
    case 'on-success':
      return isClean(rule, death);
    case 'on-failure':
      return !isClean(rule, death);
    case 'on-abnormal':
      return isAbnormal(rule, death);
    case 'on-abort':
      return death.oom === 'no' && death.cause === 'signal' && !isClean(rule, death);
    case 'on-watchdog':
      return death.cause === 'watchdog';
  }
}

/** A signal that is not clean, a time-out, the watchdog, a failed heartbeat, an OOM kill; not a mere exit code. */
function isAbnormal(rule: RestartSpec, death: Death): boolean {
  switch (death.cause) {
    case 'oom':
    case 'watchdog':
    case 'heartbeat':
    case 'start-timeout':
    case 'limit':
      return true;
    case 'signal':
      return !isClean(rule, death);
    case 'exit':
    case 'spawn':
    case 'requested':
    case 'coupling':
    case 'gone':
      return false;
  }
}

/** Ended as it should? Only for ends of the main process that were its own; what nobody saw counts as failure. */
export function isClean(rule: RestartSpec, death: Death): boolean {
  if (death.process === null || death.oom === 'yes') return false;
  return (death.cause === 'exit' || death.cause === 'signal') && isSuccess(rule, death.status);
}

/** A clean status, or what `successExit` names. */
export function isSuccess({ successExit }: RestartSpec, status: ExitStatus): boolean {
  return successExit.some((selector) => isSelected(selector, status)) || isCleanStatus(status);
}

function isCleanStatus(status: ExitStatus): boolean {
  switch (status.type) {
    case 'exited':
      return status.code === 0;
    case 'signaled':
      return cleanSignals.includes(status.signal) && !status.coreDumped;
    case 'unknown':
      return false;
  }
}

/** Codes and signals hold for the main process only, never for a failed start command (systemd/systemd#19295). */
function selects(selectors: readonly ExitSelector[], { process, status }: Death): boolean {
  return process !== null && selectors.some((selector) => isSelected(selector, status));
}

export function isSelected(selector: ExitSelector, status: ExitStatus): boolean {
  switch (selector.type) {
    case 'code':
      return status.type === 'exited' && status.code === selector.code;
    case 'signal':
      return status.type === 'signaled' && status.signal === selector.signal;
  }
}
