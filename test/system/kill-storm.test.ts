// The promise: however often the keeper is killed, at whatever instant, in the middle of deaths and commands, nothing is
// there twice, nothing is down that should be up, nothing is up that somebody stopped, and the counters are right.

import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { ServiceStatus } from '../../src/core/status.js';
import { type Home, newHome } from '../support/keeper.js';
import { type Random, seeded } from '../support/random.js';
import { isAlive, type Running, readQuietly, signal } from '../support/running.js';

const KILLS = 100;
const numbered = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
/** They only die: every number about them is known exactly. */
const mortal = numbered('mortal', 10);
/** They die, and operators start, stop and restart them. */
const operated = numbered('operated', 6);
/** They die, and are put on hold and taken off it. */
const held = numbered('held', 4);
const all = [...mortal, ...operated, ...held];

/**
 * Writes its birth down, and that it is not alone should another copy hold the lock, which is free when the last process
 * that has it is gone. The lock goes along into the sleep, whose name says whose it is.
 */
const BODY = 'exec 9>"$2.$1"; flock -n 9 || echo "twice $1 $$" >>"$2"; echo "born $1 $$" >>"$2"; exec sleep "$3"';

const nap = (name: string): string => String(100_000 + all.indexOf(name));

/** What the services themselves have said. */
class Witness {
  readonly path: string;

  constructor(home: Home) {
    this.path = home.at('witness');
  }

  births(name: string): readonly number[] {
    return this.#lines('born', name);
  }

  doubles(): readonly string[] {
    return readQuietly(this.path)
      .split('\n')
      .filter((line) => line.startsWith('twice '));
  }

  #lines(what: string, name: string): readonly number[] {
    return readQuietly(this.path)
      .split('\n')
      .map((line) => line.split(' '))
      .filter(([first, second]) => first === what && second === name)
      .map(([, , pid]) => Number(pid));
  }
}

/** Kills services, each process once, and only those that a keeper has shown: a death is counted if the birth is known. */
class Reaper {
  readonly deaths = new Map<string, Set<number>>(all.map((name) => [name, new Set<number>()]));
  readonly #known = new Map<string, number>();

  see(services: readonly ServiceStatus[]): void {
    for (const { name, process } of services) if (process !== null) this.#known.set(name, process.pid);
  }

  strike(random: Random): void {
    const name = random.pick(all);
    const pid = this.#known.get(name);
    const dead = this.deaths.get(name);
    if (pid === undefined || dead === undefined || dead.has(pid) || !isSleeping(pid, name)) return;
    dead.add(pid);
    signal(pid, 'SIGKILL');
  }
}

const isSleeping = (pid: number, name: string): boolean =>
  isAlive(pid) && readQuietly(`/proc/${pid}/cmdline`) === `sleep\0${nap(name)}\0`;

/** What operators want by the last word that was certainly heard; null: it may have been heard or not. */
class Operator {
  readonly wants = new Map<string, 'up' | 'down' | null>(operated.map((name) => [name, 'up']));
  readonly #home: Home;

  constructor(home: Home) {
    this.#home = home;
  }

  async speak(random: Random): Promise<void> {
    const isHeld = random.chance(0.4);
    const name = random.pick(isHeld ? held : operated);
    const verb = random.pick(isHeld ? ['hold', 'unhold', 'reset'] : ['start', 'stop', 'stop', 'restart', 'reset']);
    const before = this.wants.get(name) ?? null;
    if (!isHeld && verb !== 'reset') this.wants.set(name, null);
    const answer = await this.#home.post(`/v1/services/${name}/${verb}`);
    if (isHeld || verb === 'reset') return;
    // Nobody was there, and nobody can have heard it.
    if (answer.type === 'no-keeper' && /ENOENT|ECONNREFUSED/.test(answer.reason)) this.wants.set(name, before);
    if (answer.type === 'ok') this.wants.set(name, verb === 'stop' ? 'down' : 'up');
  }
}

/** Until it ends, again and again, each with a little pause. */
async function whileRunning(end: AbortSignal, act: () => unknown, rest: () => number): Promise<void> {
  while (!end.aborted) {
    await act();
    await pause(rest());
  }
}

