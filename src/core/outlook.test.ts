import { describe, expect, it } from 'vitest';
import { supervised } from '../../test/support/builders.js';
import { causesOf, chainInWords } from './cause.js';
import { progressOf } from './operation.js';
import { type Outlook, outlookOf } from './outlook.js';
import { asPid } from './process.js';
import { type ServiceSpec, serviceName } from './spec.js';
import { standingOf } from './standing.js';
import { newService, type Service, type ServiceState } from './state.js';
import { type ServiceStatus, standing, statusOf } from './status.js';
import { instant, millis, type Now, wallTime } from './time.js';
import { worldOf } from './world.js';

const now: Now = { instant: instant(1_000_000), wall: wallTime(1_700_000_000_000), random: 0.5 };
const since = instant(now.instant - 60_000);
const process = { pid: asPid(812), startTicks: 100, inode: null };
const alice = { pid: 7, name: 'upkeep', uid: 1000, user: 'alice', grade: 'seen' } as const;

const states = {
  running: { name: 'running', since, process, helper: null, deadline: null },
  waiting: { name: 'waiting', since, for: 'turn', why: 'requested', deadline: null },
  starting: {
    name: 'starting',
    since,
    why: 'requested',
    phase: 'readying',
    hook: 0,
    process,
    helper: null,
    setback: null,
    deadline: null,
  },
  stopped: { name: 'stopped', since, why: 'requested' },
  skipped: { name: 'skipped', since, deadline: instant(now.instant + 60_000) },
  done: { name: 'done', since },
  backoff: { name: 'backoff', since, attempt: 3, deadline: instant(now.instant + 8000) },
  failed: { name: 'failed', since, failure: { type: 'limit', count: 10 }, deadline: instant(now.instant + 40_000) },
  givenUp: { name: 'failed', since, failure: { type: 'limit', count: 10 }, deadline: null },
  leaving: {
    name: 'stopping',
    servedSince: null,
    since,
    process,
    phase: 'turn',
    rung: 0,
    hook: 0,
    helper: null,
    why: 'requested',
    deadline: null,
  },
} as const satisfies Record<string, ServiceState>;

const byAlice = { by: alice, since: wallTime(now.wall), until: null, reason: null } as const;
const stoppedByAlice: Partial<Service> = { override: { ...byAlice, desired: 'down', lasts: 'always' } };

type Wish = Parameters<typeof supervised>[0];
type Entry = readonly [Wish, keyof typeof states, Partial<Service>?];

function among(...entries: readonly Entry[]): Outlook & { readonly service: (name: string) => Service } {
  const services = new Map(
    entries.map(([wish, state, more]): [string, Service] => {
      const spec: ServiceSpec = supervised(wish);
      return [spec.name, { ...newService(spec, instant(0)), state: states[state], ...more }];
    }),
  );
  return {
    ...outlookOf(worldOf(services, 10)),
    service: (name) => services.get(name) ?? newService(supervised({ name }), instant(0)),
  };
}

function statusIn(outlook: ReturnType<typeof among>, name: string): ServiceStatus {
  return statusOf(outlook.service(name), {
    now,
    outlook,
    bootWall: 0,
    ticksPerSecond: 100,
    notEnforced: () => [],
  });
}

const web = { name: 'web', needs: ['db'] };

