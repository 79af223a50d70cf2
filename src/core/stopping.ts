// Facts that arrive on the way down. The way itself is in `stop.ts`.

import { ailment, ailmentOf, healthyFor } from './ailment.js';
import { type Death, deathOf, type OurPart } from './death.js';
import type { Effect } from './effect.js';
import { endHelper } from './end-helper.js';
import { finish } from './ending.js';
import { escalate } from './escalate.js';
import { LOST } from './event.js';
import type { Fact } from './fact.js';
import { beatOf } from './heartbeats-of.js';
import { roleIn } from './hooks.js';
import { filed } from './incident.js';
import { hangInWords } from './last-words-of.js';
import { findDeadline, readying, seek } from './launch.js';
import { before, go, type Move, stay } from './move.js';
import { chooseMain, type Look } from './pattern.js';
import { type ExitStatus, isSameProcess, type ProcessRef } from './process.js';
import { desiredOf, type Service, type Starting, type Stopping } from './state.js';
import { beginStop, endRest, findBeforeStop, runCommand } from './stop.js';
import { later, type Millis, type Moment, millis, seconds } from './time.js';
import { follow, living, memoryOf, remember, unclear } from './watching.js';
import { hookExited, hookNotSpawned, hookSpawned, hookTimedOut } from './way-down.js';

/** How long a daemon may take to end after the command that stops it has ended. */
const commandPatience: Millis = seconds(10);

type Of<T extends Fact['type']> = Extract<Fact, { type: T }>;

export function spawned(service: Service, state: Stopping, fact: Of<'spawned'>, at: Moment): Move {
  switch (fact.role) {
    case 'main':
      // The start that was under way when the stop came has a process now: down with it.
      return beginStop(service, fact.process, null, state.why, at);
    case 'start':
    case 'stop':
    case 'restart':
      return go(service, { ...state, helper: fact.process });
    case 'condition':
    case 'beforeStart':
    case 'afterStart':
    case 'beforeStop':
    case 'afterStop':
    case 'reload':
      return hookSpawned(service, state, fact, at);
  }
}

export function spawnFailed(service: Service, state: Stopping, fact: Of<'spawnFailed'>, at: Moment): Move {
  switch (fact.role) {
    case 'start':
      // A command of which nothing is left may have begun something before it ended.
      if (fact.errno === LOST) return findBeforeStop(service, state.why, null, at);
      return finish(service, { ...state, why: 'requested' }, at);
    case 'main':
      return finish(service, { ...state, why: 'requested' }, at);
    case 'stop':
    case 'restart':
      if (fact.errno === LOST) return commandLost(service, state, fact.role, at);
      return go(
        service,
        { ...state, phase: 'stuck', deadline: null },
        [],
        [{ type: 'stuck', reason: `its ${fact.role} command could not be started: ${fact.detail}` }],
      );
    case 'condition':
    case 'beforeStart':
    case 'afterStart':
    case 'beforeStop':
    case 'afterStop':
      return hookNotSpawned(service, state, fact, at);
    case 'reload':
      return stay(service);
  }
}

/** Nothing is left of the command that the keeper before had ordered: if it did its work, that shows; if not, it is run (again). */
function commandLost(service: Service, state: Stopping, role: 'stop' | 'restart', at: Moment): Move {
  if (state.process === null) return commandEnded(service, state, { type: 'unknown' }, at);
  const { kind } = service.spec;
  if (kind.type !== 'watched') return stay(service);
  const command = role === 'restart' ? kind.restart : kind.stop.type === 'command' ? kind.stop.command : null;
  return command === null ? stay(service) : runCommand(service, state.process, role, command, state.why, at);
}

export function exited(service: Service, state: Stopping, fact: Of<'exited'>, at: Moment): Move {
  if (state.process !== null && isSameProcess(state.process, fact.process))
    return mainExited(service, state, state.process, fact, at);
  return roleIn(state) === null
    ? commandEnded(service, state, fact.evidence.status, at)
    : hookExited(service, state, fact.evidence.status, at);
}

function mainExited(service: Service, state: Stopping, process: ProcessRef, fact: Of<'exited'>, at: Moment): Move {
  // Its turn had not come: nothing was done to it yet.
  const our = state.phase === 'turn' ? 'none' : ourPartIn(state.why);
  const life = { startedAt: service.restarts.lastStart, readySince: our === 'start-timeout' ? null : state.since };
  const death = {
    ...deathOf(process, fact.evidence, our, life, fact.away, at),
    ...(our === 'start-timeout' ? { detail: service.lastDeath?.detail ?? null } : {}),
    ...(our === 'heartbeat' ? byHeartbeat(service) : {}),
    ...(our === 'watchdog' ? { detail: hangInWords(service) } : {}),
  };
  const dead: Service = { ...service, lastDeath: lastDeathAfter(service, state, death, our) };
  // What was to come before its end comes too late, and what it has written of its state is torn.
  const torn: readonly Effect[] =
    state.phase === 'exporting' ? [{ type: 'endExport', service: service.spec.name }] : [];
  const orders = [...(state.phase === 'before' ? endHelper(service, state.helper) : []), ...torn];
  switch (service.spec.kind.type) {
    case 'supervised':
      return before(orders, [], endRest(dead, state, process, at));
    case 'watched':
      // A stop or restart command that still runs is waited for: it may be about to start the next one.
      if (state.phase === 'command') return go(dead, { ...state, process: null });
      return before(orders, [], finish(dead, state, at));
  }
}

