// Under Upkeep: what a generation says and does on the hand-over channel. The keeper is a small server that speaks it.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { descriptorOf } from '../src/held-sockets.js';
import { type Channel, FakeKeeper } from './support/fake-keeper.js';
import { ask, type Program, servedAt, start, stopAll, until, type Where } from './support/program.js';

let directory: string;
let keeper: FakeKeeper;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'upkeep-client-'));
  keeper = new FakeKeeper(join(directory, 'control.sock'));
  await keeper.start();
});
afterEach(() => {
  stopAll();
  keeper.stop();
  rmSync(directory, { recursive: true, force: true });
});

const env = (more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  UPKEEP_SOCKET: join(directory, 'control.sock'),
  UPKEEP_SERVICE: 'web',
  UPKEEP_GENERATION: '1',
  UPKEEP_HANDOVER: 'overlap',
  ...more,
});

interface Pair {
  readonly old: Program;
  readonly fresh: Program;
  readonly where: Where;
  /** Of the old one, and of the new one. */
  readonly channels: readonly [Channel, Channel];
}

/** Two generations on one socket, as a keeper starts them; the new one waits for the state of the old one. */
async function overlapped(more: Readonly<Record<string, string>> = {}): Promise<Pair> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const fds = [descriptorOf(server) ?? -1];
  const named = { ...more, LISTEN_FDNAMES: 'http', NO_ADDRESS: 'yes' };
  const old = start({ env: env(named), fds });
  const where = await servedAt(old);
  const before = await keeper.channel(0);
  const fresh = start({ env: env({ ...named, UPKEEP_GENERATION: '2', UPKEEP_SUCCEEDS: '1' }), fds });
  await closed(server);
  const after = await keeper.channel(1);
  return { old, fresh, where, channels: [before, after] };
}

const closed = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));

function fifo(): string {
  const path = join(directory, 'state');
  execFileSync('mkfifo', [path]);
  return path;
}

async function transferred({ channels: [before, after] }: Pair): Promise<void> {
  await after.said({ say: 'wantsState' });
  const path = fifo();
  before.order({ do: 'export', to: path });
  after.order({ do: 'import', from: path });
  await before.said({ say: 'exported' });
}

it('a first generation says hello, listens at once and says that it is ready', async () => {
  const program = start({ env: env() });
  const where = await servedAt(program);
  const channel = await keeper.channel(0);
  await channel.said({ say: 'hello', state: true });
  await channel.notified('READY=1');
  await channel.notified('STATUS=generation 1');
  expect(await ask(where)).toMatchObject({
    nth: 1,
    mode: {
      manager: 'upkeep',
      guarantees: { overlap: true, canRefuse: true, stateHandedOver: true, socketsHeld: false },
    },
  });
  process.kill(program.pid, 'SIGTERM');
  await channel.notified('STOPPING=1');
  expect(await program.ended).toEqual({ code: 0, signal: null });
});

