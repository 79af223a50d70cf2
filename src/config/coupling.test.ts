import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { configOf, problemsOf, WEB1, warningsOf } from '../../test/support/configuration.js';
import { orderOf, targetsOf } from '../core/graph.js';
import { type Coupling, type Need, noCoupling, type ServiceSpec, serviceName } from '../core/spec.js';
import { millis } from '../core/time.js';

const services = (text: string, before = ''): string => `${before}services:\n${text.replace(/^/gm, '  ')}\n`;

const specsOf = (...lines: readonly string[]): Readonly<Record<string, ServiceSpec>> =>
  Object.fromEntries(configOf(services(lines.join('\n'))).specs.map((spec) => [spec.name, spec]));

const couplingOf = (text: string, name = 'web'): Coupling | undefined =>
  configOf(text).specs.find((spec) => spec.name === name)?.coupling;

const need = (service: string, grace = 0, onReload: Need['onReload'] = 'nothing'): Need => ({
  service: serviceName(service),
  grace: millis(grace),
  onReload,
});

const chain = (count: number, last: string): string =>
  Array.from(
    { length: count },
    (_, at) => `s${at + 1}: { run: x, ${at + 1 === count ? last : `needs: s${at + 2}`} }`,
  ).join('\n');

describe('needs', () => {
  it.each([
    ['a name', 'needs: db', [need('db')]],
    ['a list', 'needs: [db, cache]', [need('db'), need('cache')]],
    [
      'a map',
      'needs: { db: { grace: 5s, onReload: restart }, cache: {} }',
      [need('db', 5000, 'restart'), need('cache')],
    ],
  ])('may be %s', (_form, needs, wanted) => {
    const { web } = specsOf('db: { run: x }', 'cache: { run: x }', `web: { run: x, ${needs} }`);
    expect(web?.coupling.needs).toEqual(wanted);
  });

  it('adds up over defaults, templates and the service, for a list is short for a map, and null takes one back', () => {
    const text = services(
      [
        'net: { run: x }',
        'db: { run: x, needs: null }',
        'cache: { run: x, needs: { net: null } }',
        'web: { run: x, extends: data, needs: { cache: { grace: 1s }, db: { onReload: restart } } }',
      ].join('\n'),
      'defaults: { needs: net }\ntemplates: { data: { needs: { db: { grace: 2s } } } }\n',
    );
    expect(couplingOf(text)?.needs).toEqual([need('net'), need('cache', 1000), need('db', 2000, 'restart')]);
    expect(couplingOf(text, 'db')?.needs).toEqual([]);
    expect(couplingOf(text, 'cache')?.needs).toEqual([]);
  });

  it('of the defaults means all services but the one that it names', () => {
    expect(couplingOf(services('net: { run: x }', 'defaults: { after: net, needs: net }\n'), 'net')).toEqual({
      needs: [],
      wants: [],
      after: [],
      restartWith: [],
    });
  });
});

describe('wants, after and restartWith', () => {
  it('are names, one or a list, and a list replaces that of a lower layer', () => {
    const text = services(
      'a: { run: x }\nb: { run: x }\nweb: { run: x, extends: t, wants: [b], after: [a, b], restartWith: a }',
      'templates: { t: { wants: [a] } }\n',
    );
    expect(couplingOf(text)).toEqual({ needs: [], wants: ['b'], after: ['a', 'b'], restartWith: ['a'] });
  });

  it('leave out what does not apply on this host, without a word', () => {
    const text = services(
      'far: { run: x, hosts: "!web1" }\nweb: { run: x, wants: far, after: [far], restartWith: [far] }',
    );
    expect(couplingOf(text)).toEqual({ needs: [], wants: [], after: [], restartWith: [] });
    expect(warningsOf(text)).toEqual([]);
  });
});

