// What a service says on its hand-over channel: the state that goes from one generation to the next, and the word that the new
// one will not take over. Knows no channel.

import type { ServiceEvent } from './event.js';
import { abort, exported, transfer } from './handover.js';
import { before, type Move, stay } from './move.js';
import { isSameProcess, type ProcessRef } from './process.js';
import type { Handover, Service, Stopping } from './state.js';
import { goesOn, leaveState } from './stop.js';
import type { Moment } from './time.js';

type Of<T extends ServiceEvent['type']> = Extract<ServiceEvent, { type: T }>;

export function heard(service: Service, fact: Of<'heard'>, at: Moment): Move {
  const { state } = service;
  switch (state.name) {
    case 'handover':
      return heardInHandover(service, state, fact, at);
    case 'stopping':
      return state.phase === 'exporting' && is(state.process, fact.process)
        ? heardWhileStopping(service, state, fact, at)
        : stay(service);
    case 'starting':
      // Nobody is there who could write one; what the last one left behind, it has been given already.
      return stay(service);
    case 'unknown':
    case 'stopped':
    case 'skipped':
    case 'waiting':
    case 'running':
    case 'done':
    case 'backoff':
    case 'failed':
      return stay(service);
  }
}

const is = (one: ProcessRef | null, other: ProcessRef): boolean => one !== null && isSameProcess(one, other);

function heardInHandover(service: Service, state: Handover, { process, word }: Of<'heard'>, at: Moment): Move {
  const isNew = is(state.successor, process);
  const isOld = is(state.process, process);
  switch (word.type) {
    case 'wantsState':
      return isNew ? transfer(service, state, at) : stay(service);
    case 'exported':
      return isOld ? exported(service, state, word.bytes, at) : stay(service);
    case 'noState':
      return isOld ? exported(service, state, null, at) : stay(service);
    case 'exportFailed':
      return isOld && state.phase === 'transfer'
        ? abort(service, state, `the old generation could not write its state: ${word.reason}`, at)
        : stay(service);
    case 'refused':
      return isNew ? abort(service, state, `the new generation refused: ${word.reason}`, at) : stay(service);
  }
}

function heardWhileStopping(service: Service, state: Stopping, { word }: Of<'heard'>, at: Moment): Move {
  switch (word.type) {
    case 'exported': {
      const kept = { type: 'handoverPhase', phase: 'received', process: state.process, bytes: word.bytes } as const;
      return before([], [kept], goesOn(service, state, at));
    }
    case 'noState':
      return goesOn(service, state, at);
    case 'exportFailed':
      return leaveState(service, state, word.reason, at);
    case 'wantsState':
    case 'refused':
      return stay(service);
  }
}