describe('an overlapped restart', () => {
  it('has the new one take over with the state of the old one (E1, D1)', async () => {
    const pair = await overlapped({ BALLAST: String(1024 * 1024) });
    const { where, channels, old, fresh } = pair;
    const [before, after] = channels;
    expect(await ask(where)).toMatchObject({ nth: 1, count: 1, mode: { guarantees: { socketsHeld: true } } });
    await transferred(pair);
    await after.notified('READY=1');
    // Nothing is committed: it takes no connection.
    expect(await ask(where)).toMatchObject({ nth: 1, life: 'frozen' });
    after.order({ do: 'accept' });
    await fresh.said(/^2: serves .* count 1/);
    before.order({ do: 'drain' });
    process.kill(old.pid, 'SIGTERM');
    expect(await old.ended).toEqual({ code: 0, signal: null });
    expect(await ask(where)).toMatchObject({ nth: 2, pid: fresh.pid, count: 2 });
    // Said again by a keeper that came back: nothing happens.
    after.order({ do: 'accept' });
    after.order({ do: 'sing', song: 'la' });
    after.order('no word at all');
    expect(await ask(where)).toMatchObject({ nth: 2, count: 3 });
  });

  it('is refused by the new one, with its reason, and the old one thaws (D2)', async () => {
    const pair = await overlapped({ FAULT: 'gen2-refuses' });
    await transferred(pair);
    const [before, after] = pair.channels;
    await after.said({ say: 'refused', reason: 'I do not want it' });
    expect(await pair.fresh.ended).toEqual({ code: 1, signal: null });
    before.order({ do: 'thaw', reason: 'it refused' });
    await pair.old.said(/^1: thawed: it refused/);
    expect(await ask(pair.where)).toMatchObject({ nth: 1, count: 1, life: 'serving' });
  });

  it('is refused by the library where the state is of a newer schema (33)', async () => {
    const pair = await overlapped({ SCHEMA_1: '2', SCHEMA_2: '1' });
    const [before, after] = pair.channels;
    await after.said({ say: 'wantsState' });
    const path = fifo();
    before.order({ do: 'export', to: path });
    after.order({ do: 'import', from: path });
    expect(await after.said({ say: 'refused' })).toMatchObject({ reason: expect.stringMatching(/schema 2/) });
  });

  it('has no state where the old one gives none', async () => {
    const pair = await overlapped({ NO_STATE: 'yes' });
    const [before, after] = pair.channels;
    await before.said({ say: 'hello', state: false });
    before.order({ do: 'export', to: '/nowhere' });
    await before.said({ say: 'noState' });
    await after.said({ say: 'wantsState' });
    after.order({ do: 'import', from: null });
    await after.notified('READY=1');
    after.order({ do: 'accept' });
    await pair.fresh.said(/^2: serves .* count 0/);
  });

  it('comes to nothing where the old one cannot write (D5)', async () => {
    const pair = await overlapped({ FAULT: 'old-throws' });
    const [before] = pair.channels;
    before.order({ do: 'export', to: join(directory, 'file') });
    await before.said({ say: 'exportFailed', reason: 'the exporter is broken' });
    expect(await ask(pair.where)).toMatchObject({ nth: 1, life: 'serving' });
  });

  it('comes to nothing while the old one waits for a reader that never comes (D4, 6)', async () => {
    const pair = await overlapped();
    const [before] = pair.channels;
    before.order({ do: 'export', to: fifo() });
    before.order({ do: 'thaw', reason: 'it was too slow' });
    await before.said({ say: 'exportFailed' });
    expect(await ask(pair.where)).toMatchObject({ nth: 1, life: 'serving' });
  });

  it('comes to nothing when the reader is gone in the middle (D3)', async () => {
    const pair = await overlapped({ BALLAST: String(10 * 1024 * 1024) });
    const [before] = pair.channels;
    const path = fifo();
    before.order({ do: 'export', to: path });
    const reader = start({
      program: new URL('support/reads-little.mjs', import.meta.url).pathname,
      env: { PATH_TO_READ: path },
    });
    await reader.ended;
    await before.said({ say: 'exportFailed' });
    await pair.old.said(/^1: thawed/);
    expect(await ask(pair.where)).toMatchObject({ nth: 1, life: 'serving' });
  });
});

describe('a keeper that is gone', () => {
  it('ends a generation that was not accepted, and thaws the old one (28)', async () => {
    const pair = await overlapped();
    await transferred(pair);
    await pair.channels[1].notified('READY=1');
    keeper.stop();
    expect(await pair.fresh.ended).toEqual({ code: 1, signal: null });
    await pair.old.said(/^1: thawed: the keeper is gone/);
    expect(await ask(pair.where)).toMatchObject({ nth: 1, life: 'serving' });
  });

  it('is told again what it may not have heard, when it is back (29)', async () => {
    const program = start({ env: env() });
    const where = await servedAt(program);
    await (await keeper.channel(0)).notified('READY=1');
    keeper.stop();
    expect(await ask(where)).toMatchObject({ nth: 1 });
    await keeper.start();
    const channel = await keeper.channel(1);
    await channel.said({ say: 'hello', state: true });
    await channel.notified('READY=1');
    await channel.notified('STATUS=generation 1');
  });

  it('keeps nobody from serving who starts while it is away', async () => {
    keeper.stop();
    const program = start({ env: env() });
    expect(await ask(await servedAt(program))).toMatchObject({ nth: 1 });
    await keeper.start();
    await (await keeper.channel(0)).notified('READY=1');
  });
});

it('a state goes through a file, where one generation ends before the next one starts', async () => {
  const file = join(directory, 'kept');
  const replace = { UPKEEP_HANDOVER: 'replace', UPKEEP_STATE_FILE: file };
  const first = start({ env: env(replace) });
  const before = await keeper.channel(0);
  const where = await servedAt(first);
  expect(await ask(where)).toMatchObject({ count: 1, mode: { guarantees: { overlap: false, canRefuse: false } } });
  before.order({ do: 'export', to: file });
  await before.said({ say: 'exported' });
  expect(readFileSync(file, 'latin1').slice(0, 9)).toBe('UPKSTATE\x01');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  process.kill(first.pid, 'SIGTERM');
  await first.ended;

  const second = start({ env: env({ ...replace, UPKEEP_GENERATION: '2' }) });
  const after = await keeper.channel(1);
  await after.said({ say: 'wantsState' });
  after.order({ do: 'import', from: file });
  await second.said(/^2: serves .* count 1/);
});