describe('a service that waits says for whom and why', () => {
  it.each<[string, readonly Entry[], string]>([
    [
      'a delay',
      [
        [web, 'waiting'],
        [{ name: 'db' }, 'backoff'],
      ],
      'waiting for db: backoff, next try in 8.0 s',
    ],
    [
      'an operator’s stop, with the command that ends it (supervisors 29)',
      [
        [web, 'waiting'],
        [{ name: 'db' }, 'stopped', stoppedByAlice],
      ],
      'waiting for db: stopped by alice; `upkeep start db`',
    ],
    [
      'a hold',
      [
        [web, 'waiting'],
        [{ name: 'db' }, 'stopped', { hold: byAlice }],
      ],
      'waiting for db: on hold by alice; `upkeep unhold db`',
    ],
    [
      'several',
      [
        [{ name: 'web', needs: ['db', 'cache'] }, 'waiting'],
        [{ name: 'db' }, 'failed'],
        [{ name: 'cache' }, 'starting'],
      ],
      'waiting for db (failed, next quiet try in 40 s) and cache (starting)',
    ],
    [
      'many',
      [
        [{ name: 'web', needs: ['a', 'b', 'c', 'd', 'e'] }, 'waiting'],
        ...['a', 'b', 'c', 'd', 'e'].map((name): Entry => [{ name }, 'starting']),
      ],
      'waiting for a (starting), b (starting), c (starting) and 2 others',
    ],
    [
      'another that waits',
      [
        [web, 'waiting'],
        [{ name: 'db', needs: ['disk'] }, 'waiting'],
        [{ name: 'disk' }, 'starting'],
      ],
      'waiting for db: waiting for disk',
    ],
    ['a place', [[{ name: 'web' }, 'waiting']], 'waiting for a free place (10 start at once)'],
    [
      'what is only wanted, while it is on its way',
      [
        [{ name: 'web', wants: ['cache'], after: ['log'] }, 'waiting'],
        [{ name: 'cache' }, 'starting'],
        [{ name: 'log' }, 'failed'],
      ],
      'waiting for cache: starting',
    ],
    [
      'its dependents, on the way down (monitors 25)',
      [
        [{ name: 'web' }, 'leaving'],
        [{ name: 'shop', needs: ['web'] }, 'leaving'],
      ],
      'waits for shop to stop',
    ],
    [
      'what it needs being away',
      [
        [
          { name: 'web', needs: [{ service: 'db', grace: millis(5000) }] },
          'running',
          { missing: [{ service: serviceName('db'), until: instant(now.instant + 3000), wave: 'db@1' }] },
        ],
        [{ name: 'db' }, 'backoff'],
      ],
      'running for 60 s; db is away: it stops in 3.0 s unless it is back',
    ],
  ])('%s', (_what, entries, reason) => {
    const [first] = entries;
    expect(statusIn(among(...entries), first?.[0]?.name ?? '').reason).toBe(reason);
  });
});

describe('what comes next', () => {
  it('names those that move first, and says so where only a place is missing', () => {
    const outlook = among([web, 'waiting'], [{ name: 'db' }, 'starting'], [{ name: 'other' }, 'waiting']);
    expect(statusIn(outlook, 'web').next).toEqual({ what: 'start', at: null, why: 'others', waitsFor: ['db'] });
    expect(statusIn(outlook, 'other').next).toEqual({ what: 'start', at: null, why: 'place', waitsFor: [] });
  });

  it('is a stop for what waits for its dependents', () => {
    const outlook = among([{ name: 'db' }, 'leaving'], [web, 'leaving']);
    expect(statusIn(outlook, 'db').next).toEqual({ what: 'stop', at: null, why: 'others', waitsFor: ['web'] });
  });
});

describe('whether it is as wanted', () => {
  it.each<[keyof typeof states, Partial<Service>, readonly string[], 'late' | 'bad']>([
    ['starting', {}, [], 'late'],
    ['backoff', {}, [], 'late'],
    ['failed', {}, ['db'], 'bad'],
    ['stopped', stoppedByAlice, ['db'], 'bad'],
    ['skipped', {}, ['db'], 'bad'],
    ['backoff', { hold: byAlice }, ['db'], 'bad'],
  ])('is told by what it waits for: %s', (state, more, blockedBy, expected) => {
    const status = statusIn(among([web, 'waiting'], [{ name: 'db' }, state, more]), 'web');
    expect(status.blockedBy).toEqual(blockedBy);
    expect(standing(status)).toBe(expected);
  });

  it('and by what that waits for in the end, each named once', () => {
    const outlook = among(
      [{ name: 'web', needs: ['api', 'cache'] }, 'waiting'],
      [{ name: 'api', needs: ['db'] }, 'waiting'],
      [{ name: 'cache', needs: ['db', 'disk'] }, 'waiting'],
      [{ name: 'db' }, 'givenUp'],
      [{ name: 'disk' }, 'done'],
    );
    expect(statusIn(outlook, 'web').blockedBy).toEqual(['db']);
  });

  it('is asked of a thousand in twenty full layers at the cost of their edges', () => {
    const names = (layer: number): string[] => Array.from({ length: 50 }, (_, index) => `s${layer}-${index}`);
    const entries = Array.from({ length: 20 }, (_, layer) =>
      names(layer).map(
        (name): Entry => [{ name, needs: layer === 0 ? [] : names(layer - 1) }, layer === 0 ? 'givenUp' : 'waiting'],
      ),
    ).flat();
    const outlook = among(...entries);
    expect(entries.every(([wish]) => statusIn(outlook, wish?.name ?? '').blockedBy.length <= 50)).toBe(true);
    expect(statusIn(outlook, 's19-0').blockedBy).toEqual(names(0));
  });
});

