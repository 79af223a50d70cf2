// Who plays in a simulation: services of both kinds, drawn from the seed, one to six that have nothing to do with each other
// or a graph of up to fifty, and what their programs do in each temper. Knows the host and the specs, not the keeper.

import type { HeartbeatSpec } from '../../src/core/heartbeat.js';
import type { Command, Coupling, Hooks, Leftovers, ServiceName, ServiceSpec } from '../../src/core/spec.js';
import { millis, seconds } from '../../src/core/time.js';
import { command, heartbeat, ladder, rung, supervised, watched } from '../support/builders.js';
import {
  diesAfter,
  does,
  drains,
  ends,
  exitsAfter,
  forks,
  handsOver,
  hangsAfter,
  ignoresTerm,
  lives,
  type Program,
  program,
  readyAfter,
  refused,
  sleepsInKernel,
  startsDaemon,
} from '../support/program.js';
import type { Random } from '../support/random.js';
import type { SimulatedHost } from '../support/simulated-host.js';
import type { Temper } from './action.js';

/** Draws the services. */
export function cast(random: Random): readonly ServiceSpec[] {
  const size = drawSize(random);
  const specs = Array.from({ length: size }, (_, index) => {
    const spec = random.chance(0.5) ? drawSupervised(random, `run${index}`) : drawWatched(random, `watch${index}`);
    return size <= 6 ? spec : askedLess(spec);
  });
  // Commands around them where they have nothing to do with each other: a start goes on with them while its neighbours turn.
  if (random.chance(0.4)) return specs.map((spec) => withHooks(random, spec));
  const names = specs.map(({ name }) => name);
  // The same goes for sockets that are opened before a start.
  const coupled = specs.map((spec) => ({ ...spec, sockets: [], coupling: drawCoupling(random, spec.name, names) }));
  // What others need may come after them in the configuration.
  return random.chance(0.5) ? coupled : coupled.reverse();
}

/** Many that are asked each second would be nothing but questions. */
function askedLess(spec: ServiceSpec): ServiceSpec {
  const heartbeats = spec.heartbeats.map((one) =>
    one.every.type === 'cron' ? one : { ...one, every: { ...one.every, every: millis(one.every.every * 6) } },
  );
  return { ...spec, heartbeats };
}

/** Mostly few, whose every pair meets often; now and then many. */
function drawSize(random: Random): number {
  const r = random.next();
  if (r < 0.8) return random.int(1, 6);
  return r < 0.97 ? random.int(7, 14) : random.int(15, 50);
}

/** The number at the end of its name: needs and after go to lower ones, so that there is an order. */
const rankOf = (name: string): number => Number(/\d+$/.exec(name)?.[0] ?? 0);

/** What it has to do with some of the others: to few of many, to many of few. */
export function drawCoupling(random: Random, name: ServiceName, names: readonly ServiceName[]): Coupling {
  const most = 2 / Math.max(2, names.length);
  const some = (from: readonly ServiceName[], chance: number): readonly ServiceName[] =>
    from.filter(() => random.chance(chance * most));
  const lower = names.filter((other) => rankOf(other) < rankOf(name));
  const others = names.filter((other) => other !== name);
  const needs = some(lower, 0.7).map((service) => ({
    service,
    grace: millis(random.pick([0, 0, 0, 500, 5_000])),
    onReload: random.pick(['nothing', 'nothing', 'restart'] as const),
  }));
  return { needs, wants: some(lower, 0.2), after: some(lower, 0.2), restartWith: some(others, 0.4) };
}

/** The same without those that are not there any more: a configuration that needs them would be refused. */
export function withoutMissing(spec: ServiceSpec, names: ReadonlySet<string>): ServiceSpec {
  const { coupling } = spec;
  const isThere = (name: string): boolean => names.has(name);
  const needs = coupling.needs.filter(({ service }) => isThere(service));
  const restartWith = coupling.restartWith.filter(isThere);
  const isWhole = needs.length === coupling.needs.length && restartWith.length === coupling.restartWith.length;
  return isWhole ? spec : { ...spec, coupling: { ...coupling, needs, restartWith } };
}

