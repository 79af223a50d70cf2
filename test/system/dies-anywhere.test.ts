// The promise: the keeper may die between any two things that it does. Killed at each point of a life in which services
// start, die, are stopped and are changed, and started again, it has the same processes, one of each, and everything that
// was accepted stands.

import { copyFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type Home, newHome } from '../support/keeper.js';
import { isAlive, type Running, readQuietly, signal } from '../support/running.js';

const AT_ONCE = 4;
/** More than the life has; it ends with the first point that is not reached. */
const MOST = 200;

const names = ['web', 'flaky', 'stubborn', 'patrol', 'late'] as const;
type Name = (typeof names)[number];

/** By what the processes of each are told from all others of the home. */
const marks: Readonly<Record<Name, string>> = {
  web: 'sleep\x001001',
  flaky: 'sleep\x001002',
  stubborn: 'sleep\x001003',
  patrol: 'patrold\x001004',
  late: 'sleep\x001005',
};

function pidsOf(home: Home, name: Name): readonly number[] {
  return home.processes().filter((pid) => isAlive(pid) && readQuietly(`/proc/${pid}/cmdline`).includes(marks[name]));
}

const restart = { delay: '50ms', limit: 'none' };

function configure(home: Home, which: 'first' | 'second'): void {
  home.configure({
    web: { run: 'sleep 1001', description: which, restart },
    flaky: { run: 'sleep 1002', restart },
    stubborn: {
      run: ['sh', '-c', 'trap "sleep 0.2; exit 0" TERM; sleep 1003 & wait; wait'],
      restart,
      stop: [
        { signal: 'SIGTERM', wait: '1s', to: 'main' },
        { signal: 'SIGKILL', wait: '5s', to: 'group' },
      ],
    },
    patrol: { watch: home.at('patrold'), start: home.at('start-patrol'), restart },
    ...(which === 'second' ? { late: { run: 'sleep 1005', restart } } : {}),
  });
}

const newcomer = (): Home => {
  const home = newHome();
  copyFileSync('/bin/sleep', home.at('patrold'));
  home.write('start-patrol', `#!/bin/sh\nsetsid ${home.at('patrold')} 1004 </dev/null >/dev/null 2>&1 &\n`, 0o755);
  configure(home, 'first');
  return home;
};

interface Life {
  /** Was the stop accepted? */
  stop: 'accepted' | 'asked' | 'not asked';
  apply: 'done' | 'not done';
  end: 'by the fault' | 'at its end';
}

/** Everything that happens in it happens after the same answers, so that each point comes at about the same place. */
async function live(home: Home, fault: string): Promise<Life> {
  const keeper = home.launch([], { env: { UPKEEP_FAULT: fault } });
  const life: Life = { stop: 'not asked', apply: 'not done', end: 'at its end' };
  let isOver = false;
  void keeper.ended.then(() => {
    isOver = true;
  });
  const until = async (isSo: () => Promise<boolean>): Promise<'so' | 'dead'> => {
    let answer: 'so' | 'dead' = 'dead';
    await home.until(`point ${fault}`, async () => {
      if (isOver) return true;
      if (!(await isSo().catch(() => false))) return false;
      answer = 'so';
      return true;
    });
    return answer;
  };
  const isIn = async (name: string, state: string): Promise<boolean> => (await home.service(name)).state === state;
  const steps: readonly (() => Promise<'so' | 'dead'>)[] = [
    () => until(async () => (await isIn('web', 'running')) && (await isIn('patrol', 'running'))),
    () => until(async () => (await isIn('flaky', 'running')) && (await isIn('stubborn', 'running'))),
    async () => {
      for (const pid of pidsOf(home, 'flaky')) signal(pid, 'SIGKILL');
      return until(async () => (await home.service('flaky')).restarts.total === 1 && (await isIn('flaky', 'running')));
    },
    async () => {
      life.stop = 'asked';
      const answer = await home.post('/v1/services/stubborn/stop').catch(() => null);
      if (answer?.type === 'ok') life.stop = 'accepted';
      return until(() => isIn('stubborn', 'stopped'));
    },
    async () => {
      configure(home, 'second');
      const answer = await home.post('/v1/apply').catch(() => null);
      if (answer?.type === 'ok') life.apply = 'done';
      return until(() => isIn('late', 'running'));
    },
  ];
  for (const step of steps) {
    if ((await step()) === 'dead') {
      life.end = 'by the fault';
      expect(await keeper.ended, keeper.said()).toMatchObject({ signal: 'SIGKILL' });
      return life;
    }
  }
  await keeper.end('SIGKILL');
  return life;
}

/** The next one is killed in its turn, at this point or as soon as it answers. */
async function dieAgain(home: Home, fault: string): Promise<void> {
  const keeper = home.launch([], { env: { UPKEEP_FAULT: fault } });
  let isOver = false;
  void keeper.ended.then(() => {
    isOver = true;
  });
  await home.until('it answers or is dead', async () => isOver || (await home.get('/v1/status')).type === 'ok');
  await keeper.end('SIGKILL');
}

async function check(home: Home, fault: string, life: Life): Promise<void> {
  const left = new Map(names.map((name) => [name, pidsOf(home, name)]));
  const keeper: Running = await home.start();
  const context = (): string => `${fault}: ${JSON.stringify(life)} ${JSON.stringify([...left])}\n${keeper.said()}`;
  const { services } = await home.status();
  const isLateApplied = services.some(({ name }) => name === 'late');
  expect(isLateApplied || life.apply === 'not done', context()).toBe(true);
  for (const name of ['web', 'flaky', 'patrol', ...(isLateApplied ? (['late'] as const) : [])] as const) {
    const [before] = left.get(name) ?? [];
    const after = await home.running(name);
    // What lived at the death lives on; only one that had begun to die when the keeper did is another now.
    if (before !== undefined && isAlive(before)) expect(after, context()).toBe(before);
    else if (name !== 'flaky') expect(before, context()).toBeUndefined();
    expect(pidsOf(home, name), `${name}, ${context()}`).toHaveLength(1);
  }
  if (!isLateApplied) expect(pidsOf(home, 'late'), context()).toEqual([]);
  if (life.stop === 'accepted') await home.when('stubborn', ({ state }) => state === 'stopped');
  else if (life.stop === 'not asked') await home.running('stubborn');
  else await home.when('stubborn', ({ state }) => state === 'stopped' || state === 'running');
  const { state, override } = await home.service('stubborn');
  expect(pidsOf(home, 'stubborn'), context()).toHaveLength(state === 'running' ? 1 : 0);
  expect(override?.desired ?? 'up', context()).toBe(state === 'running' ? 'up' : 'down');
  expect((await home.service('flaky')).restarts.total, context()).toBeLessThanOrEqual(1);
  expect((await home.service('web')).restarts.total, context()).toBe(0);
}

for (const point of ['after-record', 'before-effect', 'after-effect'] as const) {
  it(`killed ${point.replace('-', ' every ')} it gives, and once more while it comes back, the next keeper has one of everything, and the same (supervisors 32)`, {
    timeout: 300_000,
  }, async () => {
    let next = 1;
    let last = MOST;
    const worker = async (): Promise<void> => {
      while (next <= last) {
        const fault = `${point}:${next}`;
        const number = next;
        next += 1;
        const home = newcomer();
        const life = await live(home, fault);
        if (life.end === 'at its end') last = Math.min(last, number);
        await dieAgain(home, `${point}:${1 + (number % 7)}`);
        await check(home, fault, life);
        await home.close();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    expect(last).toBeGreaterThan(10);
    expect(last).toBeLessThan(MOST);
  });
}
