// What a move of one service means to those that go with it: whether it leaves, has ended, or is back. Knows the two values and
// what happened between them, and moves nobody.

import type { What } from './change.js';
import { mainOf, type Service, type Stopping } from './state.js';
import { isUp } from './turn.js';
import type { View } from './world.js';

/** What a move meant to those who depend on the service. */
export type Meaning =
  /** It is to be stopped, and nothing was done to it yet. */
  | 'leaving'
  /** It has ended. */
  | 'ended'
  /** An attempt to start it has come to nothing. */
  | 'failed'
  /** The same, and it begins a wave: those that restart with it may be why. */
  | 'relapsed'
  /** It is ready. */
  | 'returned'
  /** It was down already, and is to stay so. */
  | 'abandoned'
  | 'nothing';

export function meaningOf(
  view: Pick<View, 'dependentsOf'>,
  was: Service | null,
  now: Service,
  happened: readonly What[],
): Meaning {
  if (was === null) return 'nothing';
  // Back by another's hand after an end that nobody had acted on yet: that end counts. Whoever it handed over to was never away.
  if (isUp(now) && !isUp(was))
    return isSettling(was) && happened.some(({ type }) => type === 'cameBack') ? 'ended' : 'returned';
  if (now.state.name === 'stopping' && was.state.name !== 'stopping')
    return isLeaving(now.state) ? 'leaving' : endingOf(happened);
  if (happened.some(({ type }) => type === 'startFailed')) return isRelapse(view, now) ? 'relapsed' : 'failed';
  if (hasEnded(was, now, happened)) return 'ended';
  return now.state.name === 'stopped' && was.state.name !== 'stopped' ? 'abandoned' : 'nothing';
}

/** Ended by itself: its commands after a stop are no part of what others wait for. */
function endingOf(happened: readonly What[]): Meaning {
  if (happened.some(({ type }) => type === 'startFailed')) return 'failed';
  return happened.some(({ type }) => type === 'died') ? 'ended' : 'nothing';
}

/** A start that is given up takes nobody with it: nobody was there for its sake. */
const isLeaving = ({ phase, why }: Stopping): boolean => phase === 'turn' && why !== 'start-timeout' && why !== 'hook';

/** In a wave its partners have moved already, and a quiet try of one that has failed disturbs nobody. */
function isRelapse(view: Pick<View, 'dependentsOf'>, { spec, state, wave, missing, lastDeath }: Service): boolean {
  const isOnItsOwn = wave === null && missing.length === 0 && state.name !== 'failed';
  return isOnItsOwn && lastDeath?.process != null && view.dependentsOf(spec.name).restarts.length > 0;
}

function hasEnded(was: Service, now: Service, happened: readonly What[]): boolean {
  if (was.state.name === 'stopping') {
    // What its own restart command left alive has not ended.
    return (
      was.state.why !== 'ended' &&
      now.state.name !== 'stopping' &&
      !(mainOf(now) !== null && mainOf(now) === mainOf(was))
    );
  }
  return !isSettling(now) && (isSettling(was) || happened.some(({ type }) => type === 'died'));
}

/** Ended in a way that somebody may have wanted: until that is decided it is no end for others. */
const isSettling = ({ state }: Service): boolean => state.name === 'waiting' && state.for === 'settle';
