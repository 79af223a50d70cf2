// Short builders for specs, with the defaults of the configuration where a test does not say otherwise.

import type { HeartbeatSpec } from '../../src/core/heartbeat.js';
import type { Pattern } from '../../src/core/pattern.js';
import { asPid } from '../../src/core/process.js';
import type { HttpQuestion, TlsOptions } from '../../src/core/question.js';
import { replaceHandover } from '../../src/core/socket.js';
import {
  type Command,
  type Coupling,
  type Directory,
  type Hooks,
  type Ladder,
  type LogSpec,
  memberName,
  type Need,
  noHooks,
  type Pool,
  type ProcessSettings,
  type Ready,
  type RestartSpec,
  type Rung,
  type ServiceSpec,
  type Supervised,
  serviceName,
  type Watched,
} from '../../src/core/spec.js';
import { newService, type Service } from '../../src/core/state.js';
import { instant, millis, seconds } from '../../src/core/time.js';

/** A command as a line, split at blanks; no deadline unless given, in milliseconds. */
export function command(line: string, timeout: number | null = null): Command {
  return { argv: line.split(' '), timeout: timeout === null ? null : millis(timeout), user: null };
}

export function rung(signal: `SIG${string}`, wait: number | null, to: 'main' | 'group' = 'main'): Rung {
  return { signal, wait: wait === null ? null : millis(wait), to };
}

export function ladder(...rungs: readonly Rung[]): Ladder {
  return { type: 'ladder', rungs };
}

export const restartDefaults: RestartSpec = {
  when: 'always',
  delay: millis(100),
  backoff: { factor: 2, max: seconds(30), jitter: 0.1 },
  healthyAfter: seconds(30),
  limit: { count: 10, within: seconds(300) },
  then: 'slow',
  slowEvery: seconds(60),
  successExit: [],
  preventExit: [],
  alwaysAfter: [],
  at: null,
  spread: millis(0),
};

const readyDefaults: Ready = { probe: { type: 'alive', for: seconds(1) }, timeout: seconds(30) };

const settingsDefaults: ProcessSettings = {
  user: null,
  group: null,
  groups: null,
  cwd: '/',
  umask: 0o022,
  env: {},
  envFiles: [],
  inheritEnv: [],
  limits: {},
  nice: null,
  oomScoreAdjust: null,
  noNewPrivileges: 'no',
  capabilities: null,
  memory: null,
};

const logDefaults: LogSpec = { to: 'file', rotate: { size: 10 * 1024 * 1024, keep: 10, compress: 'yes' } };

interface Shared {
  readonly name?: string;
  readonly description?: string;
  readonly desired?: 'up' | 'down';
  readonly leftovers?: ServiceSpec['leftovers'];
  readonly ready?: Partial<Ready>;
  readonly restart?: Partial<RestartSpec>;
  /** Names, or names with their options. */
  readonly needs?: readonly (string | ({ readonly service: string } & Partial<Omit<Need, 'service'>>))[];
  readonly wants?: readonly string[];
  readonly after?: readonly string[];
  readonly restartWith?: readonly string[];
  readonly hooks?: Partial<Hooks>;
  readonly directories?: readonly Directory[];
  readonly clean?: readonly string[];
  readonly sockets?: ServiceSpec['sockets'];
  readonly fdStore?: number;
  readonly handover?: Partial<ServiceSpec['handover']>;
  readonly watchdog?: ServiceSpec['watchdog'];
  readonly notifyAccess?: ServiceSpec['notifyAccess'];
  readonly pool?: Pool;
  readonly heartbeats?: readonly HeartbeatSpec[];
}

export const plainTls: TlsOptions = { verify: 'yes', name: null, ca: null };

/** With the defaults of the configuration. */
export const httpQuestion = (url: string, wish: Partial<HttpQuestion> = {}): HttpQuestion => ({
  kind: 'http',
  url,
  socket: null,
  method: 'GET',
  headers: {},
  status: [[200, 399]],
  body: null,
  header: {},
  redirects: 0,
  auth: null,
  tls: plainTls,
  addresses: 'any',
  ...wish,
});

/** A heartbeat with the defaults of the configuration. */
export const heartbeat = (wish: Partial<HeartbeatSpec> = {}): HeartbeatSpec => ({
  name: 'tcp',
  question: {
    kind: 'tcp',
    host: 'localhost',
    port: 8080,
    send: null,
    expect: null,
    addresses: 'any',
  },
  every: { type: 'interval', every: seconds(30) },
  timeout: seconds(5),
  grace: seconds(10),
  fails: { count: 3, of: 3 },
  then: { type: 'restart' },
  user: null,
  group: null,
  ...wish,
});