describe('a program that is to end', () => {
  it('hears that it is superseded, though the signal may be heard before the word', async () => {
    const { old, channels } = await overlapped();
    process.kill(old.pid, 'SIGTERM');
    channels[0].order({ do: 'drain' });
    await old.said(/^1: drains, superseded/);
    expect(await old.ended).toEqual({ code: 0, signal: null });
  });

  it('hears of a stop where nobody says anything, and says STOPPING=1', async () => {
    const program = start({ env: env() });
    await servedAt(program);
    process.kill(program.pid, 'SIGTERM');
    await program.said(/^1: drains, stop/);
    await (await keeper.channel(0)).notified('STOPPING=1');
    expect(await program.ended).toEqual({ code: 0, signal: null });
  });

  it('is not killed by a SIGTERM that is said again', async () => {
    const program = start({ env: env({ SLOW_DRAIN: 'yes' }) });
    await servedAt(program);
    process.kill(program.pid, 'SIGTERM');
    await program.said(/^1: drains/);
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGTERM'] as const) process.kill(program.pid, signal);
    const { channels } = keeper;
    keeper.stop();
    await keeper.start();
    // It lives, and has opened its channel anew.
    await keeper.channel(channels.length);
  });
});

it('a restart by the agreed code leaves the state where the next generation finds it (alwaysAfter)', async () => {
  const file = join(directory, 'kept');
  const program = start({ env: env({ UPKEEP_STATE_FILE: file }) });
  const where = await servedAt(program);
  await ask(where);
  expect(await ask(where, '/restart-by-exit')).toEqual({ pid: 0 });
  expect(await program.ended).toEqual({ code: 75, signal: null });
  const next = start({ env: env({ UPKEEP_STATE_FILE: file, UPKEEP_GENERATION: '2' }) });
  const channel = await keeper.channel(1);
  await channel.said({ say: 'wantsState' });
  channel.order({ do: 'import', from: file });
  await next.said(/^2: serves .* count 1/);
});

it('a restart by the agreed code is refused where the state cannot be left', async () => {
  const where = await servedAt(start({ env: env() }));
  expect(await ask(where, '/restart-by-exit')).toMatchObject({ error: expect.stringMatching(/UPKEEP_STATE_FILE/) });
  expect(await ask(where)).toMatchObject({ life: 'serving' });
});

describe('a restart that the service asks for itself (E6)', () => {
  it('ends with the pid of the new generation', async () => {
    const where = await servedAt(start({ env: env() }));
    expect(await ask(where, '/restart')).toEqual({ pid: 4711 });
    expect(keeper.asked).toMatchObject([{ url: expect.stringMatching(/^\/v1\/services\/web\/restart\?wait=/) }]);
  });

  it('ends with the reason why this one goes on', async () => {
    keeper.answer = { progress: { type: 'failed', text: 'the new process refused: no' }, pid: 1 };
    const where = await servedAt(start({ env: env() }));
    expect(await ask(where, '/restart')).toEqual({ error: 'the new process refused: no' });
    keeper.stop();
    expect(await ask(where, '/restart')).toMatchObject({ error: expect.stringMatching(/keeper cannot be asked/) });
  });
});

it('the watchdog is told by the event loop, and not while that stands still (E7)', async () => {
  const program = start({ env: env({ WATCHDOG_USEC: '100000', BLOCK_MS: '1500' }) });
  const where = await servedAt(program);
  const channel = await keeper.channel(0);
  await until('there are pings', () => channel.words.filter((word) => word === 'WATCHDOG=1').length > 3);
  ask(where, '/block').catch(() => {});
  await channel.notified('STATUS=goes on');
  const { words } = channel;
  expect(words.slice(words.indexOf('STATUS=blocks') + 1, words.indexOf('STATUS=goes on'))).toEqual([]);
  await until('there are pings again', () => channel.words.at(-1) === 'WATCHDOG=1');
});

it('SIGHUP is answered with RELOADING=1 and READY=1 (1.8)', async () => {
  const program = start({ env: env() });
  await servedAt(program);
  const channel = await keeper.channel(0);
  await channel.notified('STATUS=generation 1');
  const before = channel.words.length;
  process.kill(program.pid, 'SIGHUP');
  await until('it is done', () => channel.words.slice(before).includes('READY=1'));
  expect(channel.words.slice(before)).toEqual([
    'RELOADING=1',
    expect.stringMatching(/^MONOTONIC_USEC=\d+$/),
    'READY=1',
  ]);
});
