// @upkeep/service with the real keeper: unchanged programs by `auto`, one with state as its README has it, and what becomes of each
// when something dies. UPKEEP_TEST_NODE: the Node of the services, where it is not that of the tests.

import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ask, startLoad } from '../support/handing-over.js';
import { type Home, newHome } from '../support/keeper.js';
import { isAlive } from '../support/running.js';

const NODE = process.env.UPKEEP_TEST_NODE ?? process.execPath;
const CLIENT = fileURLToPath(new URL('../../clients/node', import.meta.url));
const AUTO = `${CLIENT}/dist/auto.js`;

/** Ports of this process's own, below the range from which the kernel takes the others. */
let next = 28_000 + (process.pid % 400) * 10;

const service = (program: readonly string[], port: number, more: object = {}, env: object = {}): object => ({
  run: [NODE, ...program],
  sockets: { http: `127.0.0.1:${port}` },
  ready: { notify: true, timeout: '60s' },
  handover: { mode: 'overlap', drain: '40s' },
  env: { PORT: String(port), ...env },
  ...more,
});

const unchanged = (name: string, port: number, more: object = {}, env: object = {}): object =>
  service(['--import', AUTO, `${CLIENT}/test/support/auto/${name}.mjs`], port, more, env);

const counter = (port: number, env: object = {}, more: object = {}): object =>
  service([`${CLIENT}/test/support/counter.mjs`], port, more, { NO_ADDRESS: 'yes', ...env });

async function running(web: (home: Home, port: number) => object): Promise<{ home: Home; port: number }> {
  const home = newHome();
  const port = next++;
  home.configure({ web: web(home, port) });
  await home.start();
  await home.running('web');
  return { home, port };
}

/** Until the old one has ended. */
async function restart(home: Home): Promise<number> {
  const old = await home.running('web');
  expect(await home.upkeep('restart', 'web')).toMatchObject({ code: 0, stderr: '' });
  await home.until(`the end of ${old}`, () => !isAlive(old));
  return home.running('web', old);
}

/** Five restarts under this load, each seen to serve. */
async function losesNothing(home: Home, load: ReturnType<typeof startLoad>): Promise<void> {
  for (let i = 0; i < 5; i++) {
    const before = load.answered();
    await restart(home);
    await home.until('it serves', () => load.answered() > before + 20);
  }
  await load.end();
  expect(load.lost).toEqual([]);
}

async function refusal(home: Home): Promise<string> {
  const { code, stderr } = await home.upkeep('restart', 'web');
  expect(code).toBe(1);
  return stderr;
}

describe('five restarts under load lose nothing', () => {
  it.each(['http', 'express', 'cluster'])('of %s, which knows nothing of it (graceful D1, E1, E5)', async (name) => {
    const { home, port } = await running((_, at) => unchanged(name, at));
    const load = startLoad(port, { kept: 5, fresh: 5 });
    await losesNothing(home, load);
  });

  it('of HTTP/2: no stream that was opened, and a session that is told to go begins another (graceful E5)', async () => {
    const { home, port } = await running((_, at) => unchanged('http2', at));
    const load = streams(port, 5);
    await losesNothing(home, load);
  });

  it('of WebSockets: each client is told to go with 1001, and finds the next generation (graceful E5)', async () => {
    const { home, port } = await running((_, at) => unchanged('ws', at));
    const client = (): Promise<string> =>
      home
        .spawn([NODE, `${CLIENT}/test/support/auto/ws-client.mjs`], { env: { PORT: String(port) } })
        .ended.then(({ stdout }) => stdout);
    for (let i = 0; i < 5; i++) {
      const old = await home.running('web');
      const clients = [client(), client()];
      await home.until('both have spoken', () => home.read(`log/web.log`).split(`heard ${old}`).length > 2);
      await restart(home);
      for (const said of await Promise.all(clients)) expect(said).toBe('client: hello\nclient: closed 1001\n');
    }
  });

  it('of the example of the README, as it is pasted, which counts on (graceful E1)', async () => {
    const { home, port } = await running((at, of) => service([pasted(at)], of));
    const load = startLoad(port, { kept: 5, fresh: 5 });
    await losesNothing(home, load);
    const { requests } = (await get200(port, '/')) as { readonly requests: number };
    await restart(home);
    expect(await get200(port, '/')).toMatchObject({ requests: requests + 1 });
  });
});

