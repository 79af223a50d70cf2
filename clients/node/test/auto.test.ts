// @upkeep/service/auto under a keeper: unchanged programs, real processes and sockets. The keeper's end is played here.

import { once } from 'node:events';
import { fstatSync, mkdtempSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Channel, FakeKeeper } from './support/fake-keeper.js';
import { type HeldListener, holdListener } from './support/held-listener.js';
import { ask, type Program, start, stopAll, until } from './support/program.js';

const AUTO = new URL('../dist/auto.js', import.meta.url).href;
const programs = (name: string): string => fileURLToPath(new URL(`support/auto/${name}.mjs`, import.meta.url));

let directory: string;
let generation = 0;
const open: { close(): void }[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'upkeep-auto-'));
  generation = 0;
});
afterEach(() => {
  stopAll();
  for (const one of open.splice(0)) one.close();
  rmSync(directory, { recursive: true, force: true });
});

interface Generation {
  readonly program: Program;
  readonly channel: Channel;
}

async function hold(where?: string): Promise<HeldListener> {
  const held = await holdListener(where);
  open.push(held);
  return held;
}

/** The next generation, as a keeper starts it. */
async function next(
  name: string,
  held: readonly HeldListener[],
  env: Readonly<Record<string, string>> = {},
  succeeds: 'the one before' | 'nothing' = generation > 0 ? 'the one before' : 'nothing',
): Promise<Generation> {
  generation++;
  const socket = join(directory, `control-${generation}`);
  const keeper = new FakeKeeper(socket);
  await keeper.start();
  open.push({ close: () => keeper.stop() });
  const program = start({
    program: programs(name),
    fds: held.map(({ fd }) => fd),
    env: {
      NODE_OPTIONS: `--import ${AUTO}`,
      PORT: String(held[0]?.port ?? 0),
      UPKEEP_SOCKET: socket,
      UPKEEP_SERVICE: 'web',
      UPKEEP_HANDOVER: 'overlap',
      UPKEEP_GENERATION: String(generation),
      ...(succeeds === 'the one before' ? { UPKEEP_SUCCEEDS: String(generation - 1) } : {}),
      ...env,
    },
  });
  return { program, channel: await keeper.channel(0) };
}

const ready = ({ channel }: Generation): Promise<void> => channel.notified('READY=1');

for (const name of ['http', 'express', 'fastify', 'fd']) {
  it(`serves, hands over and drains ${name} without a change in it (E1, E5)`, async () => {
    const held = await hold();
    const old = await next(name, [held]);
    await ready(old);
    await old.program.said(/^listens/);
    expect(await ask(held.port)).toEqual({ pid: old.program.pid });

    const fresh = await next(name, [held]);
    await ready(fresh);
    expect(fresh.program.lines).toEqual([]);
    for (const _ of Array(10)) expect(await ask(held.port)).toEqual({ pid: old.program.pid });

    fresh.channel.order({ do: 'accept' });
    await fresh.program.said(/^listens/);
    old.channel.order({ do: 'drain' });
    process.kill(old.program.pid, 'SIGTERM');
    expect(await old.program.ended).toEqual({ code: 0, signal: null });
    expect(await ask(held.port)).toEqual({ pid: fresh.program.pid });
  });
}

it('loses no request in five hand-overs under load (D1, E5)', async () => {
  const held = await hold();
  let serving = await next('http', [held]);
  await serving.program.said(/^listens/);
  const load = new Load(held.port);
  for (const _ of Array(5)) {
    await load.more(2_000);
    const fresh = await next('http', [held]);
    await ready(fresh);
    fresh.channel.order({ do: 'accept' });
    await fresh.program.said(/^listens/);
    serving.channel.order({ do: 'drain' });
    process.kill(serving.program.pid, 'SIGTERM');
    expect(await serving.program.ended).toEqual({ code: 0, signal: null });
    serving = fresh;
  }
  await load.more(1_000);
  await load.end();
  expect(load.lost).toEqual([]);
});