/** Commands around its starts and stops, each of which may be there. */
function withHooks(random: Random, spec: ServiceSpec): ServiceSpec {
  if (random.chance(0.4)) return spec;
  const one = (hook: string): Command => command(hookFileOf(spec.name, hook), 2000);
  const some = (hook: string): readonly Command[] =>
    Array.from({ length: random.pick([0, 1, 1, 2]) }, (_, index) => one(`${hook}${index}`));
  const hooks: Hooks = {
    condition: random.chance(0.4) ? one('condition') : null,
    beforeStart: some('beforeStart'),
    afterStart: some('afterStart'),
    beforeStop: some('beforeStop'),
    afterStop: some('afterStop'),
  };
  return { ...spec, hooks };
}

const leftovers: readonly Leftovers[] = ['kill', 'stop', 'leave'];

function drawShared(random: Random) {
  return {
    heartbeats: drawHeartbeats(random),
    desired: random.chance(0.85) ? ('up' as const) : ('down' as const),
    ready: random.chance(0.6)
      ? { probe: { type: 'alive' as const, for: millis(random.pick([0, 1000])) } }
      : {
          probe: { type: 'port' as const, host: '127.0.0.1', port: 80 },
          timeout: random.chance(0.8) ? seconds(5) : null,
        },
    restart: {
      when: random.pick(['always', 'always', 'always', 'on-failure', 'on-abnormal'] as const),
      limit: random.chance(0.85) ? { count: random.int(1, 10), within: seconds(random.pick([10, 300])) } : null,
      then: random.pick(['slow', 'slow', 'give-up'] as const),
      delay: millis(random.pick([0, 100, 2000])),
      at: random.chance(0.08) ? '*/7 * * * *' : null,
      spread: millis(random.pick([0, 60_000])),
      alwaysAfter: random.chance(0.2) ? [{ type: 'code' as const, code: 3 }] : [],
      preventExit: random.chance(0.1) ? [{ type: 'code' as const, code: 3 }] : [],
    },
  };
}

/** What it is asked, and what follows: none, one or two. */
export function drawHeartbeats(random: Random): readonly HeartbeatSpec[] {
  return ['first', 'second'].slice(0, random.pick([0, 0, 1, 1, 2])).map((name) =>
    heartbeat({
      name,
      every: random.chance(0.85)
        ? { type: 'interval', every: seconds(random.pick([1, 2, 5, 5, 30, 30])) }
        : { type: 'cron', expression: '*/2 * * * *' },
      timeout: millis(random.pick([500, 2_000, 12_000])),
      grace: seconds(random.pick([0, 0, 10])),
      fails: random.pick([
        { count: 1, of: 1 },
        { count: 1, of: 1 },
        { count: 2, of: 2 },
        { count: 3, of: 3 },
        { count: 3, of: 5 },
      ]),
      then: random.pick([
        { type: 'restart' },
        { type: 'restart' },
        { type: 'restart' },
        { type: 'notice' },
        { type: 'exec', command: command('/bin/alarm', 1_000) },
        { type: 'stop' },
      ] as const),
    }),
  );
}

/** What it says of itself, what is kept for it, and how it is replaced. */
function drawSpeech(random: Random) {
  const says = random.chance(0.5);
  return {
    notifyAccess: says ? random.pick(['main', 'main', 'exec', 'all'] as const) : ('none' as const),
    ...(says && random.chance(0.7)
      ? { ready: { probe: { type: 'notify' as const }, timeout: random.chance(0.8) ? seconds(5) : null } }
      : {}),
    watchdog: says && random.chance(0.3) ? seconds(9) : null,
    fdStore: says && random.chance(0.5) ? 4 : 0,
    sockets: random.chance(0.3) ? [{ ...socket, lazy: random.chance(0.2) ? ('yes' as const) : ('no' as const) }] : [],
    handover: {
      mode: random.chance(0.6) ? ('overlap' as const) : ('replace' as const),
      transfer: seconds(random.pick([1, 10])),
      drain: seconds(random.pick([1, 20, 60])),
      maxDraining: random.int(1, 3),
    },
  };
}

const socket: Omit<ServiceSpec['sockets'][number], 'lazy'> = {
  ...{ name: 'http', address: { type: 'tcp', host: null, port: 80 }, backlog: 4096, freebind: 'no', reusePort: 'no' },
};