describe('a stop', () => {
  it('waits for no kept connection, though another generation would (graceful E5)', async () => {
    const { home, port } = await running((_, at) => unchanged('http', at, { stop: { signal: 'SIGTERM', wait: '4s' } }));
    const agent = new Agent({ keepAlive: true });
    await ask(port, agent);
    expect((await home.upkeep('stop', 'web')).code).toBe(0);
    agent.destroy();
    expect((await home.service('web')).lastDeath).toMatchObject({ code: 0, signal: null });
  });

  it('ends what never ends before its own time is over', async () => {
    const { home, port } = await running((_, at) => unchanged('http', at));
    const events = await opened(port, '/events');
    expect((await home.upkeep('stop', 'web')).code).toBe(0);
    await events.ended;
    expect((await home.service('web')).lastDeath).toMatchObject({ code: 0, signal: null });
  });
});

describe('why a new generation does not take over reaches who asked', () => {
  it('where the state is of a newer schema', async () => {
    const { home } = await running((_, at) => counter(at, { SCHEMA_1: '2', SCHEMA_2: '1' }));
    expect(await refusal(home)).toMatch(/refused: the state has schema 2; this generation knows 1 at most/);
  });

  it('where the program throws while it loads it', async () => {
    const { home, port } = await running((_, at) => counter(at, { FAULT: 'gen2-cannot-load' }));
    expect(await refusal(home)).toMatch(/refused: there is no column 7/);
    expect(await ask(port)).toMatchObject({ nth: 1, life: 'serving' });
  });

  it('where it is over the limit', async () => {
    const { home } = await running((_, at) => counter(at, { BALLAST: '5000', STATE_LIMIT: '4000' }));
    expect(await refusal(home)).toMatch(/the state is over the limit of 4000 bytes/);
  });
});

it('a restart by the agreed code keeps the state, and is not counted (alwaysAfter)', async () => {
  const { home, port } = await running((_, at) => counter(at, {}, { restart: { alwaysAfter: [75] } }));
  const old = await home.running('web');
  await ask(port);
  expect(await get200(port, '/restart-by-exit')).toEqual({ pid: 0 });
  await home.running('web', old);
  expect(await ask(port)).toMatchObject({ nth: 2, count: 2 });
  expect(await home.service('web')).toMatchObject({ restarts: { window: 0 }, lastDeath: { code: 75 } });
});

it('a loop that stands still is noticed by the watchdog of the keeper, and begun anew (graceful E7)', async () => {
  const { home, port } = await running((_, at) => counter(at, { BLOCK_MS: '600000' }, { watchdog: '2s' }));
  const old = await home.running('web');
  get200(port, '/block').catch(() => {});
  await home.running('web', old);
  expect((await home.service('web')).lastDeath?.cause).toBe('watchdog');
});

