// What the operator asked of one service, with every short form expanded and every default filled in.
// Plain data: it is written to disk as the last good configuration. Knows nothing of YAML.

import type { Command } from './command.js';
import type { HeartbeatSpec } from './heartbeat.js';
import type { Pattern } from './pattern.js';
import type { SignalName } from './process.js';
import type { HandoverSpec, NotifyAccess, SocketSpec } from './socket.js';
import type { Millis } from './time.js';

declare const serviceNameBrand: unique symbol;
export type ServiceName = string & { readonly [serviceNameBrand]: true };
export const serviceName = (name: string): ServiceName => name as ServiceName;

/** `up`: it is to run. `down`: it is defined, not started. */
export type Desired = 'up' | 'down';

export type { Command };

export interface ServiceSpec {
  readonly name: ServiceName;
  /** The member of a service with `instances` that this is; null: it is one of its own. */
  readonly pool: Pool | null;
  readonly description: string | null;
  readonly runbook: string | null;
  readonly tags: readonly string[];
  readonly desired: Desired;
  readonly kind: Supervised | Watched;
  readonly leftovers: Leftovers;
  readonly settings: ProcessSettings;
  readonly ready: Ready;
  readonly restart: RestartSpec;
  readonly heartbeats: readonly HeartbeatSpec[];
  readonly coupling: Coupling;
  readonly hooks: Hooks;
  /** Made before each start, owned by the user of the service. */
  readonly directories: readonly Directory[];
  /** Paths of sockets, FIFOs and regular files, removed before each start when no living process of the service has them. */
  readonly clean: readonly string[];
  /** Held by the keeper from before its first start until it is stopped. */
  readonly sockets: readonly SocketSpec[];
  /** How many descriptors it may keep with the keeper; 0: none. */
  readonly fdStore: number;
  readonly handover: HandoverSpec;
  /** It has to say that it lives at least this often; null: it need not. */
  readonly watchdog: Millis | null;
  readonly notifyAccess: NotifyAccess;
  readonly log: LogSpec;
}

/** Member `index` (from 1) of the `of` members of the service that the configuration calls `name`. */
export interface Pool {
  readonly name: string;
  readonly index: number;
  readonly of: number;
}

export const memberName = (pool: string, index: number): ServiceName => serviceName(`${pool}@${index}`);

/** What it has to do with other services (product.md 2.5). Names of services that need not be there for `wants` and `after`. */
export interface Coupling {
  readonly needs: readonly Need[];
  readonly wants: readonly ServiceName[];
  readonly after: readonly ServiceName[];
  readonly restartWith: readonly ServiceName[];
}

export interface Need {
  readonly service: ServiceName;
  /** How long that may be away before this is stopped; 0: every end counts. */
  readonly grace: Millis;
  readonly onReload: 'nothing' | 'restart';
}

export const noCoupling: Coupling = { needs: [], wants: [], after: [], restartWith: [] };

/** Commands around a start and a stop, run one after the other with the settings of the service. */
export interface Hooks {
  /** Not 0: the service is skipped. */
  readonly condition: Command | null;
  readonly beforeStart: readonly Command[];
  readonly afterStart: readonly Command[];
  readonly beforeStop: readonly Command[];
  readonly afterStop: readonly Command[];
}

export const noHooks: Hooks = { condition: null, beforeStart: [], afterStart: [], beforeStop: [], afterStop: [] };

export interface Directory {
  readonly path: string;
  /** Permission bits, as a number. */
  readonly mode: number;
}

/** A process that Upkeep starts and owns, in the foreground. */
export interface Supervised {
  readonly type: 'supervised';
  readonly run: Command;
  /** `yes`: it does its work and ends; exit 0 is `done`. */
  readonly oneshot: 'yes' | 'no';
  readonly stop: Ladder;
  readonly reload: Reload | null;
}

/** A daemon that something else starts: we look for it, and `start` brings it back. */
export interface Watched {
  readonly type: 'watched';
  readonly pattern: Pattern;
  /** How long an end that somebody may have wanted is given to come back by itself. */
  readonly settle: Millis;
  readonly start: Command | null;
  readonly stop: { readonly type: 'command'; readonly command: Command } | Ladder;
  readonly restart: Command | null;
  readonly reload: Reload | null;
  /** The file that the daemon writes itself; `logs` reads it. */
  readonly logFrom: string | null;
}

/** Signals, each with a time to wait for the end. `kill`: what comes after the last wait. */
export interface Ladder {
  readonly type: 'ladder';
  readonly rungs: readonly Rung[];
}

export interface Rung {
  readonly signal: SignalName;
  /** null: wait for ever. */
  readonly wait: Millis | null;
  readonly to: 'main' | 'group';
}

