// The outward view, versioned: the CLI, the control socket and later the dashboard and the fleet read this and nothing
// else. Product.md 3.1 fixes the names; a field without a value is null, never absent.

import { type Death, describeDeath, type Sender } from './death.js';
import { errorCode, errorText } from './error-text.js';
import { describeFight } from './fight.js';
import { restartsInWords } from './message.js';
import { byWhom } from './person.js';
import type { ProcessRef } from './process.js';
import { countRecent } from './restart.js';
import { desiredOf, type Hold, isInFight, mainOf, type Override, type Service, type StateName } from './state.js';
import { type Instant, inWords, iso, type Now } from './time.js';

// Whoever shows the status shows persons, times and errors in the same words.
export { byWhom, errorCode, errorText, inWords, iso };

export interface Status {
  readonly version: 1;
  readonly host: string;
  readonly time: string;
  readonly keeper: KeeperStatus;
  readonly services: readonly ServiceStatus[];
}

export interface KeeperStatus {
  readonly pid: number;
  readonly since: string;
  readonly version: string;
  readonly config: string;
  /** Who starts it again when it ends: systemd, cron, sysv or guard; null: nobody. */
  readonly owner: string | null;
  /** The files changed since they were applied. */
  readonly pending: boolean;
  /** What the kernel or our rights do not give: names, each explained by `upkeep status --keeper`. */
  readonly without: readonly string[];
  /** What people should know before they read on, in words: a broken file, a journal that cannot be written. */
  readonly problems: readonly string[];
}

export interface ServiceStatus {
  readonly name: string;
  readonly description: string | null;
  readonly kind: 'supervised' | 'watched';
  readonly tags: readonly string[];
  readonly desired: 'up' | 'down';
  readonly state: StateName;
  readonly since: string;
  readonly reason: string;
  readonly override: OverrideStatus | null;
  readonly hold: HoldStatus | null;
  readonly process: { readonly pid: number; readonly started: string } | null;
  readonly generation: number;
  readonly draining: readonly never[];
  readonly statusText: string | null;
  readonly health: { readonly state: 'ok' | 'failing' | 'unknown' | 'none'; readonly heartbeats: readonly never[] };
  readonly restarts: { readonly total: number; readonly window: number };
  readonly lastDeath: DeathStatus | null;
  readonly next: {
    readonly what: 'start' | 'stop' | 'look';
    readonly at: string | null;
    readonly why: string;
    readonly waitsFor: readonly string[];
  } | null;
  /** Somebody stops again and again what we start; null: nobody. */
  readonly fight: FightStatus | null;
  /** Settings of it that this host cannot enforce, like `memory`. */
  readonly notEnforced: readonly string[];
}

export interface FightStatus {
  /** When it was stopped for the first time. */
  readonly since: string;
  readonly times: number;
  readonly by: Sender | null;
  /** When we start it again; null: it is up, or something else comes first. */
  readonly next: string | null;
  readonly text: string;
}

export interface OverrideStatus {
  readonly desired: 'up' | 'down';
  readonly by: Sender | null;
  readonly since: string;
  readonly until: string | null;
  readonly reason: string | null;
}

export interface HoldStatus {
  readonly by: Sender | null;
  readonly since: string;
  readonly until: string | null;
  readonly reason: string | null;
}

export interface DeathStatus {
  readonly time: string;
  readonly pid: number | null;
  readonly cause: Death['cause'];
  readonly code: number | null;
  readonly signal: string | null;
  readonly coreDumped: boolean;
  readonly errno: string | null;
  readonly by: Sender | null;
  readonly oom: boolean;
  readonly incident: string;
  readonly text: string;
}

/** What the view needs to know beside the service: clocks, and how a start tick becomes a time of day. */
export interface View {
  readonly now: Now;
  /** Wall time of tick 0 of `startTicks`, and ticks in a second (sysconf _SC_CLK_TCK). */
  readonly bootWall: number;
  readonly ticksPerSecond: number;
  readonly notEnforced: (service: Service) => readonly string[];
}