describe('a mistake about another service is told with its place and what would do', () => {
  it.each([
    [
      'an unknown one',
      'db: { run: x }\nweb: { run: x, needs: [dbb] }',
      '/u.yaml:3:26: services.web.needs: unknown service "dbb"; did you mean db',
    ],
    [
      'one like no other',
      'web: { run: x, after: postgres }',
      '/u.yaml:2:25: services.web.after: unknown service "postgres"; name one of `services`',
    ],
    [
      'the service itself',
      'web: { run: x, restartWith: [web] }',
      '/u.yaml:2:32: services.web.restartWith: found web itself; take it out',
    ],
    [
      'its own pool',
      'web: { run: x, instances: 2, needs: web }',
      '/u.yaml:2:39: services.web.needs: found web itself; take it out',
    ],
    [
      'one twice',
      'db: { run: x }\nweb: { run: x, needs: [db, db] }',
      '/u.yaml:3:30: services.web.needs: db stands here twice; take one out',
    ],
    [
      'one twice in another list',
      'db: { run: x }\nweb: { run: x, wants: [db, db] }',
      '/u.yaml:3:30: services.web.wants: db stands here twice; take one out',
    ],
    [
      'a map in a list',
      'db: { run: x }\nweb: { run: x, needs: [{ db: {} }] }',
      '/u.yaml:3:26: services.web.needs: found a map; write the name of a service, a list of them, or a map like {db: {grace: 5s}}',
    ],
    [
      'a grace without its name',
      'db: { run: x }\nweb: { run: x, needs: { db: 5s } }',
      '/u.yaml:3:31: services.web.needs.db: found "5s"; write a map like {grace: 5s}',
    ],
    [
      'a need that is for other hosts',
      'db: { run: x, hosts: "!web1" }\nweb: { run: x, needs: [db] }',
      '/u.yaml:3:26: services.web.needs: db does not apply on this host (its hosts are !web1); give both the same `hosts`, or write it in `wants`',
    ],
  ])('%s', (_title, text, message) => {
    expect(problemsOf(services(text))).toEqual([message]);
  });

  it('in a template that no service asks for too, and where the service has other mistakes', () => {
    const text = services('web: { run: x, nice: 99, wants: bd }', 'templates: { t: { needs: [db] } }\n');
    expect(problemsOf(text)).toEqual([
      '/u.yaml:1:27: templates.t.needs: unknown service "db"; name one of `services`',
      '/u.yaml:3:24: services.web.nice: found "99", which does not fit; write a whole number from -20 to 19',
      '/u.yaml:3:35: services.web.wants: unknown service "bd"; name one of `services`',
    ]);
  });

  it('is judged for the host that is asked about', () => {
    const text = services(
      'db: { run: x, hosts: dns }\nweb: { run: x, hosts: "web|dns", needs: db }',
      'classes: { web: ["web*"], dns: ["ns*"] }\n',
    );
    expect(problemsOf(text)).toEqual([
      '/u.yaml:4:43: services.web.needs: db does not apply on this host (its hosts are dns); give both the same `hosts`, or write it in `wants`',
    ]);
    expect(problemsOf(text, { facts: { ...WEB1, hostName: 'ns1' } })).toEqual([]);
    expect(problemsOf(text, { facts: { ...WEB1, hostName: 'mail1' } })).toEqual([]);
  });
});

describe('a cycle', () => {
  it('of twenty services is refused with its whole path (supervisors 30, monitors 26)', () => {
    const way = [...Array.from({ length: 20 }, (_, at) => `s${at + 1}`), 's1'].join(' → ');
    expect(problemsOf(services(chain(20, 'needs: s1')))).toEqual([
      `/u.yaml:2:24: services.s1.needs: each of these waits for the next, so none could ever start: ${way}; take one of these \`needs\` or \`after\` out`,
    ]);
  });

  it('of needs and after is a contradiction, also where templates and defaults say it', () => {
    const text = services(
      'a: { run: x, extends: t }\nb: { run: x }',
      'defaults: { after: a }\ntemplates: { t: { needs: [b] } }\n',
    );
    expect(problemsOf(text)).toEqual([
      '/u.yaml:2:27: services.a.needs: each of these waits for the next, so none could ever start: a → b → a; take one of these `needs` or `after` out',
    ]);
  });

  it('is told for each of several', () => {
    const text = services('a: {run: x, needs: b}\nb: {run: x, needs: a}\nc: {run: x, after: d}\nd: {run: x, after: c}');
    expect(problemsOf(text).map((problem) => /start: (.*?);/.exec(problem)?.[1])).toEqual(['a → b → a', 'c → d → c']);
  });

  it('over a service of another host is none', () => {
    const text = services('a: {run: x, after: b}\nb: {run: x, hosts: "!web1", after: c}\nc: {run: x, after: a}');
    expect(problemsOf(text)).toEqual([]);
  });

  it('of which a part is only wanted is accepted: that is not waited for (supervisors 30)', () => {
    const text = services('a: { run: x, needs: b }\nb: { run: x, wants: [c] }\nc: { run: x, after: [a] }');
    expect(couplingOf(text, 'b')?.wants).toEqual([]);
    expect(couplingOf(text, 'c')?.after).toEqual(['a']);
    expect(warningsOf(text)).toEqual([
      '/u.yaml:3:24: services.b.wants: a → b → c → a is a cycle, so b does not wait for c, which it only wants; both are started',
    ]);
  });

  it('of wants alone is accepted too', () => {
    const text = services('a: { run: x, wants: b }\nb: { run: x, wants: a }');
    expect([couplingOf(text, 'a')?.wants, couplingOf(text, 'b')?.wants]).toEqual([['b'], []]);
  });

  it('of restartWith contradicts nothing, nor does one with needs', () => {
    const text = services('a: { run: x, needs: b, restartWith: b }\nb: { run: x, restartWith: a }');
    expect(couplingOf(text, 'a')).toEqual({ needs: [need('b')], wants: [], after: [], restartWith: ['b'] });
    expect(couplingOf(text, 'b')?.restartWith).toEqual(['a']);
    expect(warningsOf(text)).toEqual([]);
  });
});

