import { describe, expect, it } from 'vitest';
import { supervised, watched } from '../../test/support/builders.js';
import { comebacks } from './comeback.js';
import type { Entry } from './entry.js';
import { wholeEntry, wholeService, wholeSpec } from './older.js';
import { asPid } from './process.js';
import type { ServiceSpec } from './spec.js';
import { newService, type Service, type ServiceState } from './state.js';
import { instant } from './time.js';

const without = <T extends object>(value: T, ...keys: readonly string[]): T =>
  Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key))) as T;

/** As the version before services were coupled wrote it. */
const olderSpec = (spec: ServiceSpec): ServiceSpec => ({
  ...without(spec, 'pool', 'coupling', 'hooks', 'directories', 'clean', 'heartbeats'),
  restart: without(spec.restart, 'at', 'spread'),
  kind: without(spec.kind, 'oneshot'),
});

const olderService = (service: Service): Service => ({
  ...without(service, 'wave', 'missing', 'enrolled', 'health', 'planned'),
  state: without(service.state, 'hook', ...(service.state.name === 'stopping' ? [] : ['why'])),
});

const now = instant(500);
const since = instant(5);
const process = { pid: asPid(77), startTicks: 5, inode: null };
const nothing = { process: null, helper: null, deadline: null };
const web = supervised({ name: 'web' });

const STATES: readonly ServiceState[] = [
  { name: 'running', since, process, helper: null, deadline: null },
  { name: 'waiting', since, for: 'settle', why: 'restart', deadline: instant(9) },
  { name: 'waiting', since, for: 'boot', why: 'first', deadline: null },
  { name: 'starting', since, why: 'restart', setback: null, phase: 'readying', hook: 0, ...nothing, process },
  {
    name: 'stopping',
    servedSince: null,
    since,
    phase: 'ladder',
    rung: 1,
    hook: 0,
    why: 'requested',
    ...nothing,
    process,
  },
  { name: 'backoff', since, attempt: 2, deadline: instant(9) },
  { name: 'failed', since, failure: { type: 'limit', count: 10 }, deadline: null },
];

describe('what a version wrote down that knew no neighbours', () => {
  it.each([[web], [watched({ name: 'ssh' })]])('is the definition that the same file has today: $name', (spec) => {
    expect(Object.keys(olderSpec(spec))).not.toContain('coupling');
    expect(wholeSpec(olderSpec(spec))).toEqual(spec);
  });

  it.each(STATES.map((state) => [state]))('goes on where it was: $name', (state) => {
    const service: Service = { ...newService(web, since), generation: 3, state };
    const { spec, next, ...left } = olderService(service);
    const back: Service = { ...wholeService(left), spec: wholeSpec(olderSpec(spec)), next };
    expect(back).toEqual(service);
    expect([...comebacks(new Map([['web', back]]), [{ ...web }], () => undefined, now)]).toEqual([
      { as: service, events: [] },
    ]);
  });

  it('knew no opponents, and less of an end', () => {
    const known = without(newService(web, since), 'opposition', 'asked');
    expect(wholeService(known)).toEqual(newService(web, since));
    const death = { status: { type: 'exited', code: 1 } };
    expect(wholeService({ ...known, lastDeath: death } as unknown as Service).lastDeath).toEqual({
      ...death,
      peakMemory: null,
      cpuTime: null,
      findings: null,
      onRequest: 'no',
    });
  });

  it('had no waves in what happened', () => {
    const entry = { number: 1, news: { of: 'service', change: { service: 'web' }, about: { tags: [] } } };
    expect(wholeEntry(entry as unknown as Entry)).toEqual({
      number: 1,
      news: {
        of: 'service',
        change: { service: 'web', wave: null },
        about: { tags: [], heldBack: [], ailing: [], unasked: [] },
      },
    });
    const keeper = { number: 2, news: { of: 'keeper' } } as unknown as Entry;
    expect(wholeEntry(keeper)).toBe(keeper);
  });

  it('stays as it is where it is whole', () => {
    const spec = { ...web, clean: ['/run/x'], pool: { name: 'web', index: 1, of: 2 } };
    expect(wholeSpec(spec)).toEqual(spec);
    const service: Service = { ...newService(web, since), wave: { id: 'db@5', step: 'up', ahead: [] } };
    expect(wholeService(service)).toEqual(service);
  });
});