export type Reload =
  | { readonly type: 'signal'; readonly signal: SignalName }
  /** systemd's notify-reload: it answers the signal with RELOADING=1, and says READY=1 when it is done. */
  | { readonly type: 'notify'; readonly signal: SignalName }
  | { readonly type: 'command'; readonly command: Command };

/** What happens to the descendants of a dead main process before the next start. */
export type Leftovers = 'kill' | 'stop' | 'leave';

/** How processes of the service are run. null: what the keeper itself was given at its own start. */
export interface ProcessSettings {
  readonly user: string | null;
  readonly group: string | null;
  readonly groups: readonly string[] | null;
  readonly cwd: string;
  /** Permission bits, as a number. */
  readonly umask: number;
  readonly env: Readonly<Record<string, string>>;
  /** Files of NAME=value lines, read anew at each start; a leading `-` means it may be missing. */
  readonly envFiles: readonly string[];
  /** Names of variables taken over from the keeper, or all of them. */
  readonly inheritEnv: readonly string[] | 'all';
  readonly limits: Readonly<Partial<Record<LimitName, Limit>>>;
  readonly nice: number | null;
  readonly oomScoreAdjust: number | null;
  readonly noNewPrivileges: 'yes' | 'no';
  /** The bounding set to keep, as names like `net_bind_service`; null: all. Kept as ambient for an unprivileged user. */
  readonly capabilities: readonly string[] | null;
  /** Bytes; over it the whole service is killed, where a memory cgroup can do that. */
  readonly memory: number | null;
}

export type LimitName =
  | 'as'
  | 'core'
  | 'cpu'
  | 'data'
  | 'fsize'
  | 'locks'
  | 'memlock'
  | 'msgqueue'
  | 'nice'
  | 'nofile'
  | 'nproc'
  | 'rss'
  | 'rtprio'
  | 'rttime'
  | 'sigpending'
  | 'stack';

/** Soft and hard value; null: no limit. */
export interface Limit {
  readonly soft: number | null;
  readonly hard: number | null;
}

/** When a start counts. `timeout` null: wait for ever. */
export interface Ready {
  readonly probe: ReadyProbe;
  readonly timeout: Millis | null;
}

export type ReadyProbe =
  | { readonly type: 'alive'; readonly for: Millis }
  /** It says READY=1 by sd_notify. */
  | { readonly type: 'notify' }
  | { readonly type: 'fd'; readonly fd: number }
  | { readonly type: 'port'; readonly host: string; readonly port: number }
  | { readonly type: 'socket'; readonly path: string }
  | { readonly type: 'http'; readonly url: string }
  | { readonly type: 'exec'; readonly command: Command }
  | { readonly type: 'log'; readonly regex: string }
  /** A heartbeat of it has been good; null: all of them. */
  | { readonly type: 'heartbeat'; readonly name: string | null };

/** systemd's meanings of Restart=. */
export type RestartWhen = 'always' | 'on-failure' | 'on-abnormal' | 'on-abort' | 'on-watchdog' | 'on-success' | 'never';

export interface RestartSpec {
  readonly when: RestartWhen;
  /** The first delay, counted from start to start. */
  readonly delay: Millis;
  readonly backoff: Backoff;
  /** Alive and healthy that long: the delay begins anew. */
  readonly healthyAfter: Millis;
  /** null: no limit. */
  readonly limit: RestartLimit | null;
  readonly then: 'slow' | 'give-up';
  readonly slowEvery: Millis;
  /** Beside 0, SIGHUP, SIGINT, SIGTERM and SIGPIPE. */
  readonly successExit: readonly ExitSelector[];
  readonly preventExit: readonly ExitSelector[];
  readonly alwaysAfter: readonly ExitSelector[];
  /** A planned graceful restart: a cron expression in local time; null: none. */
  readonly at: string | null;
  /** It comes so much later at most, by chance. */
  readonly spread: Millis;
}

export interface Backoff {
  readonly factor: number;
  readonly max: Millis;
  /** A fraction: 0.1 is ±10 %. */
  readonly jitter: number;
}

/** `count` restarts within `within` are done, the next is not. */
export interface RestartLimit {
  readonly count: number;
  readonly within: Millis;
}

/** An exit code, or a signal. */
export type ExitSelector =
  | { readonly type: 'code'; readonly code: number }
  | { readonly type: 'signal'; readonly signal: SignalName };

export interface LogSpec {
  readonly to: 'file' | 'inherit' | 'none' | 'syslog';
  readonly rotate: Rotation;
}

export interface Rotation {
  /** Bytes at which the file is rotated; null: never. */
  readonly size: number | null;
  readonly keep: number;
  readonly compress: 'yes' | 'no';
}
