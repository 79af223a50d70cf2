// The outward view, versioned: the CLI, the control socket and later the dashboard and the fleet read this and nothing
// else. Product.md 3.1 fixes the names; a field without a value is null, never absent.

import { type Death, describeDeath, type Sender } from './death.js';
import { errorCode, errorText } from './error-text.js';
import { describeFight } from './fight.js';
import {
  type DrainingStatus,
  drainingStatus,
  type HandoverStatus,
  handoverStatus,
  type ReloadingStatus,
  reloadingStatus,
  type WatchdogStatus,
  watchdogStatus,
} from './generation-status.js';
import { type HealthStatus, healthForAll, healthOf } from './health-view.js';
import type { LastWords } from './last-words.js';
import { statusSaid } from './last-words-of.js';
import { countOf } from './message.js';
import { type NextStatus, nextOf } from './next-status.js';
import type { Outlook } from './outlook.js';
import { byWhom } from './person.js';
import type { ProcessRef } from './process.js';
import { resultInWords } from './question-text.js';
import { reasonOf } from './reason.js';
import { countRecent } from './restart.js';
import { desiredOf, type Hold, isInFight, mainOf, type Override, type Service, type StateName } from './state.js';
import { type Instant, inWords, iso, type Now } from './time.js';

// Whoever shows the status shows persons, times, counts, errors and answers in the same words.
export type { DescriptorView, FdsDocument } from './descriptor-view.js';
export type { DrainingStatus, HandoverStatus, ReloadingStatus, WatchdogStatus } from './generation-status.js';
export type { AnswerStatus, HeartbeatStatus } from './health-view.js';
export type { TestAnswer, TestDocument } from './heartbeat-test.js';
export type { NextStatus } from './next-status.js';
export { byWhom, countOf, errorCode, errorText, type HealthStatus, inWords, iso, resultInWords };

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
  readonly draining: readonly DrainingStatus[];
  /** A hand-over under way; null: there is none. */
  readonly handover: HandoverStatus | null;
  /** What it says of itself (sd_notify's STATUS): one line, without anything that a terminal would obey. For everybody, as systemd's: it is said to be shown. */
  readonly statusText: string | null;
  /** Its promise to say that it lives; null: it has given none, or does not serve. */
  readonly watchdog: WatchdogStatus | null;
  /** A reload under way, of a service that says when it is done; null: there is none. */
  readonly reloading: ReloadingStatus | null;
  readonly health: HealthStatus;
  readonly restarts: { readonly total: number; readonly window: number };
  readonly lastDeath: DeathStatus | null;
  readonly next: NextStatus | null;
  /** What its start comes down to: services that are down and do not come up by themselves soon. Empty: nothing is in its way for good. */
  readonly blockedBy: readonly string[];
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
  /** What it had said of itself by sd_notify; null: nothing. */
  readonly said: LastWords | null;
  readonly text: string;
}

/** What the view needs to know beside the service: its neighbours, clocks, and how a start tick becomes a time of day. */
export interface Viewpoint {
  readonly now: Now;
  readonly outlook: Outlook;
  /** Wall time of tick 0 of `startTicks`, and ticks in a second (sysconf _SC_CLK_TCK). */
  readonly bootWall: number;
  readonly ticksPerSecond: number;
  readonly notEnforced: (service: Service) => readonly string[];
}

export function statusOf(service: Service, view: Viewpoint): ServiceStatus {
  const { spec, state, restarts, lastDeath } = service;
  const main = mainOf(service);
  const wall = (at: Instant): string => wallOf(at, view);
  return {
    name: spec.name,
    description: spec.description,
    kind: spec.kind.type,
    tags: spec.tags,
    desired: desiredOf(service),
    state: state.name,
    since: wall(state.since),
    reason: reasonOf(service, view.now, view.outlook),
    override: service.override === null ? null : overrideStatus(service.override),
    hold: service.hold === null ? null : holdStatus(service.hold),
    process: main === null ? null : { pid: main.pid, started: startedAt(main, view) },
    generation: service.generation,
    draining: service.draining.map((one) => drainingStatus(one, wall)),
    handover: handoverStatus(service),
    statusText: statusSaid(service),
    watchdog: watchdogStatus(service, wall),
    reloading: reloadingStatus(service, wall),
    health: healthOf(service, wall),
    restarts: { total: restarts.total, window: countRecent(spec.restart, restarts, view.now.instant) },
    lastDeath: lastDeath === null ? null : deathStatus(lastDeath),
    next: nextOf(service, view.outlook, wall),
    blockedBy: view.outlook.blockedBy(service),
    fight: fightStatus(service, view),
    notEnforced: view.notEnforced(service),
  };
}

function fightStatus(service: Service, view: Viewpoint): FightStatus | null {
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
    said: death.said ?? null,
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

function startedAt(process: ProcessRef, view: Viewpoint): string {
  return iso(view.bootWall + (process.startTicks * 1000) / view.ticksPerSecond);
}

function wallOf(at: Instant, view: Viewpoint): string {
  return iso(view.now.wall + (at - view.now.instant));
}

/** As everybody may see it: without what programs printed, and without command lines. */
export const statusForAll = (status: Status): Status => ({
  ...status,
  services: status.services.map((service) => ({ ...service, health: healthForAll(service.health) })),
});

/** So begins the problem of a keeper whose file could not be applied; its mistakes are the problems behind it. */
export const brokenConfiguration = 'the configuration is broken';

export const hasBrokenConfiguration = ({ problems }: KeeperStatus): boolean =>
  problems.some((problem) => problem.startsWith(brokenConfiguration));

/** Is it as it is wanted? `late`: on its way. For the exit codes 0, 3 and 5 of `upkeep status`. */
export function standing(service: ServiceStatus): 'fine' | 'late' | 'bad' {
  if (service.hold !== null) return 'fine';
  switch (service.state) {
    case 'running':
    case 'handover':
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
      return 'late';
    case 'waiting':
      // What keeps it down for good counts as its own.
      if (service.next?.why === 'connection') return 'fine';
      return service.blockedBy.length > 0 ? 'bad' : 'late';
    case 'backoff':
      return 'bad';
  }
}
