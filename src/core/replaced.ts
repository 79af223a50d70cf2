// A restart as whoever asks for it sees it: whether it leaves the service up, and afterwards how a generation was replaced by the
// next: by whom, how long that took, what became of the state, and how long nobody was there. Made of what happened since the
// ask. Decides nothing.

import type { Change } from './change.js';
import { obstacle, overlaps } from './handover.js';
import { isSameProcess, type ProcessRef } from './process.js';
import { sizeInWords } from './size.js';
import type { Service } from './state.js';
import { elapsedOnWall, inFineWords } from './time.js';

/** Would a restart of it, as it is now, leave it up all the time? */
export const isReplacedBeside = (service: Service): boolean =>
  (service.state.name === 'running' || service.state.name === 'handover') && overlaps(service);

/** When it is its turn, after `it is`: members of a pool go one at a time, and only so many old generations may drain. */
export function turnText(service: Service): string {
  if (!isReplacedBeside(service)) return 'restarted when its turn comes';
  return obstacle(service) === null
    ? 'handed over to a new generation when its turn comes'
    : 'handed over to a new generation when an old one has ended';
}

type Committed = Extract<Change['what'], { type: 'committed' }>;

/** After `web: `, of one that runs: `running (pid 913), was pid 812; 84 ms; pid 812 finishes what it has begun`. */
export function howItWent(changes: readonly Change[], service: Service, process: ProcessRef): string {
  const committed = changes.findLast(({ what }) => what.type === 'committed')?.what;
  const parts =
    committed?.type === 'committed' && isSameProcess(committed.to, process)
      ? handedOver(committed, changes)
      : stoppedAndStarted(changes, service, process);
  return [`running (pid ${process.pid})`, ...parts].join('');
}

function handedOver({ from, took }: Committed, changes: readonly Change[]): readonly string[] {
  return [
    `, was pid ${from.pid}; ${inFineWords(took)}`,
    ...stateText(changes, 'went over'),
    `; pid ${from.pid} finishes what it has begun`,
  ];
}

/** The gap only where somebody may have connected meanwhile, and nobody else was there for them. */
function stoppedAndStarted(changes: readonly Change[], service: Service, process: ProcessRef): readonly string[] {
  const { sockets, pool } = service.spec;
  const gap = sockets.length === 0 || pool !== null ? null : gapIn(changes, service, process);
  const queued = gap === null ? [] : [`; ${inFineWords(gap)} without a process; who connected meanwhile was queued`];
  return [...queued, ...stateText(changes, 'was kept')];
}

/** From the end of the process before to the start of this one; null: there was none before, or one of the two was not seen. */
function gapIn(changes: readonly Change[], { lastDeath }: Service, process: ProcessRef): number | null {
  const stopping = changes.find(({ what }) => what.type === 'stopping');
  const launched = changes.findLast(({ what }) => what.type === 'launched' && isSameProcess(what.process, process));
  if (stopping === undefined || launched === undefined || lastDeath === null) return null;
  return lastDeath.time < stopping.time ? null : elapsedOnWall(lastDeath.time, launched.time);
}

function stateText(changes: readonly Change[], did: string): readonly string[] {
  const received = changes.findLast(({ what }) => what.type === 'handoverPhase' && what.phase === 'received')?.what;
  const bytes = received?.type === 'handoverPhase' ? received.bytes : null;
  return bytes === null ? [] : [`; ${sizeInWords(bytes)} of state ${did}`];
}

/** It came to nothing: the old one goes on, unless it has ended too. */
export function refusalText({ what, to }: Change, service: Service | null): string {
  const reason = what.type === 'handoverRefused' ? what.reason : '';
  if (to !== 'running') return reason;
  const pid = service?.state.name === 'running' ? ` (pid ${service.state.process.pid})` : '';
  return `${reason}; the old generation goes on${pid}`;
}

/** Said of one that goes down for another's sake, and cannot write its state: that hinders nobody. */
export const isLostState = ({ what, from, to }: Change): boolean =>
  what.type === 'handoverRefused' && from === 'stopping' && to !== 'running';