it('loses no request where the socket is held and nobody serves for a moment (D1, E5)', async () => {
  const held = await hold();
  let serving = await next('http', [held], { UPKEEP_HANDOVER: 'replace' });
  await serving.program.said(/^listens/);
  const load = new Load(held.port);
  for (const _ of Array(3)) {
    await load.more(1_000);
    process.kill(serving.program.pid, 'SIGTERM');
    expect(await serving.program.ended).toEqual({ code: 0, signal: null });
    serving = await next('http', [held], { UPKEEP_HANDOVER: 'replace' }, 'nothing');
    await serving.program.said(/^listens/);
  }
  await load.more(1_000);
  await load.end();
  expect(load.lost).toEqual([]);
});

for (const name of ['http', 'fastify']) {
  it(`leaves the end of ${name} to its own handler of SIGTERM, which closes without a loss`, async () => {
    const held = await hold();
    const { program } = await next(name, [held], { OWN_HANDLER: 'yes' });
    await program.said(/^listens/);
    await ask(held.port);
    process.kill(program.pid, 'SIGTERM');
    expect(await program.ended).toEqual({ code: 7, signal: null });
    expect(program.lines.at(-1)).toBe('closed well');
  });
}

it('takes a held Unix socket, and leaves its path (B6)', async () => {
  const path = join(directory, 'web.sock');
  const held = await hold(path);
  const old = await next('net', [held], { SOCKET_PATH: path });
  expect((await old.program.said(/^listens .*/))[0]).toBe(`listens ${path}`);
  const greet = async (): Promise<string> => text(connect(path).end('hello '));
  expect(await greet()).toBe(`hello ${old.program.pid}`);
  process.kill(old.program.pid, 'SIGTERM');
  expect(await old.program.ended).toEqual({ code: 0, signal: null });
  const fresh = await next('net', [held], { SOCKET_PATH: path });
  await ready(fresh);
  fresh.channel.order({ do: 'accept' });
  await fresh.program.said(/^listens/);
  expect(await greet()).toBe(`hello ${fresh.program.pid}`);
});

it('tells sessions of HTTP/2 to end, and finishes their streams (E5)', async () => {
  const held = await hold();
  const { program } = await next('http2', [held]);
  await program.said(/^listens/);
  const client = connectHttp2(`http://127.0.0.1:${held.port}`);
  const goaway = once(client, 'goaway');
  const stream = client.request();
  await once(stream, 'response');
  process.kill(program.pid, 'SIGTERM');
  expect(JSON.parse(await text(stream))).toEqual({ pid: program.pid });
  await goaway;
  expect(await program.ended).toEqual({ code: 0, signal: null });
});

it('tells the clients of a WebSocket server to go, with 1001 (E5)', async () => {
  const held = await hold();
  const { program } = await next('ws', [held]);
  await program.said(/^listens/);
  const client = start({ program: programs('ws-client'), env: { PORT: String(held.port) } });
  await client.said(/^client: hello/);
  process.kill(program.pid, 'SIGTERM');
  await client.said(/^client: closed 1001/);
  await program.said(/^server: closed 1001/);
  expect(await program.ended).toEqual({ code: 0, signal: null });
});

it('says what is wrong where no server listens on what is held', async () => {
  const held = await hold();
  const { program, channel } = await next('http', [held], { PORT: '0' });
  await program.said(/^listens/);
  await program.said(new RegExp(`no server of this program listens on .*:${held.port}`));
  expect(channel.words).not.toContain('READY=1');
});

it('drains the workers of a cluster, whose primary holds the socket', async () => {
  const held = await hold();
  const { program } = await next('cluster', [held]);
  await program.said(/^listens/);
  const { pid } = await ask(held.port);
  expect(pid).not.toBe(program.pid);
  const load = new Load(held.port, 4);
  const silent = new Agent({ keepAlive: true });
  open.push({ close: () => silent.destroy() });
  await new Promise((resolve, reject) => {
    get({ port: held.port, agent: silent }, (response) => response.resume().once('end', resolve)).once('error', reject);
  });
  await load.more(200);
  const fresh = await next('http', [held]);
  await ready(fresh);
  fresh.channel.order({ do: 'accept' });
  await fresh.program.said(/^listens/);
  process.kill(program.pid, 'SIGTERM');
  expect(await program.ended).toEqual({ code: 0, signal: null });
  await load.more(200);
  await load.end();
  expect(load.lost).toEqual([]);
  expect(program.lines.filter((line) => line === 'worker ended 0')).toHaveLength(2);
});

