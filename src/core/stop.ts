// The way down: the ladder of signals, the service's own stop command, the rest of the group. What happens when that takes
// too long is in `escalate.ts`. Restarting is this with desired `up`; what follows the end is decided in `ending.ts`.

import type { What } from './change.js';
import type { Effect } from './effect.js';
import { endHelper } from './end-helper.js';
import { moveOn } from './ending.js';
import { environmentFor } from './hook-env.js';
import { reclaimHook, roleIn, runHook } from './hooks.js';
import { killPatience, seek, stopAwaiting } from './launch.js';
import { endingOfRest } from './leftovers.js';
import { before, go, type Move, stay } from './move.js';
import type { ProcessRef } from './process.js';
import type { Command, Ladder } from './spec.js';
import { desiredOf, type Running, type Service, type Starting, type Stopping, type StopReason } from './state.js';
import { type Instant, later, type Millis, type Moment, seconds } from './time.js';

/** Takes a living main process down: what it does beside is ended, and those that need it go first (turn.ts). */
export function beginStop(
  service: Service,
  process: ProcessRef,
  helper: ProcessRef | null,
  why: StopReason,
  at: Moment,
): Move {
  const quiet = stopAwaiting(service);
  const hook = service.state.name === 'running' ? 0 : -1;
  const state = onWayDown(service, { since: at.instant, process, phase: 'turn', hook, why }, at);
  return go(service, state, [...quiet, ...endHelper(service, helper)], [{ type: 'stopping', why }]);
}

/** Its turn has come: its state written where it comes back, its commands before a stop, where it has been up, and then down. What hangs can do none of that. */
export function descend(service: Service, process: ProcessRef, why: StopReason, at: Moment): Move {
  const hasBeenUp = !(service.state.name === 'stopping' && service.state.hook < 0);
  if (!hasBeenUp || why === 'watchdog') return fall(service, process, why, at);
  return mayLeaveState(service, why) ? exportState(service, process, why, at) : descendOn(service, process, why, at);
}

function descendOn(service: Service, process: ProcessRef, why: StopReason, at: Moment): Move {
  const state = onWayDown(service, { process, phase: 'before', why }, at);
  return runHook(service, state, at) ?? fall(service, process, why, at);
}

/** Is there a next generation that could take up what this one knows? Whoever is asked and has no channel answers at once. */
function mayLeaveState(service: Service, why: StopReason): boolean {
  const { spec, said } = service;
  if (spec.kind.type !== 'supervised' || spec.notifyAccess === 'none' || desiredOf(service) === 'down') return false;
  // It is about to end, by its own word: a refusal could not let it go on, and would be asked for again and again.
  if (said.stopping !== null) return false;
  return why === 'requested' || why === 'changed' || why === 'planned' || why === 'coupling';
}

function exportState(service: Service, process: ProcessRef, why: StopReason, at: Moment): Move {
  const deadline = later(at.instant, service.spec.handover.transfer);
  const state = onWayDown(service, { process, phase: 'exporting', why, deadline }, at);
  return go(service, state, [{ type: 'export', spec: service.spec, from: process, to: null }]);
}

/** Its state is written, or there is none. */
export function goesOn(service: Service, { process, why }: Stopping, at: Moment): Move {
  return process === null ? stay(service) : descendOn(service, process, why, at);
}

/**
 * It cannot write its state. Nobody has ended it yet: what was asked for is refused, and it goes on; it is never started without
 * its state behind its back. Where another service moves it, it goes down all the same, and that is told.
 */
