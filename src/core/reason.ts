// Why a service is as it is, in one clause that reads after the name of its state: for tables, cards and progress lines. The
// sentences of `upkeep why` are in standing.ts.

import { ailment } from './ailment.js';
import { graceOf } from './deadline.js';
import { describeDeath } from './death.js';
import { phaseText } from './handover.js';
import { healthClauses } from './health-text.js';
import { countOf, listOf } from './message.js';
import { outgoingClause } from './outgoing-text.js';
import type { Outlook } from './outlook.js';
import { byWhom } from './person.js';
import { turnText } from './replaced.js';
import type { ServiceName } from './spec.js';
import {
  type Backoff,
  desiredOf,
  type Failed,
  isInFight,
  type Service,
  type Starting,
  type Stopping,
  type Unknown,
  type Waiting,
} from './state.js';
import { inWords, type Now } from './time.js';

export function reasonOf(service: Service, now: Now, outlook: Outlook): string {
  return (service.hold === null ? '' : 'on hold; ') + clauseOf(service, now, outlook);
}

function clauseOf(service: Service, now: Now, outlook: Outlook): string {
  const { state, lastDeath } = service;
  const last = lastDeath === null ? null : describeDeath(lastDeath);
  switch (state.name) {
    case 'unknown':
      return whyUnknown(state.why);
    case 'stopped':
      return whyStopped(service, last);
    case 'waiting':
      return whyWaiting(service, state, now, outlook);
    case 'starting':
      return startingPhase[state.phase] + away(service, now);
    case 'skipped':
      return 'its condition says no';
    case 'done':
      return `done ${inWords(now.instant - state.since)} ago`;
    case 'handover':
      return `${phaseText(state)}${state.successor === null ? '' : ` (pid ${state.successor.pid})`}; pid ${state.process.pid} serves`;
    case 'running':
      return [runningText(service, now.instant - state.since, now), ...healthClauses(service, now)].join('; ');
    case 'stopping':
      return whyStopping(service, state, outlook);
    case 'backoff':
      return whyBackoff(service, state, now, last);
    case 'failed':
      return whyFailed(state, now, last);
  }
}

const startingPhase: Readonly<Record<Starting['phase'], string>> = {
  condition: 'asking its condition',
  preparing: 'preparing its directories',
  before: 'running its beforeStart commands',
  launching: 'launching',
  finding: 'looking for what its start command started',
  readying: 'waiting to become ready',
  working: 'at its work',
  after: 'running its afterStart commands',
};

function whyUnknown(why: Unknown['why']): string {
  switch (why.type) {
    case 'looking':
      return 'looking for it';
    case 'ambiguous':
      return `ambiguous: ${why.pids.join(', ')}; narrow with pidFile or user`;
    case 'unseen':
      return why.reason;
  }
}

function whyStopped(service: Service, last: string | null): string {
  const { state, override } = service;
  if (state.name !== 'stopped') return '';
  switch (state.why) {
    case 'requested': {
      if (override?.desired !== 'down') return 'not wanted up';
      return `stopped${byWhom(override.by)}${override.reason === null ? '' : `: ${override.reason}`}`;
    }
    case 'policy':
      return `its restart policy leaves it down: ${last ?? 'it ended'}`;
    case 'no-start':
      return `not running, and it has no \`start\` command${last === null ? '' : `: ${last}`}`;
  }
}

function whyWaiting(service: Service, state: Waiting, now: Now, outlook: Outlook): string {
  const last = service.lastDeath === null ? null : describeDeath(service.lastDeath);
  switch (state.for) {
    case 'turn':
      return `waiting for ${othersInWords(outlook.waitsFor(service), now, outlook)}`;
    case 'settle':
      return `may come back by itself: ${last ?? ''}`;
    case 'leftovers':
      return 'waiting for what is left of the last generation to end';
    case 'boot':
      return 'waiting for the host to finish booting';
    case 'shutdown':
      return 'the host goes down';
    case 'connection':
      return 'its sockets listen; it is started at the first connection';
    case 'hold':
      return last ?? 'not started';
  }
}

function whyStopping(service: Service, { phase, why }: Stopping, outlook: Outlook): string {
  if (phase === 'stuck') return 'does not end; see the log of the keeper';
  const others = outlook.waitsFor(service);
  if (others.length > 0) return `waits for ${namesInWords(others)} to stop`;
  const said = why === 'heartbeat' || why === 'heartbeat-stop' ? ailment(service) : null;
  return said === null ? `stopping (${why})` : `stopping: failed its heartbeat ${said}`;
}

function whyBackoff(service: Service, { deadline }: Backoff, now: Now, last: string | null): string {
  const fight = isInFight(service) ? ['somebody stops it again and again'] : [];
  const causes = [...fight, ...(last === null ? [] : [last])].join(', ');
  return `next try in ${inWords(deadline - now.instant)}${causes === '' ? '' : `: ${causes}`}`;
}