it(`${KILLS} kills of the keeper in a storm of deaths and commands (supervisors 32, monitors 6)`, {
  timeout: 300_000,
}, async () => {
  const seed = Number(process.env.UPKEEP_SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`UPKEEP_SEED=${seed}`);
  const random = seeded(seed);
  const home = newHome();
  const witness = new Witness(home);
  const restart = { delay: '20ms', backoff: { max: '50ms', jitter: '0%' }, limit: 'none' };
  const run = (name: string): readonly string[] => ['sh', '-c', BODY, 'sh', name, witness.path, nap(name)];
  home.configure(Object.fromEntries(all.map((name) => [name, { run: run(name), restart }])));
  const reaper = new Reaper();
  const operator = new Operator(home);
  const look = async (): Promise<void> => {
    const answer = await home.get('/v1/status');
    if (answer.type === 'ok') reaper.see((answer.body as { services: readonly ServiceStatus[] }).services);
  };

  const over = new AbortController();
  const storm = Promise.all([
    whileRunning(over.signal, look, () => 10),
    whileRunning(
      over.signal,
      () => reaper.strike(random),
      () => random.int(1, 20),
    ),
    whileRunning(
      over.signal,
      () => operator.speak(random),
      () => random.int(1, 20),
    ),
  ]);
  let keeper: Running | null = null;
  let answered = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    keeper = home.launch(['--leave']);
    // Some die before they answer, most in the middle of their work.
    if (random.chance(0.7)) {
      await home.until('the keeper answers', async () => (await home.get('/v1/status')).type === 'ok');
      answered += 1;
      await pause(random.int(0, 150));
    } else {
      await pause(random.int(0, 300));
    }
    await keeper.end('SIGKILL');
  }
  over.abort();
  await storm;
  expect(answered).toBeGreaterThan(KILLS / 2);

  keeper = await home.start(['--leave']);
  for (const name of held) await home.post(`/v1/services/${name}/unhold`);
  let services: readonly ServiceStatus[] = [];
  await home.until(
    () => `rest; not there yet: ${JSON.stringify(services.filter((it) => !isAtRest(it)))}`,
    async () => {
      services = (await home.status()).services;
      return services.every(isAtRest);
    },
  );

  expect(witness.doubles()).toEqual([]);
  const living = home
    .processes()
    .filter((pid) => readQuietly(`/proc/${pid}/cmdline`).startsWith('sleep\0') && isAlive(pid));
  const kept = services.flatMap(({ process }) => (process === null ? [] : [process.pid]));
  expect(new Set(living)).toEqual(new Set(kept));
  expect(living).toHaveLength(kept.length);
  for (const { name, process, desired, override } of services) {
    const isUp = process !== null;
    expect(isUp, name).toBe(desired === 'up');
    if (isUp) expect(isSleeping(process.pid, name), name).toBe(true);
    const wanted = operator.wants.get(name) ?? (operated.includes(name) ? (override?.desired ?? 'up') : 'up');
    expect(desired, name).toBe(wanted);
  }
  for (const { name, restarts, process } of services) {
    const deaths = reaper.deaths.get(name)?.size ?? 0;
    // Every death was answered by one restart, and nothing else was: each life but the first came of a death.
    if (mortal.includes(name)) {
      expect({ name, births: witness.births(name).length, total: restarts.total }).toEqual({
        ...{ name, births: deaths + 1, total: deaths },
      });
      expect(witness.births(name).at(-1)).toBe(process?.pid);
    } else {
      expect(restarts.total, name).toBeLessThanOrEqual(deaths);
    }
  }
  const killed = [...reaper.deaths.values()].reduce((sum, { size }) => sum + size, 0);
  expect(killed).toBeGreaterThan(KILLS);
  expect(readFileSync(witness.path, 'utf8').split('\n').length).toBeGreaterThan(KILLS);
});

const isAtRest = ({ state, desired }: ServiceStatus): boolean => state === (desired === 'up' ? 'running' : 'stopped');