export function statusOf(service: Service, view: View): ServiceStatus {
  const { spec, state, restarts, lastDeath } = service;
  const main = mainOf(service);
  return {
    name: spec.name,
    description: spec.description,
    kind: spec.kind.type,
    tags: spec.tags,
    desired: desiredOf(service),
    state: state.name,
    since: wallOf(state.since, view),
    reason: reasonOf(service, view.now),
    override: service.override === null ? null : overrideStatus(service.override),
    hold: service.hold === null ? null : holdStatus(service.hold),
    process: main === null ? null : { pid: main.pid, started: startedAt(main, view) },
    generation: service.generation,
    draining: [],
    statusText: null,
    health: { state: 'none', heartbeats: [] },
    restarts: { total: restarts.total, window: countRecent(spec.restart, restarts, view.now.instant) },
    lastDeath: lastDeath === null ? null : deathStatus(lastDeath),
    next: nextOf(service, view),
    fight: fightStatus(service, view),
    notEnforced: view.notEnforced(service),
  };
}

/** Why it is as it is, for people: one clause that reads after the state's name. */
export function reasonOf(service: Service, now: Now): string {
  const { state, hold, lastDeath } = service;
  const last = lastDeath === null ? null : describeDeath(lastDeath);
  const held = hold === null ? '' : 'on hold; ';
  return held + clauseOf();

  function clauseOf(): string {
    switch (state.name) {
      case 'unknown':
        return whyUnknown(state.why);
      case 'stopped':
        return whyStopped(service, last);
      case 'waiting':
        return whyWaiting(state.for, last);
      case 'starting':
        return startingPhase[state.phase];
      case 'skipped':
        return 'its condition says no';
      case 'done':
        return `done ${inWords(now.instant - state.since)} ago`;
      case 'running':
        return `running for ${inWords(now.instant - state.since)}`;
      case 'stopping':
        return state.phase === 'stuck' ? 'does not end; see the log of the keeper' : `stopping (${state.why})`;
      case 'backoff':
        return `next try in ${inWords(state.deadline - now.instant)}: ${isInFight(service) ? 'somebody stops it again and again, ' : ''}${last ?? ''}`;
      case 'failed':
        return whyFailed(state.failure, state.deadline, now, last);
    }
  }
}

const startingPhase = {
  condition: 'asking its condition',
  preparing: 'preparing its directories',
  before: 'running its beforeStart commands',
  launching: 'launching',
  finding: 'looking for what its start command started',
  readying: 'waiting to become ready',
  working: 'at its work',
  after: 'running its afterStart commands',
} as const;