function drawSupervised(random: Random, name: string): ServiceSpec {
  return supervised({
    name,
    ...drawShared(random),
    ...drawSpeech(random),
    leftovers: random.pick(leftovers),
    oneshot: random.chance(0.1) ? 'yes' : 'no',
    stop: random.pick([
      ladder(rung('SIGTERM', 10_000)),
      ladder(rung('SIGINT', 500), rung('SIGTERM', 1000, 'group')),
      ladder(rung('SIGTERM', 2000), rung('SIGKILL', null, 'group')),
    ]),
    reload: random.pick([
      null,
      null,
      { type: 'signal', signal: 'SIGHUP' } as const,
      { type: 'notify', signal: 'SIGHUP' } as const,
      { type: 'command', command: command('/bin/reload', 1000) } as const,
    ]),
  });
}

function drawWatched(random: Random, name: string): ServiceSpec {
  return watched({
    name,
    ...drawShared(random),
    leftovers: random.pick(['leave', 'leave', 'kill', 'stop'] as const),
    pattern: { pidFile: random.chance(0.4) ? pidFileOf(name) : null },
    settle: millis(random.pick([0, 5000])),
    start: random.chance(0.93) ? command(startFileOf(name), random.chance(0.9) ? 10_000 : null) : null,
    stop: random.pick([
      ladder(rung('SIGTERM', 10_000)),
      ladder(rung('SIGTERM', 1000), rung('SIGKILL', 5000)),
      { type: 'command', command: command(stopFileOf(name), 3000) } as const,
    ]),
    restartCommand: random.chance(0.3) ? command(restartFileOf(name), 5000) : null,
    reload: random.pick([null, { type: 'signal', signal: 'SIGHUP' } as const]),
  });
}

export const exeOf = (name: string): string => `/usr/sbin/${name}`;
export const pidFileOf = (name: string): string => `/run/${name}.pid`;
const hookFileOf = (name: string, hook: string): string => `/etc/hooks/${name}/${hook}`;
const startFileOf = (name: string): string => `/etc/init.d/${name}`;
const stopFileOf = (name: string): string => `/etc/stop.d/${name}`;
const restartFileOf = (name: string): string => `/etc/restart.d/${name}`;

/** From now on the programs of this service are of this temper. */
export function install(host: SimulatedHost, spec: ServiceSpec, temper: Temper): void {
  const { name } = spec;
  host.install('/bin/reload', program(exitsAfter(50, 0)));
  host.install('/bin/alarm', program(exitsAfter(50, temper === 'hooks fail' ? 1 : 0)));
  installHooks(host, spec, temper);
  if (spec.kind.type === 'supervised') {
    host.install(spec.kind.run.argv[0] ?? '', spec.kind.oneshot === 'yes' ? workOf(temper) : speakerOf(spec, temper));
    return;
  }
  const daemon = daemonOf(temper);
  const start = startOf(name, temper, daemon);
  host.install(startFileOf(name), start);
  host.install(stopFileOf(name), program(exitsAfter(30, 0), ends(exeOf(name))));
  host.install(restartFileOf(name), Object.assign({}, start, { ends: { exe: exeOf(name), after: 2 } }));
}

/** The same, with what it says and how it behaves in a hand-over. */
function speakerOf(spec: ServiceSpec, temper: Temper): Program {
  const orphaned = rankOf(spec.name) % 2 === 0 ? 'exits' : 'waits';
  const polite = { ...daemonOf(temper), ...handsOver({ orphaned }), pings: spec.watchdog === null ? null : 4_000 };
  switch (temper) {
    case 'refuses':
      return { ...polite, ...handsOver({ orphaned, verdict: 'refused' }) };
    case 'keeps its state':
      return { ...polite, ...handsOver({ orphaned, exports: { after: 0, as: 'never' } }) };
    case 'loses its state':
      return { ...polite, ...handsOver({ orphaned, exports: { after: 30, as: 'failed' } }) };
    case 'says ready and ends':
      return { ...polite, life: { type: 'exits', after: 130, code: 0 } };
    case 'knows no channel':
      return { ...polite, manners: null };
    case 'says nothing':
      return { ...polite, pings: null };
    case 'healthy':
    case 'missing':
    case 'busy text':
    case 'exits at once':
    case 'fails at once':
    case 'crashes soon':
    case 'never ready':
    case 'ignores TERM':
    case 'drains':
    case 'forks':
    case 'sleeps in the kernel':
    case 'start fails':
    case 'start hangs':
    case 'start finds nothing':
    case 'start doubles':
    case 'slow daemon':
    case 'hooks fail':
    case 'hooks hang':
    case 'skipped':
    case 'does nothing right':
    case 'hangs soon':
    case 'cannot be asked':
      return polite;
  }
}

