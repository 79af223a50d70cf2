import { describe, expect, it } from 'vitest';
import { runningService, supervised } from '../../test/support/builders.js';
import { impactOf } from './impact.js';
import { serviceName } from './spec.js';
import type { Service, ServiceState, WaveId } from './state.js';
import { instant, millis, wallTime } from './time.js';
import { viewOf, worldOf } from './world.js';

type Wish = NonNullable<Parameters<typeof supervised>[0]>;

type Entry = Wish | readonly [Wish, Partial<Service>];

const isBare = (entry: Entry): entry is Wish => !Array.isArray(entry);

const viewAmong = (...entries: readonly Entry[]) =>
  viewOf(
    worldOf(
      new Map(
        entries.map((entry): [string, Service] => {
          const [wish, more] = isBare(entry) ? [entry, {}] : entry;
          const spec = supervised(wish);
          return [spec.name, { ...runningService(spec), ...more }];
        }),
      ),
    ),
  );

const shop: readonly Wish[] = [
  { name: 'db' },
  { name: 'web', needs: ['api'] },
  { name: 'api', needs: ['db'] },
  { name: 'log', after: ['db'] },
];

describe('a stop', () => {
  it('takes down what needs it, the last first, and nothing that only comes after it (supervisors 25)', () => {
    expect(impactOf(viewAmong(...shop), ['db'], 'stop')).toEqual({ down: ['web', 'api'], restarted: [], spared: [] });
  });

  it('of what is down already takes down those that were patient with it, and what needs them', () => {
    const missing = [{ service: serviceName('db'), until: instant(9), wave: 'db@1' as WaveId }];
    const down: ServiceState = { name: 'stopped', since: instant(0), why: 'requested' };
    const view = viewAmong([{ name: 'db' }, { state: down }], [{ name: 'api', needs: ['db'] }, { missing }], {
      name: 'web',
      needs: ['api'],
    });
    expect(impactOf(view, ['db'], 'stop').down).toEqual(['web', 'api']);
    expect(impactOf(view, ['db'], 'restart').down).toEqual([]);
  });

  it('says nothing of those that are stopped by name too, nor of what is down already', () => {
    expect(impactOf(viewAmong(...shop), ['db', 'web', 'api'], 'stop').down).toEqual([]);
    const stopped: ServiceState = { name: 'stopped', since: instant(0), why: 'requested' };
    const view = viewAmong({ name: 'db' }, [{ name: 'web', needs: ['db'] }, { state: stopped }]);
    expect(impactOf(view, ['db'], 'stop')).toEqual({ down: [], restarted: [], spared: [] });
  });

  it('restarts its partners, and what needs those', () => {
    const view = viewAmong(
      { name: 'witness' },
      { name: 'agent', restartWith: ['witness'] },
      { name: 'signer', needs: ['agent'] },
    );
    expect(impactOf(view, ['witness'], 'stop')).toEqual({ down: [], restarted: ['agent', 'signer'], spared: [] });
  });

  it('leaves down what a partner would restart, where it needs it', () => {
    const view = viewAmong({ name: 'db' }, { name: 'web', needs: ['db'], restartWith: ['db'] });
    expect(impactOf(view, ['db'], 'stop')).toEqual({ down: ['web'], restarted: [], spared: [] });
  });

  it('takes down also what could be patient with an end', () => {
    const view = viewAmong({ name: 'db' }, { name: 'web', needs: [{ service: 'db', grace: millis(5000) }] });
    expect(impactOf(view, ['db'], 'stop').down).toEqual(['web']);
    expect(impactOf(view, ['db'], 'restart').restarted).toEqual([]);
  });

  it('leaves alone what is on hold, and says so', () => {
    const hold = { by: null, since: wallTime(0), until: null, reason: null };
    const view = viewAmong({ name: 'db' }, [{ name: 'web', needs: ['db'] }, { hold }]);
    expect(impactOf(view, ['db'], 'stop')).toEqual({ down: [], restarted: [], spared: ['web'] });
  });
});

describe('a service on hold', () => {
  it('is neither stopped nor restarted, and moves nobody', () => {
    const hold = { by: null, since: wallTime(0), until: null, reason: null };
    const view = viewAmong([{ name: 'db' }, { hold }], { name: 'web', needs: ['db'] });
    expect(impactOf(view, ['db'], 'stop')).toEqual({ down: [], restarted: [], spared: [] });
  });
});

describe('a restart', () => {
  it('moves what needs it along, in the order in which they start again', () => {
    expect(impactOf(viewAmong(...shop), ['db'], 'restart')).toEqual({
      down: [],
      restarted: ['api', 'web'],
      spared: [],
    });
  });

  it('goes once round a ring', () => {
    const view = viewAmong({ name: 'witness', needs: ['agent'] }, { name: 'agent', restartWith: ['witness'] });
    expect(impactOf(view, ['witness'], 'restart').restarted).toEqual(['agent']);
    expect(impactOf(view, ['agent'], 'restart').restarted).toEqual(['witness']);
  });

  it('of a pool leaves alone what needs it, for its members roll; of the one member that is up it does not', () => {
    const pool = [1, 2].map((index) => ({ name: `web@${index}`, pool: { name: 'web', index, of: 2 } }));
    const front: Wish = { name: 'front', needs: ['web@1', 'web@2'] };
    const view = viewAmong(...pool, front);
    expect(impactOf(view, ['web@1', 'web@2'], 'restart').restarted).toEqual([]);
    expect(impactOf(view, ['web@1', 'web@2'], 'stop').down).toEqual(['front']);
    expect(impactOf(viewAmong(pool[0] ?? front, front), ['web@1'], 'restart').restarted).toEqual(['front']);
  });
});

describe('a restart of one that is replaced beside itself', () => {
  it('moves nobody, for it is never away; a stop does', () => {
    const view = viewAmong(
      { name: 'db', handover: { mode: 'overlap' } },
      { name: 'api', needs: ['db'] },
      {
        name: 'agent',
        restartWith: ['db'],
      },
    );
    expect(impactOf(view, ['db'], 'restart')).toEqual({ down: [], restarted: [], spared: [] });
    expect(impactOf(view, ['db'], 'stop')).toMatchObject({ down: ['api'], restarted: ['agent'] });
  });
});
