import { describe, expect, it } from 'vitest';
import { supervised } from '../../test/support/builders.js';
import { exitedWith } from '../../test/support/evidence.js';
import type { Event } from './event.js';
import { asPid, type ProcessRef } from './process.js';
import type { ServiceSpec } from './spec.js';
import { newService, type Service, type ServiceState } from './state.js';
import { type Step, step } from './step.js';
import { instant, type Moment, millis, wallTime } from './time.js';
import { worldOf } from './world.js';

const at = (now: number): Moment => ({
  instant: instant(now),
  wall: wallTime(now),
  random: 0.5,
  host: 'up',
  steadySince: instant(0),
});

const processOf = (pid: number): ProcessRef => ({ pid: asPid(pid), startTicks: pid, inode: null });

/** All of these run, since long ago; the first as process 101, the next as 102. */
const upAndRunning = (...specs: readonly ServiceSpec[]): Service[] =>
  specs.map((spec, index) => ({
    ...newService(spec, instant(0)),
    generation: 1,
    state: { name: 'running', since: instant(0), process: processOf(101 + index), helper: null, deadline: null },
  }));

const take = (services: readonly Service[], event: Event, now = 100_000): Step =>
  step(worldOf(new Map(services.map((service) => [service.spec.name, service]))), event, at(now));

const died = (service: Service): Event => ({
  type: 'exited',
  service: service.spec.name,
  process: (service.state as { process: ProcessRef }).process,
  evidence: exitedWith(1),
  away: 'no',
});

const stateOf = (outcome: Step, name: string): ServiceState | undefined =>
  outcome.services.find(({ spec }) => spec.name === name)?.state;

