// A rolling restart under way: the next member of a pool sets out, or the rest stays as it is because one has not come
// back. Whose turn it is, is decided in pool.ts.

import type { What } from './change.js';
import { describeFailedStart } from './death.js';
import type { Draft } from './draft.js';
import { obstacle, replace } from './handover.js';
import { launch } from './launch.js';
import type { Move } from './move.js';
import { isEnrolled, passOver, rollsAfter, siblingsOf } from './pool.js';
import type { Service } from './state.js';
import type { Moment } from './time.js';
import { carry } from './wave.js';

/** Restarts a member whose turn has come. Nothing is taken down on a host that would not let it come back. */
export function roll(draft: Draft, service: Service): void {
  if (!isEnrolled(service) || draft.at.host === 'ending' || rollsAfter(draft, service).length > 0) return;
  // An old generation of it still drains: as many as may.
  if (obstacle(service) !== null) return;
  carry(draft, service, setOut(service, draft.at));
}

function setOut(service: Service, at: Moment): Move {
  const { state, enrolled } = service;
  const free: Service = { ...service, enrolled: null };
  return state.name === 'running' ? replace(free, state, enrolled ?? 'requested', at) : launch(free, 'requested', at);
}

/** After a move of a member: where it has not come back, those that were to follow stay as they are. */
export function breakOff(draft: Draft, { service, happened }: Move): void {
  if (service.spec.pool === null) return;
  const setback = setbackIn(service, happened);
  if (setback === null) return;
  for (const sibling of siblingsOf(draft, service)) {
    if (sibling.enrolled !== null) carry(draft, sibling, passOver(sibling, `${service.spec.name} ${setback}`));
  }
}

/** What stops a roll, as the end of a sentence; null: nothing. */
function setbackIn({ state }: Service, happened: readonly What[]): string | null {
  const hasFailed = happened.some(({ type }) => type === 'failed');
  for (const what of happened) {
    // A quiet try of one that had failed before says nothing about the others.
    if (what.type === 'startFailed' && (state.name !== 'failed' || hasFailed))
      return `did not start: ${describeFailedStart(what.death)}`;
    if (what.type === 'failed') return 'has failed';
    if (what.type === 'handoverRefused') return `was not replaced: ${what.reason}`;
    if (what.type === 'stuck') return 'does not end';
  }
  return null;
}
