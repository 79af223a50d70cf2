// Vocabulary: where a service is. Each variant says since when, and carries its own deadline where it has one.

import type { Beat } from './beat.js';
import type { AskedSignal, Death, Sender } from './death.js';
import type { Role } from './effect.js';
import { noOpposition, type Opposition } from './fight.js';
import type { ProcessRef } from './process.js';
import type { NotifyAccess } from './socket.js';
import type { Desired, ServiceName, ServiceSpec } from './spec.js';
import type { Instant, Millis, WallTime } from './time.js';

export type StateName =
  | 'unknown'
  | 'stopped'
  | 'skipped'
  | 'waiting'
  | 'starting'
  | 'running'
  | 'done'
  | 'stopping'
  | 'backoff'
  | 'failed'
  | 'handover';

export type ServiceState =
  | Unknown
  | Stopped
  | Skipped
  | Waiting
  | Starting
  | Running
  | Done
  | Stopping
  | Backoff
  | Failed
  | Handover;

/** Not looked yet, or it cannot be seen, or more than one process could be it. */
export interface Unknown {
  readonly name: 'unknown';
  readonly since: Instant;
  readonly why:
    | { readonly type: 'looking' }
    | { readonly type: 'unseen'; readonly reason: string }
    | { readonly type: 'ambiguous'; readonly pids: readonly number[] };
}

export interface Stopped {
  readonly name: 'stopped';
  readonly since: Instant;
  /** `requested`: an operator or the configuration. `policy`: `restart.when` says no. `no-start`: watched, down, and nothing to start it with. */
  readonly why: 'requested' | 'policy' | 'no-start';
}

/** Down, although wanted up: its condition says no. `deadline`: when it is asked again. */
export interface Skipped {
  readonly name: 'skipped';
  readonly since: Instant;
  readonly deadline: Instant | null;
}

/** A oneshot that has done its work. */
export interface Done {
  readonly name: 'done';
  readonly since: Instant;
}

/** Down, wanted up, and something has to happen or pass first. */
export interface Waiting {
  readonly name: 'waiting';
  readonly since: Instant;
  /** `turn`: other services, or a free place among those that start. `settle`: an end that somebody may have wanted may heal by itself. `leftovers`: the rest of the dead generation is ending. `boot`: the init system has not finished. `shutdown`: the host goes down. `hold`. `connection`: its lazy sockets listen, and nobody has connected yet. */
  readonly for: 'turn' | 'settle' | 'leftovers' | 'boot' | 'shutdown' | 'hold' | 'connection';
  /** What it will be started for. */
  readonly why: LaunchReason;
  readonly deadline: Instant | null;
}

/** `restart`: after an end that nobody asked for. `retry`: a quiet try of a failed one. `coupling`: another service moved it. `condition`: a skipped one is asked again. `connection`: somebody has connected to one of its lazy sockets. */
export type LaunchReason = 'first' | 'restart' | 'requested' | 'retry' | 'coupling' | 'condition' | 'connection';

/** One attempt to start. `process`: the main process (supervised) once it lives; (watched) once it is found. `helper`: the `start` command while it runs, or a hook. `hook`: which of the commands of its phase; -1: none yet, its start command still runs. */
export interface Starting {
  readonly name: 'starting';
  readonly since: Instant;
  readonly why: LaunchReason;
  /** Watched: how a process or the command of this very attempt ended; what is looked for since may still be there. A hook that is late: what that will be called once it has been ended. */
  readonly setback: Death | null;
  /** `condition`, `preparing` (clean state and directories) and `before` (hooks) come before there is a process, `after` (hooks) when it is ready. `working`: a oneshot at its work. */
  readonly phase: 'condition' | 'preparing' | 'before' | 'launching' | 'finding' | 'readying' | 'working' | 'after';
  readonly hook: number;
  readonly process: ProcessRef | null;
  readonly helper: ProcessRef | null;
  readonly deadline: Instant | null;
}

/** `helper`: a start or reload command that still runs; `deadline` is its. */
export interface Running {
  readonly name: 'running';
  readonly since: Instant;
  readonly process: ProcessRef;
  readonly helper: ProcessRef | null;
  readonly deadline: Instant | null;
}

