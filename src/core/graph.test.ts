import { describe, expect, it } from 'vitest';
import { supervised } from '../../test/support/builders.js';
import { dependentsIn, orderOf, relink } from './graph.js';
import { type Coupling, type ServiceSpec, serviceName } from './spec.js';
import { newService } from './state.js';
import { instant } from './time.js';
import { worldOf } from './world.js';

const couplings = (...specs: readonly ServiceSpec[]): ReadonlyMap<string, Coupling> =>
  new Map(specs.map(({ name, coupling }) => [name, coupling]));

const linksOf = (...specs: readonly ServiceSpec[]) =>
  worldOf(new Map(specs.map((spec) => [spec.name, newService(spec, instant(0))]))).links;

describe('who depends on whom', () => {
  it('is the reverse of what each says, by what it means', () => {
    const links = linksOf(
      supervised({ name: 'app', needs: ['db'], wants: ['cache'], after: ['net'], restartWith: ['db'] }),
      supervised({ name: 'web', needs: ['db', 'app'] }),
    );
    expect(dependentsIn(links, 'db')).toEqual({ needs: ['app', 'web'], orders: [], restarts: ['app'] });
    expect(dependentsIn(links, 'cache')).toEqual({ needs: [], orders: ['app'], restarts: [] });
    expect(dependentsIn(links, 'net')).toEqual({ needs: [], orders: ['app'], restarts: [] });
    expect(dependentsIn(links, 'web')).toEqual({ needs: [], orders: [], restarts: [] });
  });

  it('names each once, however often it is said', () => {
    const links = linksOf(supervised({ name: 'app', wants: ['db'], after: ['db'] }));
    expect(dependentsIn(links, 'db').orders).toEqual(['app']);
  });

  it('follows a new coupling in those entries alone that it touches', () => {
    const links = linksOf(supervised({ name: 'app', needs: ['db', 'net'] }));
    const was = supervised({ needs: ['db', 'net'] }).coupling;
    const is = supervised({ needs: ['net'], after: ['db'] }).coupling;
    const changed = relink(links, serviceName('app'), was, is);
    expect(changed.get('db')).toEqual({ needs: [], orders: ['app'], restarts: [] });
    expect(changed.get('net')).toEqual({ needs: ['app'], orders: [], restarts: [] });
    expect([...relink(links, serviceName('app'), was, null)].flatMap(([, { needs }]) => needs)).toEqual([]);
  });
});

describe('an order', () => {
  it('has each after its targets, else as given', () => {
    const order = orderOf(
      couplings(
        supervised({ name: 'web', needs: ['app'] }),
        supervised({ name: 'mail' }),
        supervised({ name: 'app', wants: ['db'], after: ['cache'] }),
        supervised({ name: 'cache' }),
        supervised({ name: 'db', after: ['nobody'] }),
      ),
    );
    expect(order).toEqual({ type: 'order', names: ['db', 'cache', 'app', 'web', 'mail'] });
  });

  it('of a cycle of twenty is its whole path, whatever leads into it (supervisors 30) (monitors 26)', () => {
    const ring = Array.from({ length: 20 }, (_, index) =>
      supervised({ name: `s${index}`, needs: [`s${(index + 1) % 20}`] }),
    );
    const found = orderOf(couplings(supervised({ name: 'before', after: ['s3'] }), ...ring));
    expect(found.type).toBe('cycle');
    const path = found.type === 'cycle' ? found.path : [];
    expect(path).toHaveLength(21);
    expect(path[0]).toBe(path.at(-1));
    expect(new Set(path).size).toBe(20);
    expect(path).not.toContain('before');
  });

  it('of one that names itself is a cycle of one', () => {
    expect(orderOf(couplings(supervised({ name: 'a', after: ['a'] })))).toEqual({ type: 'cycle', path: ['a', 'a'] });
  });

  it('is not disturbed by restartWith: a ring of that and needs is fine (supervisors 30)', () => {
    const ring = [
      supervised({ name: 'witness', needs: ['agent'] }),
      supervised({ name: 'agent', restartWith: ['witness'] }),
    ];
    expect(orderOf(couplings(...ring))).toEqual({ type: 'order', names: ['agent', 'witness'] });
  });

  it('of a chain of a hundred thousand is found without a deep stack', () => {
    const specs = Array.from({ length: 100_000 }, (_, index) => ({
      needs: [],
      wants: [],
      after: index === 99_999 ? [] : [serviceName(`s${index + 1}`)],
      restartWith: [],
    }));
    const order = orderOf(new Map(specs.map((coupling, index) => [`s${index}`, coupling])));
    expect(order.type === 'order' && order.names[0]).toBe('s99999');
  });
});
