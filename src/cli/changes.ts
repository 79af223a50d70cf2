// Looks at the status whenever something changes: the keeper's events say when, and its status says what. Events that
// come together make one look. Misses nothing: the first look comes after the events have begun.

import { call, follow } from '../control/client.js';
import type { Status } from '../core/status.js';
import { isStatus } from './keeper-link.js';
import type { Places } from './places.js';

export interface Looking {
  readonly places: Places;
  /** Also without an event after so many ms; null: never. Lets a view count on. */
  readonly every: number | null;
  /** Only what changed here makes a look; null: everything. */
  readonly isOurs: ((service: string) => boolean) | null;
  /** `done` ends it. */
  readonly onStatus: (status: Status) => Promise<'go on' | 'done'> | 'go on' | 'done';
  readonly signal: AbortSignal;
}

// A storm of events makes ten looks a second, not thousands.
const GATHER_MS = 100;
const PATIENCE = 10_000;

/** `done`: onStatus said so. `ended`: the signal did. `gone`: the keeper went away; `reason` is the system's word. */
export type Looked = { readonly type: 'done' | 'ended' } | { readonly type: 'gone'; readonly reason: string };

export async function lookAtChanges({ places, every, isOurs, onStatus, signal }: Looking): Promise<Looked> {
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const bell = newBell();
  const following = follow(
    places.socket,
    {
      onOpen: bell.ring,
      onEvent: (event) => {
        if (isOurs === null || isOurs(serviceIn(event))) bell.ring();
      },
    },
    both,
  ).then((answer) => {
    bell.end(answer.type === 'no-keeper' ? answer.reason : 'it ended');
  });
  try {
    while (!signal.aborted) {
      const rung = await bell.next(every);
      if (signal.aborted) break;
      if (rung.type === 'ended') return { type: 'gone', reason: rung.reason };
      const answer = await call({
        socket: places.socket,
        method: 'GET',
        path: '/v1/status',
        patience: PATIENCE,
        signal: both,
      });
      if (signal.aborted) break;
      if (answer.type === 'no-keeper') return { type: 'gone', reason: answer.reason };
      if (answer.type === 'error') return { type: 'gone', reason: answer.message };
      if (isStatus(answer.body) && (await onStatus(answer.body)) === 'done') return { type: 'done' };
    }
    return { type: 'ended' };
  } finally {
    stop.abort();
    await following;
  }
}

function serviceIn(event: unknown): string {
  return typeof event === 'object' && event !== null && 'service' in event ? String(event.service) : '';
}

type Rung = { readonly type: 'rung' } | { readonly type: 'ended'; readonly reason: string };

interface Bell {
  readonly ring: () => void;
  readonly end: (reason: string) => void;
  /** Resolves when it was rung since the last time, a moment after; or after `every` ms. */
  readonly next: (every: number | null) => Promise<Rung>;
}

function newBell(): Bell {
  let state: Rung | { readonly type: 'silent' } = { type: 'silent' };
  let wake = (): void => {};
  let last = 0;
  return {
    ring: () => {
      if (state.type === 'silent') state = { type: 'rung' };
      wake();
    },
    end: (reason) => {
      state = { type: 'ended', reason };
      wake();
    },
    next: async (every) => {
      if (state.type === 'silent') await waitFor(every, (callback) => (wake = callback));
      const soonest = last + GATHER_MS - performance.now();
      if (state.type !== 'ended' && soonest > 0) await waitFor(soonest, () => {});
      last = performance.now();
      const rung = state;
      if (rung.type === 'ended') return rung;
      state = { type: 'silent' };
      return { type: 'rung' };
    },
  };
}

/** Until the callback is called, or so many ms are over. */
function waitFor(ms: number | null, register: (callback: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = ms === null ? null : setTimeout(resolve, ms);
    register(() => {
      if (timer !== null) clearTimeout(timer);
      resolve();
    });
  });
}
