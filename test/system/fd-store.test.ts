// The promise: what a service stores with Upkeep is there again at its next start, whoever died meanwhile, and nowhere once the
// service is down for good.

import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import type { FdsDocument } from '../../src/core/status.js';
import { type Home, newHome } from '../support/keeper.js';

const SERVICE = new URL('../support/storing-service.py', import.meta.url).pathname;
const CODE = 75;

const run = (home: Home, ...words: readonly string[]): readonly string[] => [
  '/usr/bin/python3',
  SERVICE,
  home.at('report'),
  ...words,
];

const memory = (home: Home) => ({ run: run(home, 'memory', 'counted to 41'), ready: 'notify', fdStore: 16 });

interface Report {
  readonly pid: number;
  readonly names: readonly string[];
  readonly state?: string | null;
  readonly connections?: number;
  readonly generation?: number;
}

/** What each run was passed, the oldest first. */
const reports = (home: Home): readonly Report[] =>
  home
    .read('report')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Report);

async function held(home: Home): Promise<FdsDocument> {
  const { code, stdout, stderr } = await home.upkeep('fds', 'web', '--json');
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as FdsDocument;
}

const namesHeld = async (home: Home): Promise<readonly string[]> =>
  (await held(home)).descriptors.map(({ name }) => name);

it('comes back after SIGKILL under its name with what is in it, and not after a stop (graceful C1)', async () => {
  const home = newHome();
  home.configure({ web: memory(home) });
  await home.start();
  const first = await home.running('web');
  expect(await held(home)).toMatchObject({
    service: 'web',
    state: 'running',
    fdStore: 16,
    descriptors: [{ name: 'state', held: 'stored', type: 'memfd', at: 'state', flags: ['rdwr'] }],
  });
  process.kill(first, 'SIGKILL');
  const second = await home.running('web', first);
  expect(await home.upkeep('restart', 'web')).toMatchObject({ code: 0 });
  await home.running('web', second);
  expect(reports(home).map(({ names, state }) => [names, state])).toEqual([
    [[], null],
    [['state'], 'counted to 41'],
    [['state'], 'counted to 41'],
  ]);

  expect(await home.upkeep('stop', 'web')).toMatchObject({ code: 0 });
  expect(await namesHeld(home)).toEqual([]);
  expect(await home.upkeep('start', 'web')).toMatchObject({ code: 0 });
  expect(reports(home).at(-1)).toMatchObject({ names: [], state: null });
});

it('is closed when the service has failed and is not started again (graceful C1)', async () => {
  const home = newHome();
  home.configure({ web: { ...memory(home), restart: { when: 'never' } } });
  await home.start();
  const pid = await home.running('web');
  expect(await namesHeld(home)).toEqual(['state']);
  process.kill(pid, 'SIGKILL');
  await home.when('web', ({ state }) => state !== 'running' && state !== 'stopping');
  await home.until('nothing is kept', async () => (await namesHeld(home)).length === 0);
});

it('keeps connections over restarts in the middle of a stream, to the byte (graceful C5)', async () => {
  const home = newHome();
  const port = 21_000 + (process.pid % 9000);
  home.configure({
    web: { run: run(home, 'stream'), sockets: { http: `127.0.0.1:${port}` }, ready: 'notify', fdStore: 16 },
  });
  await home.start();
  await home.running('web');
  const clients = Array.from({ length: 5 }, () => new Reader(port));
  const further = (): Promise<void> => {
    const before = clients.map(({ lines }) => lines);
    return home.until('all have more', () => clients.every(({ lines }, i) => lines > (before[i] ?? 0) + 50));
  };
  await further();
  for (let i = 0; i < 3; i++) {
    expect(await home.upkeep('restart', 'web')).toMatchObject({ code: 0 });
    await further();
  }
  for (const client of clients) {
    client.close();
    expect(client.problem).toBeNull();
  }
  expect(reports(home).map(({ connections }) => connections)).toEqual([0, 5, 5, 5]);
});

it('carries a program that hands its memory over, as shellflip does, to its next generations (graceful C8)', async () => {
  const home = newHome();
  const restart = { when: 'never', alwaysAfter: [CODE] };
  home.configure({ web: { run: run(home, 'mem-handover', String(CODE)), ready: 'notify', fdStore: 1, restart } });
  await home.start();
  let pid = await home.running('web');
  for (let i = 0; i < 4; i++) {
    expect(await home.upkeep('signal', 'web', 'SIGUSR1')).toMatchObject({ code: 0 });
    pid = await home.running('web', pid);
  }
  expect(reports(home).map(({ names, state, generation }) => [names, state, generation])).toEqual([
    [[], '', 0],
    ...[0, 1, 2, 3].map((old) => [['sf_mem_handover'], `SFST${old}`, old + 1]),
  ]);
  expect(await held(home)).toMatchObject({ descriptors: [{ name: 'sf_mem_handover', type: 'memfd' }] });
});

it('outlives the keeper: one that is killed, and one that is replaced (graceful C9)', async () => {
  const home = newHome();
  home.configure({ web: memory(home) });
  const keeper = await home.start();
  const first = await home.running('web');
  const [before] = (await held(home)).descriptors;
  expect(before).toBeDefined();

  await keeper.end('SIGKILL');
  await home.start();
  expect(await home.running('web')).toBe(first);
  expect((await held(home)).descriptors).toEqual([before]);
  process.kill(first, 'SIGKILL');
  const second = await home.running('web', first);
  expect(reports(home).at(-1)).toMatchObject({ pid: second, names: ['state'], state: 'counted to 41' });

  expect(await home.upkeep('upgrade')).toMatchObject({ code: 0 });
  expect((await held(home)).descriptors).toEqual([before]);
  process.kill(second, 'SIGKILL');
  const third = await home.running('web', second);
  expect(reports(home).at(-1)).toMatchObject({ pid: third, names: ['state'], state: 'counted to 41' });
});

it('is let go where the service was taken out of the configuration while no keeper ran', async () => {
  const home = newHome();
  home.configure({ web: memory(home), other: { run: ['/bin/sleep', '1000'] } });
  const keeper = await home.start();
  await home.running('web');
  const holds = (): boolean => readFileSync(home.at('run/held.json'), 'utf8').includes('"kind":"stored"');
  await home.until('it is held', holds);
  await keeper.end('SIGKILL');
  home.configure({ other: { run: ['/bin/sleep', '1000'] } });
  await home.start();
  await home.upkeep('apply', '--yes');
  await home.until('it is held no longer', () => !home.read('run/held.json').includes('"kind":"stored"'));
});

/** A client that checks that the numbers come one after the other, none twice. */
class Reader {
  readonly #socket: Socket;
  #rest = '';
  lines = 0;
  problem: string | null = null;

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (text: string) => this.#take(text));
    for (const event of ['error', 'close'] as const)
      this.#socket.on(event, () => {
        this.problem ??= `${event} after ${this.lines} lines`;
      });
  }

  close(): void {
    this.#socket.removeAllListeners();
    this.#socket.on('error', () => {});
    this.#socket.destroy();
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      this.lines += 1;
      if (line !== String(this.lines)) this.problem ??= `${JSON.stringify(line)} where ${this.lines} was to come`;
    }
  }
}