/** On its way down. Restarting is this with desired `up`. */
export interface Stopping {
  readonly name: 'stopping';
  readonly since: Instant;
  /** null once the main process has ended and the rest of its group is ending. */
  readonly process: ProcessRef | null;
  /** `turn`: those that need it go first; nothing was done to it yet. `exporting`: it writes its state for the next generation. `before`, `after`: its hooks around a stop. `abort`: SIGABRT is out, and a core may be written. `condition`, `preparing`: asked to stop before there was a process, while its condition or a hook of its start ran, which is being ended. `launching`: asked to stop in the middle of a start, whose process is not known yet; `finding`: its start command has ended, a look tells whether something came of it; `ladder`: signals; `command`: the service's own stop or restart command runs; `commanded`: it has ended, the process has not;
   * `rest`: main is gone, its group is ending; `killing`: SIGKILL is out; `stuck`: nothing that we may do ends it. */
  readonly phase:
    | 'turn'
    | 'exporting'
    | 'before'
    | 'condition'
    | 'preparing'
    | 'launching'
    | 'finding'
    | 'abort'
    | 'ladder'
    | 'command'
    | 'commanded'
    | 'rest'
    | 'killing'
    | 'stuck'
    | 'after';
  /** Of its ladder; of a hook: 1 once its time was over and it is being ended. */
  readonly rung: number;
  /** Which of the commands of its phase; -1: it has not been up, and has none before its end. */
  readonly hook: number;
  readonly helper: ProcessRef | null;
  /** Since when it had served; null: it had not. */
  readonly servedSince: Instant | null;
  readonly why: StopReason;
  readonly deadline: Instant | null;
}

/** `heartbeat`: it failed that and is restarted; `heartbeat-stop`: and stays down. `planned`: by the calendar. `watchdog`: it has not said in time that it lives. `changed`: a new definition needs a new process. `restart-command`: the service's own command does stop and start in one. `coupling`: another service moved it. `hook`: a command after its start failed. Without a process, and only its afterStop commands run: `ended`, nobody had asked for that; `done`, a oneshot. */
export type StopReason =
  | 'requested'
  | 'start-timeout'
  | 'changed'
  | 'restart-command'
  | 'coupling'
  | 'heartbeat'
  | 'heartbeat-stop'
  | 'planned'
  | 'watchdog'
  | 'hook'
  | 'ended'
  | 'done';

/** Ended, and its next start waits for a delay. */
export interface Backoff {
  readonly name: 'backoff';
  readonly since: Instant;
  readonly attempt: number;
  readonly deadline: Instant;
}

/** The limit was reached, or it cannot start. `deadline`: the next quiet try, null when only a person can help. */
export interface Failed {
  readonly name: 'failed';
  readonly since: Instant;
  readonly failure: Failure;
  readonly deadline: Instant | null;
}

/** Two generations: the old one serves, the new one gets ready beside it, under `next` where that is another definition. */
export interface Handover {
  readonly name: 'handover';
  readonly since: Instant;
  /** The old main process, and since when it has served. */
  readonly process: ProcessRef;
  readonly servedSince: Instant;
  /** The generation of the new one. */
  readonly generation: number;
  readonly successor: ProcessRef | null;
  /** `preparing`, `before`: what comes before it is started; `launching`; `warming`: it lives; `transfer`: the old one stands still and writes its state; `verdict`: it has all that it needs, and will say READY, or refuse; `after`: it is ready, and its commands after a start run. */
  readonly phase: 'preparing' | 'before' | 'launching' | 'warming' | 'transfer' | 'verdict' | 'after';
  readonly hook: number;
  readonly helper: ProcessRef | null;
  /** What the new one has said so far; it counts from the moment on in which it takes over. */
  readonly said: Said;
  /** Since when the old one stands still, because its state goes over: it cannot say meanwhile that it lives; null: it does not. */
  readonly still: Instant | null;
  readonly why: StopReason;
  readonly deadline: Instant | null;
}

/** A generation that serves no more, or never did, and has not ended yet. */
export interface Outgoing {
  readonly process: ProcessRef;
  readonly generation: number;
  readonly since: Instant;
  /** `drained`: it hands over and finishes what it has begun. `refused`: it was to take over and does not. `own`: it named its successor itself, and ends as it likes. */
  readonly why: 'drained' | 'refused' | 'own';
  /** `asked`: it was told to end; `ending`: its time is over, its group has got SIGTERM; `killing`; `rest`: its main process has ended, the rest of its group is ending. */
  readonly phase: 'asked' | 'ending' | 'killing' | 'rest';
  /** Was its time over before it had ended? */
  readonly cut: 'yes' | 'no';
  readonly deadline: Instant | null;
}

