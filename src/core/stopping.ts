// Facts that arrive on the way down. The way itself is in `stop.ts`.

import { deathOf, type OurPart } from './death.js';
import { afterStop } from './ending.js';
import { LOST } from './event.js';
import type { Fact } from './fact.js';
import { filed } from './incident.js';
import { findDeadline, readying, seek } from './launch.js';
import { before, go, type Move, stay } from './move.js';
import { chooseMain, type Look } from './pattern.js';
import { isSameProcess, type ProcessRef } from './process.js';
import { desiredOf, type Service, type Starting, type Stopping } from './state.js';
import { beginStop, endRest, escalate, findBeforeStop, runCommand } from './stop.js';
import { later, type Millis, type Moment, seconds } from './time.js';
import { follow, living, memoryOf, remember } from './watching.js';

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
    case 'beforeStop':
    case 'afterStop':
      return go(service, { ...state, helper: fact.process });
    case 'condition':
    case 'beforeStart':
    case 'afterStart':
    case 'reload':
      return go(service, state, [
        { type: 'endHelper', service: service.spec.name, process: fact.process, spec: service.spec },
      ]);
  }
}

export function spawnFailed(service: Service, state: Stopping, fact: Of<'spawnFailed'>, at: Moment): Move {
  switch (fact.role) {
    case 'start':
      // A command of which nothing is left may have begun something before it ended.
      if (fact.errno === LOST) return findBeforeStop(service, state.why, at);
      return afterStop(service, { ...state, why: 'requested' }, at);
    case 'main':
      return afterStop(service, { ...state, why: 'requested' }, at);
    case 'stop':
    case 'restart':
      if (fact.errno === LOST) return commandLost(service, state, fact.role, at);
      return go(
        service,
        { ...state, phase: 'stuck', deadline: null },
        [],
        [{ type: 'stuck', reason: `its ${fact.role} command could not be started: ${fact.detail}` }],
      );
    case 'reload':
    case 'condition':
    case 'beforeStart':
    case 'afterStart':
    case 'beforeStop':
    case 'afterStop':
      return stay(service);
  }
}

/** Nothing is left of the command that the keeper before had ordered: if it did its work, that shows; if not, it is run (again). */
function commandLost(service: Service, state: Stopping, role: 'stop' | 'restart', at: Moment): Move {
  if (state.process === null) return helperExited(service, state, at);
  const { kind } = service.spec;
  if (kind.type !== 'watched') return stay(service);
  const command = role === 'restart' ? kind.restart : kind.stop.type === 'command' ? kind.stop.command : null;
  return command === null ? stay(service) : runCommand(service, state.process, role, command, state.why, at);
}

export function exited(service: Service, state: Stopping, fact: Of<'exited'>, at: Moment): Move {
  if (state.process !== null && isSameProcess(state.process, fact.process))
    return mainExited(service, state, state.process, fact, at);
  return helperExited(service, state, at);
}

function mainExited(service: Service, state: Stopping, process: ProcessRef, fact: Of<'exited'>, at: Moment): Move {
  // Its turn had not come: nothing was done to it yet.
  const our = state.phase === 'turn' ? 'none' : ourPartIn(state.why);
  const life = { startedAt: service.restarts.lastStart, readySince: our === 'start-timeout' ? null : state.since };
  const death = {
    ...deathOf(process, fact.evidence, our, life, fact.away, at),
    detail: our === 'start-timeout' ? (service.lastDeath?.detail ?? null) : null,
  };
  const dead: Service = {
    ...service,
    lastDeath: our === 'start-timeout' || our === 'none' ? filed(service, death) : death,
  };
  switch (service.spec.kind.type) {
    case 'supervised':
      return endRest(dead, state, process, at);
    case 'watched':
      // A stop or restart command that still runs is waited for: it may be about to start the next one.
      if (state.phase === 'command') return go(dead, { ...state, process: null });
      return afterStop(dead, state, at);
  }
}

function ourPartIn(why: Stopping['why']): OurPart {
  switch (why) {
    case 'start-timeout':
    case 'coupling':
      return why;
    case 'requested':
    case 'changed':
    case 'restart-command':
    case 'hook':
      return 'requested';
  }
}

/** The start, stop or restart command has ended. */
function helperExited(service: Service, state: Stopping, at: Moment): Move {
  const alone: Stopping = { ...state, helper: null };
  switch (state.phase) {
    case 'launching':
      return findBeforeStop(service, state.why, at);
    case 'command':
      if (state.why === 'restart-command') return afterRestartCommand(service, alone, at);
      if (state.process === null) return afterStop(service, alone, at);
      return go(service, { ...alone, phase: 'commanded', deadline: later(at.instant, commandPatience) });
    case 'commanded':
    case 'turn':
    case 'before':
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
    return readying(service, state.process, null, at.instant, at);
  }
  const finding: Starting = {
    name: 'starting',
    since: at.instant,
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
        return before([follow(service, process)], [], readying(known, process, null, state.since, at));
      }
      return before([follow(service, process)], [], beginStop(known, process, null, state.why, at));
    }
    case 'none':
    case 'ambiguous':
    case 'unseen':
      return afterStop(service, state, at);
  }
}

export function emptied(service: Service, state: Stopping, at: Moment): Move {
  return state.process === null ? afterStop(service, state, at) : stay({ ...service, rest: null });
}

export function deadlinePassed(service: Service, state: Stopping, at: Moment): Move {
  return escalate(service, state, at);
}