export function leaveState(service: Service, state: Stopping, reason: string, at: Moment): Move {
  const { process, why, since, servedSince } = state;
  if (process === null) return stay(service);
  const lost = `its state could not be written: ${reason}`;
  const told: What = { type: 'handoverRefused', reason: lost, process: null };
  if (why === 'coupling' || desiredOf(service) === 'down') return before([], [told], goesOn(service, state, at));
  const { name } = service.spec;
  const orders: readonly Effect[] = [
    { type: 'tell', service: name, process, word: { type: 'thaw', reason: lost } },
    { type: 'endExport', service: name },
  ];
  const was: Running = { name: 'running', since: servedSince ?? since, process, helper: null, deadline: null };
  return go({ ...service, next: null }, was, orders, [told]);
}

/** How long a process may write its core before it is ended. */
const corePatience: Millis = seconds(30);

/** What does not say that it lives is asked for a core first, which shows where it hangs. */
function beAborted(service: Service, process: ProcessRef, why: StopReason, at: Moment): Move {
  const state = onWayDown(service, { process, phase: 'abort', why, deadline: later(at.instant, corePatience) }, at);
  const { name } = service.spec;
  return go(service, state, [
    { type: 'signal', service: name, process, signal: 'SIGABRT', to: 'main', thenContinue: 'yes' },
  ]);
}

/** Down by its own rules. */
export function fall(service: Service, process: ProcessRef, why: StopReason, at: Moment): Move {
  const { kind } = service.spec;
  if (why === 'watchdog') return beAborted(service, process, why, at);
  if (why === 'restart-command' && kind.type === 'watched' && kind.restart !== null)
    return runCommand(service, process, 'restart', kind.restart, why, at);
  return kind.stop.type === 'ladder'
    ? climb(service, process, kind.stop, 0, why, at)
    : runCommand(service, process, 'stop', kind.stop.command, why, at);
}

/** Asked to stop in the middle of a start whose outcome is on its way: what comes of it is stopped then. */
export function stopWhenLaunched(service: Service, starting: Starting, why: StopReason, at: Moment): Move {
  const { helper } = starting;
  // A start command is let finish what it is at, but a stop does not wait for one that hangs.
  const patience = later(at.instant, killPatience);
  const deadline = starting.deadline !== null && starting.deadline < patience ? starting.deadline : patience;
  if (starting.phase === 'finding') {
    // After a crash, or a command that failed, the one look decides, as it would have in the start.
    const until = starting.setback === null ? starting.deadline : null;
    return before([], [{ type: 'stopping', why }], findBeforeStop(service, why, until, at));
  }
  const state = onWayDown(service, { since: at.instant, process: null, phase: 'launching', helper, why, deadline }, at);
  if (roleIn(starting) !== null) return breakOff(service, starting, state, at);
  if (starting.phase === 'preparing') return before([], [{ type: 'stopping', why }], moveOn(service, state, at));
  return go(service, state, [], [{ type: 'stopping', why }]);
}

/** Nothing was started yet: the command that runs is ended, and that is all. */
function breakOff(service: Service, starting: Starting, stopping: Stopping, at: Moment): Move {
  const state: Stopping = {
    ...stopping,
    phase: starting.phase === 'condition' ? 'condition' : 'preparing',
    hook: starting.hook,
    deadline: later(at.instant, killPatience),
  };
  // Under a hold it was perhaps never ordered: then there is no answer on its way.
  const asked = service.hold === null ? [] : reclaimHook(service, state);
  return go(service, state, [...asked, ...endHelper(service, state.helper)], [{ type: 'stopping', why: state.why }]);
}

/**
 * The start command has ended: whether it had begun to bring something up, only a look can tell. `until`: so long it may still
 * appear, its pid file for instance. Another start before that would make two of it; one that stays down is not waited for.
 */
export function findBeforeStop(service: Service, why: StopReason, until: Instant | null, at: Moment): Move {
  const deadline = desiredOf(service) === 'up' ? until : null;
  const state = onWayDown(service, { process: null, phase: 'finding', why, deadline }, at);
  return go(service, state, [seek(service)]);
}

