// A keeper that keeps one service `web` which hands over (handing-over.py), on a port of this process's own, and what tests of
// it wait for. Knows what is promised of every end of a hand-over: one process serves, and nobody else is left.

import { readdirSync } from 'node:fs';
import { expect } from 'vitest';
import { ask, handingOver, stepsOf } from './handing-over.js';
import { type Home, newHome } from './keeper.js';
import { isAlive, type Running, type RunOptions, readQuietly } from './running.js';

/** Below the range from which the kernel takes the others. */
let next = 28_100 + (process.pid % 230) * 20;

export const freePort = (): number => next++;

export interface Serving {
  readonly home: Home;
  readonly port: number;
  readonly keeper: Running;
  /** Its first generation. */
  readonly old: number;
}

type More = Readonly<Record<string, unknown>>;

/** `env`: for the program; `more`: keys of the service; `options`: how the keeper is started. */
export async function serving(
  env: Readonly<Record<string, string>> = {},
  more: More | ((home: Home) => More) = {},
  options: RunOptions = {},
): Promise<Serving> {
  const home = newHome();
  const port = freePort();
  home.configure({ web: { ...handingOver(home, port, env), ...(typeof more === 'function' ? more(home) : more) } });
  const keeper = await home.start([], options);
  return { home, port, keeper, old: await home.running('web') };
}

export const events = (home: Home, generation: number): readonly string[] =>
  stepsOf(home).flatMap((step) => (step.generation === generation ? [step.event] : []));

export const ended = (home: Home, pid: number): Promise<void> => home.until(`the end of ${pid}`, () => !isAlive(pid));

/** The living processes of all its generations. */
export const livingOf = (home: Home): readonly number[] => [
  ...new Set(stepsOf(home).flatMap(({ pid }) => (isAlive(pid) ? [pid] : []))),
];

/** Of those that say to accept, who lives. */
export const acceptingOf = (home: Home): readonly number[] => {
  const steps = stepsOf(home);
  const stopped = new Set(steps.flatMap(({ event, pid }) => (event === 'draining' ? [pid] : [])));
  return steps.flatMap(({ event, pid }) => (event === 'accepting' && isAlive(pid) && !stopped.has(pid) ? [pid] : []));
};

/** Until one process is left, which is the service, and answers; its pid. */
export async function alone(home: Home, port: number): Promise<number> {
  await home.until(
    () => `one process, which serves; there are ${livingOf(home).join(', ')}\n${home.read('steps')}`,
    async () => {
      const { state, process } = await home.service('web');
      return state === 'running' && String(livingOf(home)) === String(process?.pid);
    },
  );
  const pid = await home.running('web');
  expect(await ask(port)).toMatchObject({ pid });
  return pid;
}

/** Until the old one has ended, either of them may answer. */
export async function restart(home: Home, port: number): Promise<number> {
  const old = await home.running('web');
  expect(await home.upkeep('restart', 'web')).toMatchObject({ code: 0, stderr: '' });
  await ended(home, old);
  return alone(home, port);
}

/** Processes that have ended and that their parent has not been told of. */
export const zombiesOf = (parent: number): readonly string[] =>
  readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map((pid) => readQuietly(`/proc/${pid}/stat`))
    .filter((stat) => new RegExp(`\\) Z ${parent} `).test(stat));