/** It belongs to what was told when the heartbeat failed, and counts as having served only for as long as it did its work. */
function byHeartbeat(service: Service): Partial<Death> {
  const found = ailmentOf(service);
  const served = healthyFor(service) ?? millis(0);
  if (found === null) return { served };
  const incident = beatOf(service, found.heartbeat)?.ailing?.incident;
  return { served, detail: ailment(service), ailment: found, ...(incident === undefined ? {} : { incident }) };
}

/** Where a command after the start had failed, that is what its end is remembered for. */
function lastDeathAfter(service: Service, { why }: Stopping, death: Death, our: OurPart): Death {
  if (why === 'hook' && service.lastDeath !== null) return service.lastDeath;
  return our === 'requested' || our === 'coupling' ? death : filed(service, death);
}

function ourPartIn(why: Stopping['why']): OurPart {
  switch (why) {
    case 'start-timeout':
    case 'coupling':
      return why;
    case 'requested':
    case 'changed':
    case 'restart-command':
    case 'planned':
    case 'hook':
    case 'ended':
    case 'done':
      return 'requested';
    case 'watchdog':
      return why;
    case 'heartbeat':
    case 'heartbeat-stop':
      return 'heartbeat';
  }
}

/** The start, stop or restart command has ended. */
function commandEnded(service: Service, state: Stopping, status: ExitStatus, at: Moment): Move {
  const alone: Stopping = { ...state, helper: null };
  switch (state.phase) {
    case 'launching': {
      const succeeded = status.type === 'exited' && status.code === 0;
      return findBeforeStop(service, state.why, succeeded ? findDeadline(service.spec.ready, at) : null, at);
    }
    case 'command':
      if (state.why === 'restart-command') return afterRestartCommand(service, alone, at);
      if (state.process === null) return finish(service, alone, at);
      return go(service, { ...alone, phase: 'commanded', deadline: later(at.instant, commandPatience) });
    case 'commanded':
    case 'turn':
    case 'exporting':
    case 'abort':
    case 'before':
    case 'condition':
    case 'preparing':
    case 'after':
    case 'finding':
    case 'ladder':
    case 'rest':
    case 'killing':
    case 'stuck':
      return go(service, alone);
  }
}

/** It stops and starts in one: the old process may live on (a graceful reload), else a new one is to be found. */
function afterRestartCommand(service: Service, state: Stopping, at: Moment): Move {
  if (state.process !== null) {
    return readying(service, state.process, null, { since: at.instant, why: 'requested' }, at);
  }
  const finding: Starting = {
    name: 'starting',
    since: at.instant,
    why: 'requested',
    phase: 'finding',
    hook: 0,
    process: null,
    helper: null,
    setback: null,
    deadline: findDeadline(service.spec.ready, at),
  };
  return go(
    { ...service, generation: service.generation + 1, restarts: { ...service.restarts, lastStart: state.since } },
    finding,
    [seek(service)],
  );
}

export function looked(service: Service, state: Stopping, look: Look, at: Moment): Move {
  const { kind } = service.spec;
  if (state.phase !== 'finding' || kind.type !== 'watched') return stay(service);
  const choice = chooseMain(kind.pattern, living(look, service), memoryOf(service));
  switch (choice.type) {
    case 'main': {
      const { process } = choice.facts;
      const known = remember(service, choice.facts);
      // Its start command hung, but what it was to start is there, and wanted: that is a start after all.
      if (state.why === 'start-timeout' && desiredOf(service) === 'up') {
        return before(
          [follow(service, process)],
          [],
          readying(known, process, null, { since: state.since, why: 'restart' }, at),
        );
      }
      return before([follow(service, process)], [], beginStop(known, process, null, state.why, at));
    }
    case 'none':
      // While it may still appear, nothing is decided.
      return state.deadline === null ? finish(service, state, at) : stay(service);
    case 'ambiguous':
      return undecided(service, state, { type: 'ambiguous', pids: choice.pids }, at);
    case 'unseen':
      return undecided(service, state, { type: 'unseen', reason: choice.reason }, at);
  }
}

/** Which process it is, or whether there is one, cannot be told: another start would make it worse. A stop is not kept waiting by that. */
function undecided(service: Service, state: Stopping, why: Parameters<typeof unclear>[1], at: Moment): Move {
  if (state.deadline !== null) return stay(service);
  return desiredOf(service) === 'up' ? unclear(service, why, at) : finish(service, state, at);
}

export function emptied(service: Service, state: Stopping, at: Moment): Move {
  const isLast = state.process === null && roleIn(state) === null;
  return isLast ? finish(service, state, at) : stay({ ...service, rest: null });
}

export function deadlinePassed(service: Service, state: Stopping, at: Moment): Move {
  return roleIn(state) === null ? escalate(service, state, at) : hookTimedOut(service, state, at);
}