describe('whatever is written', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
  const some = fc.uniqueArray(fc.constantFrom(...names), { maxLength: 3 });
  const written = fc.record({ needs: some, wants: some, after: some, restartWith: some });
  const all = fc.tuple(...names.map(() => written));
  type Written = Readonly<Record<'needs' | 'wants' | 'after' | 'restartWith', readonly string[]>>;

  const withoutSelf = (each: readonly Written[]): readonly Written[] =>
    each.map((one, at) => ({
      needs: one.needs.filter((name) => name !== names[at]),
      wants: one.wants.filter((name) => name !== names[at]),
      after: one.after.filter((name) => name !== names[at]),
      restartWith: one.restartWith.filter((name) => name !== names[at]),
    }));

  const textOf = (each: readonly Written[]): string =>
    stringify({
      services: Object.fromEntries(each.map((one, at) => [names[at], { run: 'x', instances: 1 + (at % 2), ...one }])),
    });

  const strictly = (each: readonly Written[]): ReadonlyMap<string, Coupling> =>
    new Map(
      each.map(({ needs, after }, at) => [
        names[at] ?? '',
        { ...noCoupling, needs: needs.map((name) => need(name)), after: after.map(serviceName) },
      ]),
    );

  it('comes out in an order, unless needs and after alone contradict one another, and then with a way that is there', () => {
    fc.assert(
      fc.property(all, (each) => {
        const services = withoutSelf(each);
        const text = textOf(services);
        const problems = problemsOf(text);
        const strict = strictly(services);
        expect(problems.length > 0).toBe(orderOf(strict).type === 'cycle');
        for (const problem of problems) {
          const way = (/ever start: (.*?);/.exec(problem)?.[1] ?? '').split(' → ');
          expect(way.length).toBeGreaterThan(2);
          expect(way.at(-1)).toBe(way[0]);
          for (const [at, name] of way.slice(1).entries())
            expect([...targetsOf(strict.get(way[at] ?? '') ?? noCoupling)]).toContain(name);
        }
        if (problems.length > 0) return;
        const couplings = new Map(configOf(text).specs.map((spec) => [spec.name as string, spec.coupling]));
        expect(orderOf(couplings).type).toBe('order');
      }),
      { numRuns: 300 },
    );
  });

  it('gives up a wish only where the order asks for it', () => {
    fc.assert(
      fc.property(all, (each) => {
        const text = textOf(withoutSelf(each));
        if (problemsOf(text).length > 0) return;
        const wanted = withoutSelf(each).flatMap(({ wants }) => wants).length;
        const lone = stringify(parse(text.replace(/instances: 2/g, 'instances: 1')));
        const kept = configOf(lone).specs.flatMap(({ coupling }) => coupling.wants).length;
        expect(wanted - kept).toBe(warningsOf(lone).filter((warning) => warning.includes('is a cycle')).length);
      }),
      { numRuns: 200 },
    );
  });
});