describe('a keeper that is killed', () => {
  it('while a program serves finds it again, and can hand it over', async () => {
    const home = newHome();
    const port = next++;
    home.configure({ web: unchanged('http', port) });
    const keeper = await home.start();
    const old = await home.running('web');
    await keeper.end('SIGKILL');
    expect(await ask(port)).toMatchObject({ pid: old });
    await home.start();
    expect(await home.running('web')).toBe(old);
    const fresh = await restart(home);
    expect(await ask(port)).toMatchObject({ pid: fresh });
  });

  it('while one waits to take over takes that one with it (graceful 2, 28)', async () => {
    const home = newHome();
    const port = next++;
    home.configure({ web: counter(port, { FAULT: 'gen2-never-ready' }) });
    const keeper = await home.start();
    const old = await home.running('web');
    const asked = home.upkeep('restart', 'web');
    await home.until('the new one has the state', () => home.read('log/web.log').includes('2: starts'));
    await home.when('web', ({ state }) => state === 'handover');
    await keeper.end('SIGKILL');
    await asked;
    expect(await ask(port)).toMatchObject({ nth: 1, life: 'serving', pid: old });
    await home.start();
    expect(await home.running('web')).toBe(old);
    await home.until('only the old one is left', () =>
      home
        .read('log/web.log')
        .split('\n')
        .flatMap((line) => /^2: .*\(pid (\d+)\)/.exec(line)?.[1] ?? [])
        .every((pid) => !isAlive(Number(pid))),
    );
  });

  it('while an old one drains says its SIGTERM again, which kills nobody (graceful 2, 30)', async () => {
    const home = newHome();
    const port = next++;
    home.configure({ web: unchanged('http', port) });
    const keeper = await home.start();
    const old = await home.running('web');
    const events = await opened(port, '/events');
    expect((await home.upkeep('restart', 'web')).code).toBe(0);
    const fresh = await home.running('web', old);
    await keeper.end('SIGKILL');
    await home.start();
    expect((await home.when('web', ({ draining }) => draining.length === 1)).process?.pid).toBe(fresh);
    expect(await ask(port)).toMatchObject({ pid: fresh });
    expect(isAlive(old)).toBe(true);
    events.close();
    await home.until('it has finished', () => !isAlive(old));
    await home.when('web', ({ draining }) => draining.length === 0);
  });
});

/** The first program of the README, where its import finds the library. */
function pasted(home: Home): string {
  const [, program = ''] = /```js\n([\s\S]*?)```/.exec(readFileSync(`${CLIENT}/README.md`, 'utf8')) ?? [];
  mkdirSync(home.at('node_modules/@upkeep'), { recursive: true });
  symlinkSync(CLIENT, home.at('node_modules/@upkeep/service'));
  return home.write('counter.mjs', program);
}

/** A request whose answer goes on and on. */
function opened(port: number, path: string): Promise<{ readonly ended: Promise<unknown>; readonly close: () => void }> {
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      const ended = new Promise((done) => response.resume().once('close', done).on('error', done));
      resolve({ ended, close: () => request.destroy() });
    });
    request.on('error', reject);
  });
}

function get200(port: number, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      text(response).then((body) => resolve(JSON.parse(body)), reject);
    }).on('error', reject);
  });
}

/** So many sessions, each with one stream after the other. */
function streams(port: number, sessions: number): ReturnType<typeof startLoad> {
  const lost: string[] = [];
  let answered = 0;
  let life: 'goes on' | 'ends' = 'goes on';
  const client = async (): Promise<void> => {
    while (life === 'goes on') {
      const session = connectHttp2(`http://127.0.0.1:${port}`);
      let going: 'no' | 'yes' = 'no';
      session.on('goaway', () => {
        going = 'yes';
      });
      session.on('error', (error) => lost.push(`session: ${String(error)}`));
      const isOver = (): boolean => going === 'yes' || life === 'ends' || session.closed || session.destroyed;
      while (!isOver()) {
        try {
          await text(session.request());
          answered += 1;
        } catch (error) {
          // Node gives up a request that it has not sent when it hears of the GOAWAY, and says so.
          if (!isOver()) lost.push(`stream: ${String(error)}`);
        }
      }
      session.close();
      if (!session.destroyed) await new Promise((resolve) => session.once('close', resolve));
    }
  };
  const all = Array.from({ length: sessions }, client);
  return {
    answered: () => answered,
    lost,
    end: async () => {
      life = 'ends';
      await Promise.all(all);
    },
  };
}