function couplingOf({ needs = [], wants = [], after = [], restartWith = [] }: Shared): Coupling {
  return {
    needs: needs.map((need) => {
      const { service, ...options } = typeof need === 'string' ? { service: need } : need;
      return { grace: millis(0), onReload: 'nothing', ...options, service: serviceName(service) };
    }),
    wants: wants.map(serviceName),
    after: after.map(serviceName),
    restartWith: restartWith.map(serviceName),
  };
}

/** A supervised service; without a name it is `web`, and runs `/srv/NAME`. */
export function supervised(
  wish: Shared & Partial<Omit<Supervised, 'type' | 'run'>> & { readonly run?: string } = {},
): ServiceSpec {
  const name = wish.name ?? 'web';
  return common(name, wish, {
    leftovers: wish.leftovers ?? 'kill',
    kind: {
      type: 'supervised',
      run: command(wish.run ?? `/srv/${name}`),
      oneshot: wish.oneshot ?? 'no',
      stop: wish.stop ?? ladder(rung('SIGTERM', 10_000)),
      reload: wish.reload ?? null,
    },
  });
}

/** The members of a pool, each a supervised service that runs `/srv/NAME@INDEX` unless told otherwise. */
export function members(name: string, of: number, wish: Parameters<typeof supervised>[0] = {}): readonly ServiceSpec[] {
  return Array.from({ length: of }, (_, at) =>
    supervised({ ...wish, name: memberName(name, at + 1), pool: { name, index: at + 1, of } }),
  );
}

type WatchedWish = Shared &
  Partial<Omit<Watched, 'type' | 'pattern' | 'start' | 'restart'>> & {
    readonly pattern?: Partial<Pattern>;
    readonly start?: Command | null;
    readonly restartCommand?: Command | null;
  };

/** A watched service; without a name it is `ssh`, looks for `/usr/sbin/NAME` and is started by `/etc/init.d/NAME start`. */
export function watched(wish: WatchedWish = {}): ServiceSpec {
  const name = wish.name ?? 'ssh';
  const pattern: Pattern = {
    by: { type: 'exe', path: `/usr/sbin/${name}` },
    pidFile: null,
    user: null,
    count: { min: 1, max: 1 },
    containers: 'no',
    ...wish.pattern,
  };
  return common(name, wish, {
    leftovers: wish.leftovers ?? 'leave',
    kind: {
      type: 'watched',
      pattern,
      settle: wish.settle ?? seconds(5),
      start: wish.start === undefined ? command(`/etc/init.d/${name} start`, 90_000) : wish.start,
      stop: wish.stop ?? ladder(rung('SIGTERM', 10_000)),
      restart: wish.restartCommand ?? null,
      reload: wish.reload ?? null,
      logFrom: wish.logFrom ?? null,
    },
  });
}

function common(name: string, wish: Shared, own: Pick<ServiceSpec, 'leftovers' | 'kind'>): ServiceSpec {
  return {
    name: serviceName(name),
    description: wish.description ?? null,
    runbook: null,
    tags: [],
    desired: wish.desired ?? 'up',
    settings: settingsDefaults,
    ready: { ...readyDefaults, ...wish.ready },
    restart: { ...restartDefaults, ...wish.restart },
    heartbeats: wish.heartbeats ?? [],
    pool: wish.pool ?? null,
    coupling: couplingOf(wish),
    hooks: { ...noHooks, ...wish.hooks },
    directories: wish.directories ?? [],
    clean: wish.clean ?? [],
    sockets: wish.sockets ?? [],
    fdStore: wish.fdStore ?? 0,
    handover: { ...replaceHandover, ...wish.handover },
    watchdog: wish.watchdog ?? null,
    notifyAccess: wish.notifyAccess ?? 'none',
    log: logDefaults,
    ...own,
  };
}

/** A service of this definition that runs. */
export const runningService = (spec: ServiceSpec): Service => ({
  ...newService(spec, instant(0)),
  state: {
    name: 'running',
    since: instant(0),
    process: { pid: asPid(1), startTicks: 1, inode: null },
    helper: null,
    deadline: null,
  },
});
