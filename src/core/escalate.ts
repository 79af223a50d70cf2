// When the way down takes too long: the next rung, SIGKILL, and at last the word that it is stuck. And what a new keeper
// orders anew of a way down that the one before had begun.

import type { Effect } from './effect.js';
import { endHelper } from './end-helper.js';
import { killPatience, seek } from './launch.js';
import { endingOfRest, outlivesKill } from './leftovers.js';
import { go, type Move, stay } from './move.js';
import type { ProcessRef, SignalName } from './process.js';
import type { Service, Stopping } from './state.js';
import { beStuck, climb, leaveState } from './stop.js';
import { later, type Moment } from './time.js';

/** A deadline of the way down has passed. */
export function escalate(service: Service, state: Stopping, at: Moment): Move {
  const { kind } = service.spec;
  switch (state.phase) {
    case 'turn':
    case 'before':
    case 'after':
    case 'condition':
    case 'preparing':
      return stay(service);
    case 'launching':
      // Without its answer there is nothing to end yet: the answer sets a deadline of its own.
      return state.helper === null
        ? go(service, { ...state, deadline: null })
        : endCommand(service, state, state.helper, at);
    case 'finding':
      return go(service, { ...state, deadline: null }, [seek(service)]);
    case 'exporting':
      return leaveState(service, state, `it took longer than ${service.spec.handover.transfer / 1000} s`, at);
    case 'abort':
      if (state.process === null || kind.stop.type !== 'ladder') return stay(service);
      return climb(service, state.process, kind.stop, 0, state.why, at);
    case 'ladder':
      if (state.process === null || kind.stop.type !== 'ladder') return stay(service);
      return climb(service, state.process, kind.stop, state.rung + 1, state.why, at);
    case 'command':
      return state.helper === null ? stay(service) : endCommand(service, state, state.helper, at);
    case 'commanded':
      return state.process === null
        ? stay(service)
        : beStuck(service, state.process, state.why, `its command did not end process ${state.process.pid}`, at);
    case 'rest':
      return killRest(service, state, at);
    case 'killing':
    case 'stuck':
      return go(
        service,
        { ...state, phase: 'stuck', deadline: null },
        [],
        [{ type: 'stuck', reason: outlivesKill(state.process?.pid ?? null, service.rest?.pid ?? null) }],
      );
  }
}

function endCommand(service: Service, state: Stopping, helper: ProcessRef, at: Moment): Move {
  return go(service, { ...state, deadline: later(at.instant, killPatience) }, endHelper(service, helper), [
    { type: 'escalated', signal: 'SIGTERM' },
  ]);
}

function killRest(service: Service, state: Stopping, at: Moment): Move {
  if (service.rest === null) return stay(service);
  const signal: SignalName = 'SIGKILL';
  return go(
    service,
    { ...state, phase: 'killing', deadline: later(at.instant, killPatience) },
    endingOfRest(service, signal),
    [{ type: 'escalated', signal }],
  );
}

/** The orders of the phase it is in: a new keeper gives them again, as it cannot know whether the one before got to it. */
export function ordersOf(service: Service, state: Stopping): readonly Effect[] {
  const { name, kind } = service.spec;
  const { process } = state;
  const rung = kind.stop.type === 'ladder' ? kind.stop.rungs[state.rung] : undefined;
  switch (state.phase) {
    case 'ladder':
      if (process === null || rung === undefined) return [];
      return [{ type: 'signal', service: name, process, signal: rung.signal, to: rung.to, thenContinue: 'yes' }];
    case 'abort':
      if (process === null) return [];
      return [{ type: 'signal', service: name, process, signal: 'SIGABRT', to: 'main', thenContinue: 'yes' }];
    case 'exporting':
      return process === null ? [] : [{ type: 'export', spec: service.spec, from: process, to: null }];
    case 'killing':
      if (process !== null)
        return [{ type: 'signal', service: name, process, signal: 'SIGKILL', to: 'group', thenContinue: 'no' }];
      return endingOfRest(service, 'SIGKILL');
    case 'rest':
      return endingOfRest(service, 'SIGTERM');
    case 'finding':
      return [seek(service)];
    case 'condition':
    case 'preparing':
      return endHelper(service, state.helper);
    case 'before':
    case 'after':
      return state.rung > 0 ? endHelper(service, state.helper) : [];
    case 'turn':
    case 'launching':
    case 'command':
    case 'commanded':
    case 'stuck':
      return [];
  }
}