it('changes nothing in threads and children, and gives them no descriptor (E2)', async () => {
  const held = await hold();
  const { program } = await next('family', [held]);
  await program.said(/^listens/);
  for (const who of ['thread', 'child']) await program.said(new RegExp(`^${who}: 0 handlers, inherits 0$`));
  const [shell] = await program.said(/^shell: .*/);
  expect(shell).toContain('/proc/');
  expect(shell).not.toContain(`socket:[${fstatSync(held.fd).ino}]`);
});

it('serves and drains on sockets that any other program holds for it', async () => {
  const held = await hold();
  const env = { NODE_OPTIONS: `--import ${AUTO}`, PORT: String(held.port) };
  const program = start({ program: programs('http'), env, fds: [held.fd] });
  await program.said(/^listens/);
  expect(await ask(held.port)).toEqual({ pid: program.pid });
  process.kill(program.pid, 'SIGTERM');
  expect(await program.ended).toEqual({ code: 0, signal: null });
});

for (const [why, by] of [
  ['stop', 'the server'],
  ['superseded', 'its client'],
] as const) {
  it(`has an answer that never ends ended by ${by} where the reason is: ${why}`, async () => {
    const held = await hold();
    const { program, channel } = await next('http', [held], { UPKEEP_STOP_WITHIN: '1000' });
    await program.said(/^listens/);
    const events = get({ host: '127.0.0.1', port: held.port, path: '/events', agent: false });
    const [response] = await once(events, 'response');
    let ender = 'the server';
    const over = new Promise((resolve) => response.resume().on('error', resolve).once('close', resolve));
    if (why === 'superseded') {
      channel.order({ do: 'drain' });
      // Longer than a stop would wait.
      const leave = (): void => {
        ender = 'its client';
        events.destroy();
      };
      setTimeout(leave, 1_500);
    }
    process.kill(program.pid, 'SIGTERM');
    await over;
    expect(ender).toBe(by);
    expect(await program.ended).toEqual({ code: 0, signal: null });
  });
}

it('says why a held socket cannot be taken a second time', async () => {
  const held = await hold();
  const { program } = await next('twice', [held]);
  await program.said(/^failed EADDRINUSE .*has taken the held socket \S+ before/);
});

it('changes nothing where nobody manages the program', async () => {
  const program = start({ program: programs('http'), env: { NODE_OPTIONS: `--import ${AUTO}`, PORT: '0' } });
  const [, port] = await program.said(/^listens (\d+)/);
  expect(await ask(Number(port))).toEqual({ pid: program.pid });
  process.kill(program.pid, 'SIGTERM');
  expect(await program.ended).toEqual({ code: null, signal: 'SIGTERM' });
});

it('ends a successor that its keeper has left, and the old one serves on (D12)', async () => {
  const held = await hold();
  const old = await next('http', [held]);
  await old.program.said(/^listens/);
  const fresh = await next('http', [held]);
  await ready(fresh);
  fresh.channel.cut();
  expect(await fresh.program.ended).toEqual({ code: 1, signal: null });
  expect(await ask(held.port)).toEqual({ pid: old.program.pid });
});

/** Clients in a closed loop, half of them on kept connections and half on fresh ones. */
class Load {
  readonly lost: string[] = [];
  #answered = 0;
  #state: 'running' | 'ended' = 'running';
  readonly #clients: Promise<void>[];
  readonly #agent = new Agent({ keepAlive: true });

  constructor(port: number, each = 50) {
    this.#clients = Array.from({ length: 2 * each }, (_, index) =>
      this.#client(port, index % 2 === 0 ? this.#agent : false),
    );
  }

  /** Waits for as many answers more. */
  more(answers: number): Promise<void> {
    const goal = this.#answered + answers;
    return until('the clients are answered', () => this.#answered >= goal);
  }

  async end(): Promise<void> {
    this.#state = 'ended';
    await Promise.all(this.#clients);
    this.#agent.destroy();
  }

  async #client(port: number, agent: Agent | false): Promise<void> {
    while (this.#state === 'running') {
      try {
        await new Promise<void>((resolve, reject) => {
          const asked = get({ host: '127.0.0.1', port, agent }, (response) => {
            response.resume().once('end', resolve).once('error', reject);
          });
          asked.once('error', reject);
        });
        this.#answered++;
      } catch (error) {
        this.lost.push(`${agent === false ? 'fresh' : 'kept'}: ${String(error)}`);
      }
    }
  }
}
