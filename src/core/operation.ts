// What came of an operator's ask: still on its way, done, or refused. For those who wait: `upkeep restart` and `?wait=`.

import type { Change } from './change.js';
import { describeFailedStart } from './death.js';
import type { Verb } from './event.js';
import type { Service } from './state.js';

export type Progress =
  | { readonly type: 'pending'; readonly text: string }
  | { readonly type: 'done'; readonly text: string }
  | { readonly type: 'failed'; readonly text: string };

/** Judges by what happened since the ask (`changes`, oldest first) and by where the service is now; null: it is gone. */
export function progressOf(verb: Verb, changes: readonly Change[], service: Service | null): Progress {
  for (const { what } of changes) {
    if (what.type === 'refused' && what.verb === verb) return { type: 'failed', text: what.reason };
    if (verb === 'reload' && what.type === 'reloaded') return { type: 'done', text: 'reloaded' };
    if (verb === 'reload' && what.type === 'reloadFailed') return { type: 'failed', text: what.reason };
  }
  if (service === null)
    return verb === 'stop' ? { type: 'done', text: 'stopped' } : { type: 'failed', text: 'it was removed' };
  switch (verb) {
    case 'start':
    case 'restart':
      return progressUp(changes, service);
    case 'stop':
      return progressDown(service);
    case 'reload':
      return { type: 'pending', text: 'reloading' };
    case 'hold':
      return { type: 'done', text: 'on hold' };
    case 'unhold':
      return { type: 'done', text: 'no longer on hold' };
    case 'reset':
      return { type: 'done', text: 'failures and delays forgotten' };
    case 'signal':
      return { type: 'done', text: 'signal sent' };
  }
}

function progressUp(changes: readonly Change[], service: Service): Progress {
  const { state } = service;
  const failed = changes.findLast(({ what }) => what.type === 'startFailed');
  const reason = failed?.what.type === 'startFailed' ? describeFailedStart(failed.what.death) : null;
  switch (state.name) {
    case 'running':
      return { type: 'done', text: `running (pid ${state.process.pid})` };
    case 'done':
      return { type: 'done', text: 'done' };
    case 'skipped':
      return { type: 'done', text: 'skipped: its condition says no' };
    case 'backoff':
    case 'failed':
      return { type: 'failed', text: reason ?? `it is ${state.name}` };
    case 'stopped':
      return {
        type: 'failed',
        text: reason ?? (state.why === 'no-start' ? 'it has no `start` command' : 'it was stopped'),
      };
    case 'waiting':
      return state.for === 'hold'
        ? { type: 'failed', text: 'it is on hold' }
        : { type: 'pending', text: `waiting (${state.for})` };
    case 'unknown':
      return state.why.type === 'looking'
        ? { type: 'pending', text: 'looking' }
        : { type: 'failed', text: 'it is not clear which process it is' };
    case 'starting':
      return reason === null ? { type: 'pending', text: 'starting' } : { type: 'failed', text: reason };
    case 'stopping':
      return state.phase === 'stuck'
        ? { type: 'failed', text: 'it does not end' }
        : { type: 'pending', text: 'stopping' };
  }
}

function progressDown(service: Service): Progress {
  const { state } = service;
  switch (state.name) {
    case 'stopped':
    case 'skipped':
    case 'done':
    case 'backoff':
    case 'failed':
    case 'waiting':
      return { type: 'done', text: 'stopped' };
    case 'unknown':
      return { type: 'pending', text: 'looking' };
    case 'starting':
    case 'running':
      return { type: 'pending', text: state.name };
    case 'stopping':
      return state.phase === 'stuck'
        ? { type: 'failed', text: 'it does not end' }
        : { type: 'pending', text: 'stopping' };
  }
}