function whyUnknown(why: Extract<Service['state'], { name: 'unknown' }>['why']): string {
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

function whyWaiting(reason: Extract<Service['state'], { name: 'waiting' }>['for'], last: string | null): string {
  switch (reason) {
    case 'turn':
      return 'waiting for others';
    case 'settle':
      return `may come back by itself: ${last ?? ''}`;
    case 'leftovers':
      return 'waiting for what is left of the last generation to end';
    case 'boot':
      return 'waiting for the host to finish booting';
    case 'shutdown':
      return 'the host goes down';
    case 'hold':
      return last ?? 'not started';
  }
}

function whyFailed(
  failure: Extract<Service['state'], { name: 'failed' }>['failure'],
  deadline: Instant | null,
  now: Now,
  last: string | null,
): string {
  const retry =
    deadline === null
      ? '`upkeep start` or `reset` tries again'
      : `next quiet try in ${inWords(deadline - now.instant)}`;
  switch (failure.type) {
    case 'limit':
      return `${restartsInWords(failure.count)} in a row did not help: ${last ?? ''}; ${retry}`;
    case 'nothing-matches':
      return 'its start command succeeded, and nothing matches; try `upkeep match`';
    case 'prevented':
      return `its restart policy leaves it down: ${last ?? ''}`;
  }
}

function nextOf(service: Service, view: View): ServiceStatus['next'] {
  const { state } = service;
  if (service.hold !== null) return null;
  switch (state.name) {
    case 'backoff':
      return {
        what: 'start',
        at: wallOf(state.deadline, view),
        why: isInFight(service) ? 'fight' : 'backoff',
        waitsFor: [],
      };
    case 'failed':
      return state.deadline === null
        ? null
        : {
            what: 'start',
            at: wallOf(state.deadline, view),
            why: isInFight(service) ? 'fight' : 'slow',
            waitsFor: [],
          };
    case 'waiting':
      return {
        what: 'start',
        at: state.deadline === null ? null : wallOf(state.deadline, view),
        why: state.for,
        waitsFor: [],
      };
    case 'stopping':
      return desiredOf(service) === 'up' ? { what: 'start', at: null, why: state.why, waitsFor: [] } : null;
    case 'unknown':
      return { what: 'look', at: null, why: state.why.type, waitsFor: [] };
    case 'skipped':
      return state.deadline === null
        ? null
        : { what: 'start', at: wallOf(state.deadline, view), why: 'condition', waitsFor: [] };
    case 'stopped':
    case 'starting':
    case 'running':
    case 'done':
      return null;
  }
}

function fightStatus(service: Service, view: View): FightStatus | null {
  const { fight } = service.opposition;
  if (fight === null) return null;
  return {
    since: wallOf(fight.since, view),
    times: fight.times,
    by: fight.by === null ? null : senderOf({ ...fight.by, pid: null }),
    next: isInFight(service) && fight.until !== null ? wallOf(fight.until, view) : null,
    text: describeFight(fight),
  };
}

export function deathStatus(death: Death): DeathStatus {
  const { status } = death;
  return {
    time: iso(death.time),
    pid: death.process?.pid ?? null,
    cause: death.cause,
    code: status.type === 'exited' ? status.code : null,
    signal: status.type === 'signaled' ? status.signal : null,
    coreDumped: status.type === 'signaled' && status.coreDumped,
    errno: death.errno,
    by: death.by === null ? null : senderOf(death.by),
    oom: death.oom === 'yes',
    incident: death.incident,
    text: describeDeath(death),
  };
}

/** Without its command line, which is not for everybody. */
export const senderOf = ({ pid, name, uid, user, grade }: Sender): Sender => ({ pid, name, uid, user, grade });

function overrideStatus(override: Override): OverrideStatus {
  const { desired, by, since, until, reason } = override;
  return { desired, by, since: iso(since), until: until === null ? null : iso(until), reason };
}

function holdStatus({ by, since, until, reason }: Hold): HoldStatus {
  return { by, since: iso(since), until: until === null ? null : iso(until), reason };
}

function startedAt(process: ProcessRef, view: View): string {
  return iso(view.bootWall + (process.startTicks * 1000) / view.ticksPerSecond);
}

function wallOf(at: Instant, view: View): string {
  return iso(view.now.wall + (at - view.now.instant));
}

/** So begins the problem of a keeper whose file could not be applied; its mistakes are the problems behind it. */
export const brokenConfiguration = 'the configuration is broken';

export const hasBrokenConfiguration = ({ problems }: KeeperStatus): boolean =>
  problems.some((problem) => problem.startsWith(brokenConfiguration));

/** Is it as it is wanted? `late`: on its way. For the exit codes 0, 3 and 5 of `upkeep status`. */
export function standing(service: ServiceStatus): 'fine' | 'late' | 'bad' {
  if (service.hold !== null) return 'fine';
  switch (service.state) {
    case 'running':
    case 'done':
    case 'skipped':
      return 'fine';
    case 'stopped':
      return service.desired === 'down' || service.reason.startsWith('its restart policy') ? 'fine' : 'bad';
    case 'failed':
    case 'unknown':
      return service.desired === 'down'
        ? 'fine'
        : service.state === 'unknown' && service.next?.why === 'looking'
          ? 'late'
          : 'bad';
    case 'starting':
    case 'stopping':
    case 'waiting':
      return 'late';
    case 'backoff':
      return 'bad';
  }
}