/** An order to start something that nobody wants any more, and whose outcome is not known yet: what comes of it is ended. */
export interface Unborn {
  readonly role: Role;
  readonly hook: number;
  readonly generation: number;
}

/** What it has said of itself by sd_notify, since its start. */
export interface Said {
  readonly status: string | null;
  readonly errno: number | null;
  readonly busError: string | null;
  readonly varlinkError: string | null;
  /** Whose words count, by its own word; null: as configured. */
  readonly access: NotifyAccess | null;
  /** How often it says that it lives, by its own word; 0: never, null: as configured. */
  readonly watchdogPeriod: Millis | null;
  /** Since when it says that it is stopping; null: it does not. */
  readonly stopping: Instant | null;
  /** Why it is ended by its watchdog: it was silent for that long, or has said itself that it hangs; null: it is not. */
  readonly hung: { readonly period: Millis; readonly how: 'silence' | 'trigger' } | null;
}

export const silent: Said = {
  status: null,
  errno: null,
  busError: null,
  varlinkError: null,
  access: null,
  watchdogPeriod: null,
  stopping: null,
  hung: null,
};

/** It was asked to reload (systemd's notify-reload), or said that it does. `signaled`: it has not answered yet; `reloading`: it has said RELOADING=1, and not yet READY=1. */
export interface Reloading {
  readonly phase: 'signaled' | 'reloading';
  readonly since: Instant;
  readonly deadline: Instant | null;
}

/** A watchdog that is armed: by `due` it has to have said that it lives. */
export interface Watchdog {
  readonly period: Millis;
  readonly due: Instant;
}

export type Failure =
  | { readonly type: 'limit'; readonly count: number }
  | { readonly type: 'nothing-matches' }
  /** A heartbeat failed whose `then` says stop. */
  | { readonly type: 'unhealthy'; readonly heartbeat: string }
  /** Its restart policy says that it stays down after such an end. */
  | { readonly type: 'prevented' };

/** An operator's word against the configuration. */
export interface Override {
  readonly desired: Desired;
  readonly by: Sender | null;
  readonly since: WallTime;
  /** When it ends by itself (`stop --for`). */
  readonly until: WallTime | null;
  /** `boot`: it ends with this boot. */
  readonly lasts: 'always' | 'boot';
  readonly reason: string | null;
}

export interface Hold {
  readonly by: Sender | null;
  readonly since: WallTime;
  readonly until: WallTime | null;
  readonly reason: string | null;
}

/** What the restart rule remembers. */
export interface Restarts {
  readonly total: number;
  /** When counted restarts were done, oldest first; never more than the limit needs. */
  readonly window: readonly Instant[];
  /** Counted ends in a row without a healthy time between: the exponent of the back-off. */
  readonly streak: number;
  /** `slow`: the limit was reached, and it has not been healthy since. */
  readonly pace: 'normal' | 'slow';
  readonly lastStart: Instant | null;
}

/** Its part in a wave: what one end, or one operator's act, moves (core/wave.ts). */
export interface Membership {
  readonly id: WaveId;
  /** `down`: it ends or has ended, and the wave has not started it again. `up`: it has. `settled`: ready, or come to nothing; kept until all are. */
  readonly step: 'down' | 'up' | 'settled';
  /** Services whose end drew it in by `restartWith`: they start after it. */
  readonly ahead: readonly ServiceName[];
}

/** The service whose end or request began it, and when. */
export type WaveId = `${string}@${number}`;

/** The service whose end or request began it. Members of pools have an @ of their own. */
export const originOf = (id: WaveId): string => id.slice(0, id.lastIndexOf('@'));

/** Something that it needs has ended: until then it may come back, and this one lives on. */
export interface Missing {
  readonly service: ServiceName;
  readonly until: Instant;
  readonly wave: WaveId;
}

