// The promise: whoever stops a service in the middle of a hand-over has it stopped, with all its generations; one hand-over is under
// way at a time; and what an old one has not finished in time is ended, it alone.

import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ask, fault, stepsOf } from '../support/handing-over.js';
import { alone, ended, events, livingOf, serving, zombiesOf } from '../support/handing-over-stage.js';
import type { Home } from '../support/keeper.js';
import { isAlive } from '../support/running.js';

const stop = [
  { signal: 'SIGTERM', wait: '1s' },
  { signal: 'SIGKILL', wait: '5s', to: 'group' },
];

interface Case {
  readonly when: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly hooks?: object;
  readonly fault?: string;
  readonly isThere: (home: Home) => boolean;
}

/** Of the second generation alone, and once. */
const lasts = (home: string): object => [
  'sh',
  '-c',
  `test "$UPKEEP_GENERATION" = 1 || test -e ${home} || { touch ${home}; exec sleep 60; }`,
];

const cases: readonly Case[] = [
  {
    when: 'while a command before the start runs',
    hooks: { beforeStart: [] },
    isThere: (home) => existsSync(home.at('hook')),
  },
  {
    when: 'while the new one gets ready',
    env: { HO_STATE: 'no' },
    fault: 'new:never-ready',
    isThere: (home) => events(home, 2).includes('connected'),
  },
  {
    when: 'while the state goes over',
    fault: 'old:never-writes',
    isThere: (home) => events(home, 1).includes('froze'),
  },
  {
    when: 'while the new one looks at its state',
    fault: 'new:never-ready',
    isThere: (home) => events(home, 2).includes('imported'),
  },
  {
    when: 'while a command after the start runs',
    hooks: { afterStart: [] },
    isThere: (home) => existsSync(home.at('hook')),
  },
  {
    when: 'while the old one drains',
    fault: 'old:never-drains',
    isThere: (home) => events(home, 2).includes('accepting'),
  },
];

const childrenOf = (home: Home): readonly number[] =>
  stepsOf(home).flatMap(({ event, child }) => (event === 'child' ? [Number(child)] : []));

describe('a stop', () => {
  it.each(cases)('$when leaves no process, no zombie and no socket (graceful D9)', async (one) => {
    const { home, keeper } = await serving({ HO_CHILDREN: '1', ...one.env }, (at) => ({
      stop,
      hooks: Object.fromEntries(Object.keys(one.hooks ?? {}).map((role) => [role, [lasts(at.at('hook'))]])),
      sockets: { http: at.at('web.sock') },
    }));
    expect(existsSync(home.at('web.sock'))).toBe(true);
    if (one.fault !== undefined) fault(home, one.fault);
    const asked = home.upkeep('restart', 'web');
    await home.until(one.when, () => one.isThere(home));
    expect((await home.upkeep('stop', 'web')).code).toBe(0);
    await asked;
    expect(await home.service('web')).toMatchObject({ state: 'stopped', draining: [] });
    expect([livingOf(home), childrenOf(home).filter(isAlive)]).toEqual([[], []]);
    await home.until('no zombie', () => zombiesOf(keeper.pid).length === 0);
    expect(existsSync(home.at('web.sock'))).toBe(false);
    fault(home);
    // The place is clean: it can be started again.
    expect((await home.upkeep('start', 'web')).code).toBe(0);
  });
});

describe('a second request', () => {
  it('at the same time is refused, and the first goes its way (graceful D8)', async () => {
    const { home, port, old } = await serving({ HO_WARMUP: '2' });
    const both = await Promise.all([home.upkeep('restart', 'web'), home.upkeep('restart', 'web')]);
    expect(
      both.map(({ code }) => code).toSorted((one, other) => Number(one) - Number(other)),
      JSON.stringify(both),
    ).toEqual([0, 1]);
    expect(both.find(({ code }) => code === 1)?.stderr).toMatch(/a hand-over is under way/);
    await ended(home, old);
    expect(await alone(home, port)).not.toBe(old);
    expect(new Set(stepsOf(home).map(({ pid }) => pid)).size).toBe(2);
  });

  it('while as many drain as may is refused, with their pids, and no third generation is started (graceful D8)', async () => {
    const { home, old } = await serving({}, { handover: { mode: 'overlap', drain: '10m' } });
    fault(home, 'old:never-drains');
    expect((await home.upkeep('restart', 'web')).code).toBe(0);
    const { code, stderr } = await home.upkeep('restart', 'web');
    expect([code, stderr]).toEqual([1, expect.stringMatching(new RegExp(`process ${old}\\) still finish`))]);
    expect(livingOf(home)).toHaveLength(2);
    expect(new Set(stepsOf(home).map(({ generation }) => generation))).toEqual(new Set([1, 2]));
  });
});

describe('an old generation that does not finish in time', () => {
  it('is ended with its children, and nobody else is; it is told, and who was connected has the end of it (graceful D10)', async () => {
    const { home, port, old } = await serving({ HO_CHILDREN: '2' }, { handover: { mode: 'overlap', drain: '1s' } });
    fault(home, 'old:never-drains');
    const slow = connect(port, '127.0.0.1');
    slow.on('error', () => {});
    const cut = new Promise<void>((resolve) => slow.once('close', () => resolve()));
    slow.write('GET / HTTP/1.1\r\n');
    await home.until('it is accepted', () => slow.readyState === 'open');
    const first = childrenOf(home);
    const later = (): readonly number[] => childrenOf(home).slice(first.length);
    expect((await home.upkeep('restart', 'web')).code).toBe(0);
    await home.when('web', ({ draining }) => draining.length === 0);
    await cut;
    expect([isAlive(old), ...first.map(isAlive)]).toEqual([false, false, false]);
    expect(later().map(isAlive)).toEqual([true, true]);
    expect(await alone(home, port)).not.toBe(old);
    expect(await ask(port)).toMatchObject({ generation: 2 });
    await home.until('the history tells', async () =>
      /the old generation of web \(pid \d+\) .*(time|ended)/.test(
        (await home.upkeep('history', 'web', '-n', 'all')).stdout,
      ),
    );
  });
});