describe('one step', () => {
  it('draws in all that one end moves, over any number of services, and nobody else', () => {
    const services = upAndRunning(
      supervised({ name: 'a' }),
      supervised({ name: 'b', needs: ['a'] }),
      supervised({ name: 'c', needs: ['b'] }),
      supervised({ name: 'd', after: ['a'], wants: ['b'] }),
      supervised({ name: 'e' }),
    );
    const outcome = take(services, died(services[0] as Service));
    expect(outcome.services.map(({ spec }) => spec.name).sort()).toEqual(['a', 'b', 'c']);
    expect(outcome.effects.filter(({ type }) => type === 'signal')).toMatchObject([{ service: 'c' }]);
    expect(stateOf(outcome, 'b')).toMatchObject({ name: 'stopping', phase: 'turn' });
    expect(new Set(outcome.services.map(({ wave }) => wave?.id))).toEqual(new Set(['a@100000']));
  });

  it('of a service that nobody is coupled to begins no wave, and tells of none', () => {
    const services = upAndRunning(supervised({ name: 'a' }), supervised({ name: 'b', wants: ['a'] }));
    const outcome = take(services, died(services[0] as Service));
    expect(outcome.services.map(({ wave }) => wave)).toEqual([null]);
    expect(outcome.changes.every(({ wave, what }) => wave === null && what.type !== 'waved')).toBe(true);
  });

  it('takes deaths that were told at once as one wave, whichever is named first', () => {
    const services = upAndRunning(
      supervised({ name: 'witness', needs: ['agent'] }),
      supervised({ name: 'agent', restartWith: ['witness'] }),
    );
    for (const order of [services, [...services].reverse()]) {
      const outcome = take(services, { type: 'together', events: order.map(died) as never });
      expect(new Set(outcome.services.map(({ wave }) => wave?.id)).size).toBe(1);
      const charged = outcome.services.filter(({ restarts }) => restarts.total > 0);
      expect(charged.map(({ spec }) => spec.name)).toEqual([order[0]?.spec.name]);
    }
  });

  it('does not lose a wave when the service whose end began it is removed', () => {
    const services = upAndRunning(
      supervised({ name: 'a', leftovers: 'leave' }),
      supervised({ name: 'b', restartWith: ['a'] }),
    );
    const id = 'a@1' as const;
    const members = services.map((service, index): Service => {
      const wave = { id, step: index === 0 ? ('down' as const) : ('settled' as const), ahead: [] };
      return index === 0
        ? { ...service, wave, state: { name: 'backoff', since: instant(0), attempt: 1, deadline: instant(9e9) } }
        : { ...service, wave };
    });
    const outcome = take(members, { type: 'removed', service: (members[0] as Service).spec.name });
    expect(outcome.removed).toEqual(['a']);
    expect(outcome.services.map(({ spec, wave }) => [spec.name, wave])).toEqual([['b', null]]);
  });

  it('closes a wave on both sides of a member that another wave took', () => {
    const specs = ['a', 'b', 'c'].map((name, index) =>
      supervised({ name, needs: index === 0 ? [] : [['a', 'b'][index - 1] ?? ''] }),
    );
    const [a, b, c] = upAndRunning(...specs) as [Service, Service, Service];
    const wave = { id: 'a@1', step: 'settled', ahead: [] } as const;
    const waits: Service = {
      ...c,
      wave: { ...wave, step: 'down' },
      state: { name: 'waiting', since: instant(0), for: 'turn', why: 'coupling', deadline: null },
    };
    const outcome = take([{ ...a, wave }, { ...b, wave }, waits], died(b));
    const waves = Object.fromEntries(outcome.services.map((service) => [service.spec.name, service.wave?.id ?? null]));
    expect(waves).toEqual({ a: null, b: 'b@100000', c: 'a@1' });
  });

  it('leaves its old wave when it ends for itself, also where it begins none', () => {
    const [a, b, c] = upAndRunning(
      supervised({ name: 'a' }),
      supervised({ name: 'b', needs: ['a'] }),
      supervised({ name: 'c', needs: ['a'] }),
    ) as [Service, Service, Service];
    const wave = { id: 'a@1', step: 'settled', ahead: [] } as const;
    const waits: Service = {
      ...c,
      wave: { ...wave, step: 'down' },
      state: { name: 'waiting', since: instant(0), for: 'leftovers', why: 'coupling', deadline: null },
    };
    const outcome = take([{ ...a, wave }, { ...b, wave }, waits], died(b));
    expect(outcome.changes.map(({ wave: id }) => id)).not.toContain('a@1');
    expect(outcome.services.find(({ spec }) => spec.name === 'b')?.wave).toBeNull();
    expect(outcome.services.find(({ spec }) => spec.name === 'b')?.restarts.total).toBe(1);
  });

  it('begins another wave with the end of a patience that outlived the wave it came of', () => {
    const [db, app] = upAndRunning(
      supervised({ name: 'db' }),
      supervised({ name: 'app', needs: [{ service: 'db', grace: millis(5_000) }] }),
    ) as [Service, Service];
    const wave = { id: 'db@1', step: 'down', ahead: [] } as const;
    const gone: Service = {
      ...db,
      state: { name: 'backoff', since: instant(0), attempt: 1, deadline: instant(9e9) },
    };
    const patient: Service = { ...app, missing: [{ service: db.spec.name, until: instant(100_000), wave: 'db@1' }] };
    const idAfter = (first: Service): unknown =>
      take([first, patient], { type: 'deadlinePassed', service: app.spec.name }).services.find(
        ({ spec }) => spec.name === 'app',
      )?.wave?.id;
    expect(idAfter({ ...gone, wave })).toBe('db@1');
    expect(idAfter(gone)).toBe('db@100000');
  });

  it('remembers until when a patient one waits, and lets it go on when what it misses is back', () => {
    const [db, app] = upAndRunning(
      supervised({ name: 'db' }),
      supervised({ name: 'app', needs: [{ service: 'db', grace: millis(5_000) }] }),
    ) as [Service, Service];
    const gone = take([db, app], died(db));
    const missing = gone.services.find(({ spec }) => spec.name === 'app');
    expect(missing).toMatchObject({ state: { name: 'running' }, missing: [{ service: 'db', until: 105_000 }] });
    const starting = { ...db, state: { ...readying, process: processOf(7) } as ServiceState };
    const back = take([starting, missing as Service], {
      type: 'becameReady',
      service: db.spec.name,
      process: processOf(7),
    });
    expect(back.services.find(({ spec }) => spec.name === 'app')).toMatchObject({ missing: [] });
  });
});

const readying = {
  name: 'starting',
  since: instant(0),
  why: 'restart',
  phase: 'readying',
  hook: 0,
  helper: null,
  setback: null,
  deadline: null,
};
