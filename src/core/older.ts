// What an older version wrote down, as this one has it: a field that it did not know gets the value that means the same. The
// one place for that; everything that is read back from a disk passes through here. Knows no disk.

import type { Change } from './change.js';
import type { Entry } from './entry.js';
import { noOpposition } from './fight.js';
import { replaceHandover } from './socket.js';
import { noCoupling, noHooks, type ServiceSpec } from './spec.js';
import { type Service, type ServiceState, silent } from './state.js';
import { millis } from './time.js';

export function wholeSpec(spec: ServiceSpec): ServiceSpec {
  const alone = {
    pool: null,
    heartbeats: [],
    coupling: noCoupling,
    hooks: noHooks,
    directories: [],
    clean: [],
    sockets: [],
    fdStore: 0,
    handover: replaceHandover,
    watchdog: null,
    notifyAccess: 'none',
  } as const;
  const { kind } = spec;
  const restart = { ...{ at: null, spread: millis(0) }, ...spec.restart };
  return { ...alone, ...spec, restart, kind: kind.type === 'supervised' ? { ...{ oneshot: 'no' }, ...kind } : kind };
}

/** The rest of a service, whose definitions are written elsewhere. */
export function wholeService<S extends Omit<Service, 'spec' | 'next'>>(service: S): S {
  const quiet = {
    asked: null,
    opposition: noOpposition,
    wave: null,
    missing: [],
    enrolled: null,
    health: [],
    draining: [],
    unborn: [],
    said: silent,
    watchdog: null,
    reloading: null,
    planned: null,
  } as const;
  const { state, lastDeath } = service;
  const unseen = { peakMemory: null, cpuTime: null, findings: null, onRequest: 'no' } as const;
  return {
    ...quiet,
    ...service,
    state: wholeState(state),
    lastDeath: lastDeath === null ? null : { ...unseen, ...lastDeath },
  };
}

export function wholeEntry(entry: Entry): Entry {
  const { news } = entry;
  if (news.of === 'keeper') return entry;
  const change: Change = { ...{ wave: null }, ...news.change };
  return {
    ...entry,
    news: { ...news, change, about: { ...{ heldBack: [], ailing: [], unasked: [] }, ...news.about } },
  };
}

/** What it was to be started for was not written down: an end that nobody asked for is the commonest reason, and waits for no place. */
function wholeState(state: ServiceState): ServiceState {
  switch (state.name) {
    case 'waiting':
      return { ...{ why: state.for === 'boot' || state.for === 'shutdown' ? 'first' : 'restart' }, ...state };
    case 'starting':
      return { ...{ why: 'restart', hook: 0 }, ...state };
    case 'stopping':
      return { ...{ hook: 0, servedSince: null }, ...state };
    case 'unknown':
    case 'stopped':
    case 'skipped':
    case 'running':
    case 'handover':
    case 'done':
    case 'backoff':
    case 'failed':
      return state;
  }
}