function whyFailed({ failure, deadline }: Failed, now: Now, last: string | null): string {
  const retry =
    deadline === null
      ? '`upkeep start` or `reset` tries again'
      : `next quiet try in ${inWords(deadline - now.instant)}`;
  switch (failure.type) {
    case 'limit':
      return `${countOf(failure.count, 'restart')} in a row did not help: ${last ?? ''}; ${retry}`;
    case 'nothing-matches':
      return 'its start command succeeded, and nothing matches; try `upkeep match`';
    case 'unhealthy':
      return `stopped by its heartbeat: ${last ?? ''}; ${retry}`;
    case 'prevented':
      return `its restart policy leaves it down: ${last ?? ''}`;
  }
}

/** What it needs has ended, and may come back before it has to follow. */
function away(service: Service, now: Now): string {
  const { missing } = service;
  const until = graceOf(service);
  if (until === null) return '';
  const names = namesInWords(missing.map((one) => one.service));
  const [are, they] = missing.length === 1 ? ['is', 'it is'] : ['are', 'they are'];
  return `; ${names} ${are} away: it stops in ${inWords(until - now.instant)} unless ${they} back`;
}

const runningText = (service: Service, length: number, now: Now): string =>
  `running for ${inWords(length)}${away(service, now)}${reloadingText(service)}${drainingText(service)}${enrolled(service)}`;

const reloadingText = ({ reloading, said }: Service): string =>
  said.stopping !== null ? '; says that it is stopping' : reloading !== null ? '; reloads' : '';

function drainingText(service: Service): string {
  const clause = outgoingClause(service);
  return clause === null ? '' : `; ${clause}`;
}

const enrolled = (service: Service): string => (service.enrolled === null ? '' : `; is ${turnText(service)}`);

/** `db: backoff, next try in 8 s`, or `db (failed) and cache (starting)`. None: then it lacks a place alone. */
export function othersInWords(names: readonly ServiceName[], now: Now, outlook: Outlook): string {
  const others = names.flatMap((name) => outlook.get(name) ?? []);
  const [first, second] = others;
  if (first === undefined) return `a free place (${outlook.parallel} start at once)`;
  if (second === undefined) {
    const help = helpFor(first);
    return `${first.spec.name}: ${whereabouts(first, now, outlook)}${help === null ? '' : `; \`${help}\``}`;
  }
  return fewInWords(others, (one) => `${one.spec.name} (${whereabouts(one, now, outlook)})`);
}

/** How one is that others wait for: a few words, without what it died of. */
function whereabouts(service: Service, now: Now, outlook: Outlook): string {
  const { state, hold, override } = service;
  if (hold !== null) return `on hold${byWhom(hold.by)}`;
  switch (state.name) {
    case 'unknown':
      return state.why.type === 'looking' ? 'looked for' : 'not clear which process it is';
    case 'stopped':
      if (state.why === 'policy') return 'left down by its restart policy';
      if (state.why === 'no-start') return 'down, without a `start` command';
      return override?.desired === 'down' ? `stopped${byWhom(override.by)}` : 'not wanted up';
    case 'skipped':
      return 'skipped, its condition says no';
    case 'waiting':
      if (state.for !== 'turn') return whyWaitingInWords[state.for];
      return waitingTurn(outlook.waitsFor(service));
    case 'stopping':
      return state.phase === 'stuck' ? 'does not end' : 'stopping';
    case 'backoff':
      return `backoff, next try in ${inWords(state.deadline - now.instant)}`;
    case 'failed':
      return state.deadline === null ? 'failed' : `failed, next quiet try in ${inWords(state.deadline - now.instant)}`;
    case 'handover':
      return 'running';
    case 'starting':
    case 'running':
    case 'done':
      return state.name;
  }
}

const whyWaitingInWords: Readonly<Record<Exclude<Waiting['for'], 'turn'>, string>> = {
  settle: 'may come back by itself',
  leftovers: 'what is left of its last generation is ending',
  boot: 'waiting for the host to finish booting',
  shutdown: 'the host goes down',
  hold: 'on hold',
  connection: 'waiting for its first connection',
};

const waitingTurn = (names: readonly ServiceName[]): string =>
  `waiting for ${names.length === 0 ? 'a free place' : namesInWords(names)}`;

/** The command that brings it up, where only a person can. */
function helpFor(service: Service): string | null {
  const { spec, state, hold } = service;
  if (hold !== null) return `upkeep unhold ${spec.name}`;
  const isGivenUp = state.name === 'failed' && state.deadline === null;
  return isGivenUp || desiredOf(service) === 'down' ? `upkeep start ${spec.name}` : null;
}

const namesInWords = (names: readonly ServiceName[]): string => fewInWords(names, (name) => name);

/** More than these are only counted. */
const most = 3;

function fewInWords<T>(things: readonly T[], inWordsOf: (thing: T) => string): string {
  const told = things.slice(0, things.length === most + 1 ? most + 1 : most).map(inWordsOf);
  const rest = things.length - told.length;
  return listOf(rest === 0 ? told : [...told, `${rest} others`]);
}