describe('why it waits (supervisors: a `why` with the chain of causes)', () => {
  const outlook = among(
    [{ name: 'web', needs: ['api'] }, 'waiting'],
    [{ name: 'api', needs: ['db'] }, 'waiting'],
    [{ name: 'db' }, 'failed'],
  );

  it('is the chain down to the root cause, and how that one is', () => {
    expect(chainInWords(outlook.service('web'), outlook)).toBe('web waits for api, which waits for db');
    expect(causesOf(outlook.service('web'), outlook).map(({ spec }) => spec.name)).toEqual(['db']);
    const { sentences, next } = standingOf(outlook.service('web'), now, outlook);
    expect(sentences).toEqual([
      'web waits for api, which waits for db',
      'db has failed: 10 restarts within 5 min did not help; it is tried quietly every 60 s, next in 40 s',
    ]);
    expect(next).toBe('it is started when api is ready');
  });

  it('offers what helps the root, and not what would keep it down', () => {
    const { commands } = standingOf(outlook.service('web'), now, outlook);
    expect(commands.map(({ command }) => command)).toEqual(['upkeep reset db', 'upkeep logs db', 'upkeep stop web']);
  });

  it('names a place where nothing else is missing', () => {
    const alone = among([{ name: 'web' }, 'waiting']);
    expect(standingOf(alone.service('web'), now, alone)).toMatchObject({
      sentences: ['web waits for a free place: 10 start at once, as `keeper.limits.parallel` says'],
      next: 'it is started when a place is free',
    });
  });

  it('names the one whose end moves it', () => {
    const moved = among(
      [web, 'leaving', { wave: { id: 'db@1', step: 'down', ahead: [] } }],
      [{ name: 'db' }, 'leaving'],
    );
    expect(standingOf(moved.service('web'), now, moved).sentences).toEqual([
      'web has been on its way down for 60 s, to be started again',
      'it is coupled with db, whose end or restart moves it too',
    ]);
  });
});

describe('who asked for its start', () => {
  it('is kept waiting while what it waits for is on its way', () => {
    const outlook = among([web, 'waiting'], [{ name: 'db' }, 'backoff']);
    expect(progressOf('start', [], outlook.service('web'), now, outlook)).toEqual({
      type: 'pending',
      text: 'waiting for db: backoff, next try in 8.0 s',
    });
  });

  it('is told the reason at once where that takes a person, and that the service goes on waiting', () => {
    const outlook = among([web, 'waiting'], [{ name: 'db' }, 'stopped', stoppedByAlice]);
    expect(progressOf('start', [], outlook.service('web'), now, outlook)).toEqual({
      type: 'failed',
      text: 'it waits for db: stopped by alice; `upkeep start db`; it goes on waiting, and is started once db is ready',
    });
  });

  it('hears of the root cause where that is another', () => {
    const outlook = among(
      [{ name: 'web', needs: ['api'] }, 'waiting'],
      [{ name: 'api', needs: ['db'] }, 'waiting'],
      [{ name: 'db' }, 'givenUp'],
    );
    expect(progressOf('restart', [], outlook.service('web'), now, outlook)).toEqual({
      type: 'failed',
      text: 'it waits for api: waiting for db (in the end for db: failed; `upkeep start db`); it goes on waiting, and is started once api is ready',
    });
  });
});