/** The value that the machine moves. */
export interface Service {
  readonly spec: ServiceSpec;
  readonly state: ServiceState;
  readonly override: Override | null;
  readonly hold: Hold | null;
  readonly generation: number;
  readonly restarts: Restarts;
  readonly opposition: Opposition;
  readonly lastDeath: Death | null;
  /** The last signal that an operator had us send to it. */
  readonly asked: AskedSignal | null;
  /** Watched: has the pattern matched since it was loaded? The answer decides what an unfound start means. */
  readonly matched: 'never' | 'once';
  /** A dead main process whose group is not known to be empty yet: nothing is started before it is. */
  readonly rest: ProcessRef | null;
  /** A new definition that waits for the process of the old one to end, which is stopped by the old rules. */
  readonly next: ServiceSpec | null;
  /** `removed`: the configuration has it no more; `ending`: the keeper ends. Both mean down, whatever else is wished. */
  readonly fate: 'stays' | 'removed' | 'ending';
  /** Watched: uid and command line of the last main process, by which a hand-over is recognized. */
  readonly identity: Identity | null;
  readonly wave: Membership | null;
  readonly missing: readonly Missing[];
  /** A restart of a member of a pool that waits for its turn: they go one at a time. */
  readonly enrolled: 'requested' | 'changed' | null;
  /** One for each of its heartbeats, once it has been up; what they say is about the process that runs, or the last one that did. */
  readonly health: readonly Beat[];
  /** Generations that serve no more, or never did, and have not ended yet. */
  readonly draining: readonly Outgoing[];
  /** Of hand-overs that were broken off. */
  readonly unborn: readonly Unborn[];
  readonly said: Said;
  readonly watchdog: Watchdog | null;
  readonly reloading: Reloading | null;
  /** Its next restart by the calendar; `at` null: not known yet, or never. */
  readonly planned: { readonly expression: string; readonly at: WallTime | null } | null;
}

export interface Identity {
  readonly uid: number;
  readonly argv: readonly string[];
}

export type ServiceSet = ReadonlyMap<string, Service>;

/** What we are trying for: the operator's word, else the configuration's. */
export function desiredOf(service: Service): Desired {
  if (service.fate !== 'stays') return 'down';
  return service.override?.desired ?? latestSpec(service).desired;
}

/** The definition that its next start is by: the new one, where one waits for that. */
export const latestSpec = ({ next, spec }: Pick<Service, 'next' | 'spec'>): ServiceSpec => next ?? spec;

/** The main process, where one is known to live. */
export function mainOf(service: Service): ProcessRef | null {
  const { state } = service;
  switch (state.name) {
    case 'starting':
    case 'running':
    case 'stopping':
    case 'handover':
      return state.process;
    case 'unknown':
    case 'stopped':
    case 'skipped':
    case 'waiting':
    case 'done':
    case 'backoff':
    case 'failed':
      return null;
  }
}

/** Nothing is begun for a service on hold, and nothing of it is due; unless it is to go. */
export const isHeld = ({ hold, fate }: Service): boolean => hold !== null && fate === 'stays';

/** Is it down because we keep out of a fight? */
export function isInFight({ state, opposition: { fight } }: Service): boolean {
  return (state.name === 'backoff' || state.name === 'failed') && fight !== null && fight.until === state.deadline;
}

/** A service that was never looked at. */
export function newService(spec: ServiceSpec, now: Instant): Service {
  return {
    spec,
    state:
      spec.kind.type === 'watched'
        ? { name: 'unknown', since: now, why: { type: 'looking' } }
        : { name: 'stopped', since: now, why: 'requested' },
    override: null,
    hold: null,
    generation: 0,
    restarts: noRestarts,
    opposition: noOpposition,
    lastDeath: null,
    asked: null,
    matched: 'never',
    rest: null,
    next: null,
    fate: 'stays',
    identity: null,
    wave: null,
    missing: [],
    enrolled: null,
    health: [],
    draining: [],
    unborn: [],
    said: silent,
    watchdog: null,
    reloading: null,
    planned: null,
  };
}

export const noRestarts: Restarts = { total: 0, window: [], streak: 0, pace: 'normal', lastStart: null };

/** The limit and the delays begin anew; what has been is not undone. */
export const forgetFailures = ({ total, lastStart }: Restarts): Restarts => ({ ...noRestarts, total, lastStart });
