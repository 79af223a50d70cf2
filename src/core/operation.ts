// What came of an operator's ask: still on its way, done, or refused. For those who wait: `upkeep restart` and `?wait=`.

import type { Change } from './change.js';
import { describeFailedStart } from './death.js';
import type { Verb } from './event.js';
import { phaseText } from './handover.js';
import { isOrAre, listOf } from './message.js';
import type { Outlook } from './outlook.js';
import { isEnrolled } from './pool.js';
import { othersInWords, reasonOf } from './reason.js';
import { howItWent, isLostState, refusalText } from './replaced.js';
import type { Service } from './state.js';
import type { Now } from './time.js';

export type Progress =
  | { readonly type: 'pending'; readonly text: string }
  | { readonly type: 'done'; readonly text: string }
  | { readonly type: 'failed'; readonly text: string };

/** Judges by what happened since the ask (`changes`, oldest first) and by where the service is now; null: it is gone. */
export function progressOf(
  verb: Verb,
  changes: readonly Change[],
  service: Service | null,
  now: Now,
  outlook: Outlook,
): Progress {
  for (const [index, change] of changes.entries()) {
    const { what } = change;
    if (what.type === 'refused' && what.verb === verb && isOfFirst(verb, changes.slice(0, index)))
      return { type: 'failed', text: what.reason };
    const isRefused = what.type === 'handoverRefused' && !isLostState(change);
    if (isReplacing(verb) && isRefused && !changes.slice(index).some(isMovedAlong))
      return { type: 'failed', text: refusalText(change, service) };
    if (verb === 'restart' && what.type === 'rollEnded') return { type: 'failed', text: what.reason };
    if (verb === 'reload' && what.type === 'reloaded') return { type: 'done', text: 'reloaded' };
    if (verb === 'reload' && what.type === 'reloadFailed') return { type: 'failed', text: what.reason };
  }
  if (service === null)
    return verb === 'stop' ? { type: 'done', text: 'stopped' } : { type: 'failed', text: 'it was removed' };
  switch (verb) {
    case 'restart':
      if (isEnrolled(service)) return { type: 'pending', text: 'waiting for its turn' };
      return progressUp(changes, service, now, outlook);
    case 'start':
      return progressUp(changes, service, now, outlook);
    case 'stop':
      return progressDown(service, now, outlook);
    case 'reload':
      if (changes.some(({ what }) => what.type === 'handingOver')) return progressUp(changes, service, now, outlook);
      return { type: 'pending', text: reloadingText(service) };
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

/** Each refusal follows its ask; the second ask was somebody else's, and so is its answer. */
const isOfFirst = (verb: Verb, before: readonly Change[]): boolean =>
  before.filter(({ what }) => what.type === 'asked' && what.verb === verb).length <= 1;

/** Another service restarts it after all. */
const isMovedAlong = ({ what }: Change): boolean => what.type === 'stopping' && what.why === 'coupling';

const isReplacing = (verb: Verb): boolean => verb === 'restart' || verb === 'reload';

function progressUp(changes: readonly Change[], service: Service, now: Now, outlook: Outlook): Progress {
  const { state } = service;
  const failed = changes.findLast(({ what }) => what.type === 'startFailed');
  const reason = failed?.what.type === 'startFailed' ? describeFailedStart(failed.what.death) : null;
  switch (state.name) {
    case 'running':
      return { type: 'done', text: howItWent(changes, service, state.process) };
    case 'handover':
      return { type: 'pending', text: phaseText(state) };
    case 'done':
      return { type: 'done', text: doneText(changes, service) };
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
      if (state.for === 'connection')
        return { type: 'done', text: 'its sockets listen; it is started at the first connection' };
      if (state.for === 'hold') return { type: 'failed', text: 'it is on hold' };
      return outlook.blockedBy(service).length > 0
        ? { type: 'failed', text: blockedText(service, now, outlook) }
        : { type: 'pending', text: reasonOf(service, now, outlook) };
    case 'unknown':
      return state.why.type === 'looking'
        ? { type: 'pending', text: 'looking' }
        : { type: 'failed', text: 'it is not clear which process it is' };
    case 'starting':
      return reason === null ? { type: 'pending', text: 'starting' } : { type: 'failed', text: reason };
    case 'stopping':
      return progressOfStop(service, now, outlook);
  }
}

/** Of one that says itself when it has done so. */
function reloadingText({ reloading }: Service): string {
  if (reloading === null) return 'reloading';
  return reloading.phase === 'signaled' ? 'asked to reload, has not answered yet' : 'reloading, until it says READY=1';
}

/** What it waits for does not come up by itself: that is no reason for a person to wait too. */
function blockedText(service: Service, now: Now, outlook: Outlook): string {
  const others = outlook.waitsFor(service);
  const roots = outlook.blockedBy(service);
  const behind = roots.every((root) => others.includes(root))
    ? ''
    : ` (in the end for ${othersInWords(roots, now, outlook)})`;
  return `it waits for ${othersInWords(others, now, outlook)}${behind}; it goes on waiting, and is started once ${listOf(others)} ${isOrAre(others)} ready`;
}

function progressOfStop(service: Service, now: Now, outlook: Outlook): Progress {
  const { state } = service;
  return state.name === 'stopping' && state.phase === 'stuck'
    ? { type: 'failed', text: 'it does not end' }
    : { type: 'pending', text: outlook.waitsFor(service).length > 0 ? reasonOf(service, now, outlook) : 'stopping' };
}

/** A start of one that is done does nothing, and says so. */
function doneText(changes: readonly Change[], { spec }: Service): string {
  const hasRun = changes.some(({ what }) => what.type === 'done');
  return hasRun ? 'done' : `it did its work before; \`upkeep restart ${spec.name}\` has it done again`;
}

function progressDown(service: Service, now: Now, outlook: Outlook): Progress {
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
    case 'handover':
      return { type: 'pending', text: state.name };
    case 'stopping':
      return progressOfStop(service, now, outlook);
  }
}