/** What a oneshot is: as its kin, but it ends. */
function workOf(temper: Temper): Program {
  return temper === 'healthy' ? program(exitsAfter(50, 0)) : daemonOf(temper);
}

function installHooks(host: SimulatedHost, { name, hooks }: ServiceSpec, temper: Temper): void {
  const { condition, beforeStart, afterStart, beforeStop, afterStop } = hooks;
  for (const { argv } of [condition ?? [], beforeStart, afterStart, beforeStop, afterStop].flat()) {
    const [file = ''] = argv;
    host.install(file, hookOf(temper, file === hookFileOf(name, 'condition') ? 'a condition' : 'a hook'));
  }
}

function hookOf(temper: Temper, what: 'a condition' | 'a hook'): Program {
  if (temper === 'hooks hang') return program(ignoresTerm);
  if (temper === 'hooks fail') return program(exitsAfter(20, what === 'a condition' ? 126 : 1));
  return program(exitsAfter(20, temper === 'skipped' && what === 'a condition' ? 1 : 0));
}

/** What the service itself is. */
export function daemonOf(temper: Temper): Program {
  switch (temper) {
    case 'missing':
      return program(refused('ENOENT'));
    case 'busy text':
      return program(refused('ETXTBSY'));
    case 'exits at once':
      return program(exitsAfter(0, 0));
    case 'fails at once':
      return program(exitsAfter(3, 1));
    case 'crashes soon':
      return program(diesAfter(1700, 'SIGSEGV', true));
    case 'never ready':
      return program(lives, readyAfter(null));
    case 'ignores TERM':
      return program(ignoresTerm);
    case 'drains':
      return program(drains(1500));
    case 'forks':
      return program(forks(program(ignoresTerm), program(lives)));
    case 'sleeps in the kernel':
      return program(sleepsInKernel);
    case 'does nothing right':
      return program(lives, readyAfter(50), does('wrong'));
    case 'hangs soon':
      return program(lives, readyAfter(50), hangsAfter(7_000));
    case 'cannot be asked':
      return program(lives, readyAfter(50), does('unreachable'));
    case 'healthy':
    case 'start fails':
    case 'start hangs':
    case 'start finds nothing':
    case 'start doubles':
    case 'slow daemon':
    case 'hooks fail':
    case 'hooks hang':
    case 'skipped':
    case 'refuses':
    case 'keeps its state':
    case 'loses its state':
    case 'says ready and ends':
    case 'knows no channel':
    case 'says nothing':
      return program(lives, readyAfter(50));
  }
}

function startOf(name: string, temper: Temper, daemon: Program): Program {
  const argv = [exeOf(name), '-D'];
  const pidFile = pidFileOf(name);
  switch (temper) {
    case 'missing':
      return program(refused('ENOENT'));
    case 'busy text':
      return program(refused('ETXTBSY'));
    case 'start fails':
      return program(exitsAfter(30, 1));
    case 'start hangs':
      return program(lives);
    case 'start finds nothing':
      return program(exitsAfter(30, 0));
    case 'start doubles': {
      // A double fork: the first process that matches leaves a second one behind.
      const first = program(exitsAfter(20, 0), {
        daemons: [{ after: 10, argv, program: daemon, pidFile: { path: pidFile, after: 5 } }],
      });
      return startsDaemon(argv, first, { after: 10, exit: 15 });
    }
    case 'slow daemon':
      return startsDaemon(argv, daemon, { after: 3000, exit: 3010, pidFile, pidFileAfter: 1000 });
    case 'healthy':
    case 'hooks fail':
    case 'hooks hang':
    case 'skipped':
    case 'exits at once':
    case 'fails at once':
    case 'crashes soon':
    case 'never ready':
    case 'ignores TERM':
    case 'drains':
    case 'forks':
    case 'sleeps in the kernel':
    case 'does nothing right':
    case 'hangs soon':
    case 'cannot be asked':
    case 'refuses':
    case 'keeps its state':
    case 'loses its state':
    case 'says ready and ends':
    case 'knows no channel':
    case 'says nothing':
      return startsDaemon(argv, daemon, { pidFile });
  }
}