/** Sends the signal of this rung, and sets its wait. */
export function climb(
  service: Service,
  process: ProcessRef,
  ladder: Ladder,
  rung: number,
  why: StopReason,
  at: Moment,
): Move {
  const step = ladder.rungs[rung];
  if (step === undefined) return topOfLadder(service, process, rung, why, at);
  const state = onWayDown(
    service,
    { process, phase: 'ladder', rung, why, deadline: step.wait === null ? null : later(at.instant, step.wait) },
    at,
  );
  const signal: Effect = {
    type: 'signal',
    service: service.spec.name,
    process,
    signal: step.signal,
    to: step.to,
    thenContinue: 'yes',
  };
  return go(service, state, [signal], rung === 0 ? [] : [{ type: 'escalated', signal: step.signal }]);
}

/** Every rung was tried. Ours are killed as a group; a daemon of somebody else's is not, unless its ladder says so. */
function topOfLadder(service: Service, process: ProcessRef, rung: number, why: StopReason, at: Moment): Move {
  const { kind } = service.spec;
  switch (kind.type) {
    case 'supervised': {
      const state = onWayDown(
        service,
        { process, phase: 'killing', rung, why, deadline: later(at.instant, killPatience) },
        at,
      );
      const kill: Effect = {
        type: 'signal',
        service: service.spec.name,
        process,
        signal: 'SIGKILL',
        to: 'group',
        thenContinue: 'no',
      };
      return go(service, state, [kill], [{ type: 'escalated', signal: 'SIGKILL' }]);
    }
    case 'watched':
      return beStuck(
        service,
        process,
        why,
        `process ${process.pid} did not end, and its \`stop\` does not say SIGKILL`,
        at,
      );
  }
}

/** Runs the service's own stop or restart command; the end of the main process is what counts. */
export function runCommand(
  service: Service,
  process: ProcessRef,
  role: 'stop' | 'restart',
  command: Command,
  why: StopReason,
  at: Moment,
): Move {
  const deadline = command.timeout === null ? null : later(at.instant, command.timeout);
  const state = onWayDown(service, { process, phase: 'command', why, deadline }, at);
  const { spec, generation } = service;
  const env = environmentFor(service, role);
  return go(service, state, [{ type: 'spawn', spec, role, hook: 0, generation, command, env }]);
}

/** The main process has ended while stopping: the rest of what is ours follows it. */
export function endRest(service: Service, state: Stopping, dead: ProcessRef, at: Moment): Move {
  const patience = restPatience(service);
  const next: Stopping = {
    ...state,
    process: null,
    phase: 'rest',
    helper: null,
    deadline: patience === null ? null : later(at.instant, patience),
  };
  const noted: Service = { ...service, rest: dead };
  return go(noted, next, endingOfRest(noted, 'SIGTERM'));
}

/** The wait of the last rung is what the rest is given, as the main process was. */
function restPatience(service: Service): Millis | null {
  const { stop } = service.spec.kind;
  const last = stop.type === 'ladder' ? stop.rungs.at(-1) : undefined;
  if (last === undefined) return seconds(10);
  return last.wait === null && last.signal === 'SIGKILL' ? seconds(10) : last.wait;
}

/** Nothing that we may do ends it. */
export function beStuck(service: Service, process: ProcessRef, why: StopReason, reason: string, at: Moment): Move {
  const state = onWayDown(service, { process, phase: 'stuck', why }, at);
  return go(service, state, [], [{ type: 'stuck', reason }]);
}

/** Stopping counts from its beginning, however many rungs it takes. */
function onWayDown(
  service: Service,
  part: Pick<Stopping, 'process' | 'phase' | 'why'> & Partial<Stopping>,
  at: Moment,
): Stopping {
  const { state } = service;
  const since = state.name === 'stopping' ? state.since : at.instant;
  const servedSince = state.name === 'stopping' ? state.servedSince : state.name === 'running' ? state.since : null;
  return { name: 'stopping', since, servedSince, rung: 0, hook: 0, helper: null, deadline: null, ...part };
}
