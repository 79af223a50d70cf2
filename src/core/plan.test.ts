import { describe, expect, it } from 'vitest';
import { runningService, supervised } from '../../test/support/builders.js';
import { planOf } from './plan.js';
import type { ServiceSpec } from './spec.js';
import { newService, type Service, type ServiceState } from './state.js';
import { instant, millis } from './time.js';

type Wish = NonNullable<Parameters<typeof supervised>[0]>;

const setOf = (...wishes: readonly Wish[]) =>
  new Map(wishes.map((wish) => supervised(wish)).map((spec) => [spec.name as string, runningService(spec)]));

const linesOf = (set: ReadonlyMap<string, Service>, coming: readonly ServiceSpec[]): readonly string[] =>
  planOf(set, coming).map(({ name, action, why }) => `${name} ${action}: ${why}`);

const starting: ServiceState = {
  ...{ name: 'starting', since: instant(0), why: 'first', setback: null, phase: 'readying', hook: 0 },
  ...{ process: null, helper: null, deadline: null },
};

const again = (wish: Wish): ServiceSpec => supervised({ ...wish, run: '/srv/new' });
const web = { name: 'web', needs: ['api'] };
const api = { name: 'api', needs: ['db'] };
const db = { name: 'db' };

describe('a plan of coupled services', () => {
  it('shows what a restart moves along, in the order in which they start again', () => {
    const set = setOf(web, api, db, { name: 'agent', restartWith: ['web'] });
    const coming = [supervised(web), supervised(api), again(db), supervised({ name: 'agent', restartWith: ['web'] })];
    expect(linesOf(set, coming)).toEqual([
      'db restart: a new process is needed for run',
      'api restart: needs db',
      'web restart: needs api',
      'agent restart: restarts with web',
    ]);
  });

  it('shows what goes down with one that is wanted no more, and stops the last of a chain first', () => {
    const set = setOf(db, api, web);
    expect(linesOf(set, [supervised({ ...db, desired: 'down' }), supervised(api), supervised(web)])).toEqual([
      'web stop: needs api, and goes down with it',
      'api stop: needs db, and goes down with it',
      'db stop: no longer wanted up',
    ]);
  });

  it('stops and removes first, then changes in place, then starts; what is left alone comes last', () => {
    const set = setOf({ name: 'same' }, { name: 'gone' }, { name: 'told' });
    const coming = [
      supervised({ name: 'same' }),
      supervised({ name: 'front', needs: ['back'] }),
      supervised({ name: 'back' }),
      supervised({ name: 'told', description: 'new' }),
    ];
    expect(planOf(set, coming).map(({ name, action }) => `${name} ${action}`)).toEqual([
      'gone remove',
      'told live',
      'back start',
      'front start',
      'same none',
    ]);
  });

  it('follows the coupling that comes, not the one that was', () => {
    const patient = { name: 'api', needs: [{ service: 'db', grace: millis(5000) }] };
    expect(linesOf(setOf(db, api), [again(db), supervised(patient)])).toEqual([
      'api live: takes effect at once',
      'db restart: a new process is needed for run',
    ]);
  });

  it('moves nothing that is down', () => {
    const set = new Map([...setOf(db), ['api', newService(supervised(api), instant(0))] as const]);
    expect(linesOf(set, [again(db), supervised(api)])[1]).toBe('api none: unchanged');
  });
});

describe('a plan of one that is replaced beside itself', () => {
  const overlap = {
    ready: { probe: { type: 'notify' } },
    notifyAccess: 'main',
    handover: { mode: 'overlap' },
  } as const;

  it('hands over, and moves nobody along', () => {
    const set = setOf({ ...db, ...overlap }, api, web);
    expect(linesOf(set, [again({ ...db, ...overlap }), supervised(api), supervised(web)])).toEqual([
      'db handover: a new process is needed for run',
      'api none: unchanged',
      'web none: unchanged',
    ]);
  });

  it('goes by how it is to be replaced from now on', () => {
    const set = setOf(db, { name: 'other', ...overlap });
    const coming = [again({ ...db, ...overlap }), again({ name: 'other' })];
    expect(linesOf(set, coming).map((line) => line.split(':')[0])).toEqual(['db handover', 'other restart']);
  });

  it('restarts one that does not serve yet, and one that something else takes down', () => {
    const spec = supervised({ ...db, ...overlap });
    const down: Service = { ...newService(spec, instant(0)), state: starting };
    expect(linesOf(new Map([['db', down]]), [again({ ...db, ...overlap })])).toEqual([
      'db restart: a new process is needed for run',
    ]);
    const set = setOf(db, { ...api, ...overlap });
    expect(linesOf(set, [again(db), again({ ...api, ...overlap })])).toEqual([
      'db restart: a new process is needed for run',
      'api restart: needs db',
    ]);
  });
});
