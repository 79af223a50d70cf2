// Under systemd: its words, its sockets, and a state that waits until the next generation is started. The manager is a socket that
// listens, and the test, which starts what a unit would start.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { requestRestart } from '../src/requests/request-restart.js';
import { FakeSystemd, heldSocket } from './support/fake-systemd.js';
import { ask, type Program, servedAt, start, stopAll, until } from './support/program.js';

let directory: string;
let systemd: FakeSystemd;
let socket: Awaited<ReturnType<typeof heldSocket>>;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'upkeep-client-'));
  systemd = new FakeSystemd(join(directory, 'notify'));
  socket = await heldSocket();
});
afterEach(() => {
  stopAll();
  systemd.close();
  socket.close();
  rmSync(directory, { recursive: true, force: true });
});

/** As the unit starts it: with its socket, and with what was stored. */
function started(more: Readonly<Record<string, string>> = {}): Program {
  const stored = [...systemd.stored];
  const names = ['http', ...stored.map(([name]) => name)].join(':');
  const fds = [socket.fd, ...stored.map(([, fd]) => fd)];
  return start({ env: { NOTIFY_SOCKET: systemd.address, LISTEN_FDNAMES: names, NO_ADDRESS: 'yes', ...more }, fds });
}

const isThere = (command: string): boolean => {
  try {
    execFileSync('/bin/sh', ['-c', `command -v ${command}`]);
    return true;
  } catch {
    return false;
  }
};

describe('with koffi', () => {
  it('the state waits in memory that systemd keeps, and a restart is an end with a code (E1, C8)', async () => {
    const first = started({ UPKEEP_RESTART_SOCKET: join(directory, 'restart') });
    const where = await servedAt(first);
    await systemd.notified('STATUS=generation 1');
    const { words } = systemd;
    // Stored before READY=1 is said.
    expect(words.indexOf('FDNAME=upkeep-state')).toBeLessThan(words.indexOf('READY=1'));
    const fd = systemd.stored.get('upkeep-state') ?? -1;
    expect(statSync(`/proc/self/fd/${fd}`).size).toBe(0);
    expect(await ask(where)).toMatchObject({
      nth: 1,
      count: 1,
      sockets: [{ name: 'http', fd: 3 }],
      mode: {
        manager: 'systemd',
        guarantees: { overlap: false, canRefuse: false, stateHandedOver: true, socketsHeld: true, watchdog: false },
      },
    });
    expect(await requestRestart(join(directory, 'restart'))).toBe(0);
    expect(await first.ended).toEqual({ code: 75, signal: null });
    expect(statSync(`/proc/self/fd/${fd}`).size).toBeGreaterThan(0);
  });

  it('the next generation has it, and a crash finds nothing old in it (C1, D7)', async () => {
    const first = started();
    const where = await servedAt(first);
    await systemd.notified('STATUS=generation 1');
    await ask(where);
    process.kill(first.pid, 'SIGUSR2');
    expect(await first.ended).toEqual({ code: 75, signal: null });
    const second = started();
    await second.said(/^2: serves .* count 1/);
    expect(await ask(where)).toMatchObject({ nth: 2, count: 2 });
    await until(
      'the memory is empty',
      () => statSync(`/proc/self/fd/${systemd.stored.get('upkeep-state')}`).size === 0,
    );
    process.kill(second.pid, 'SIGKILL');
    await second.ended;
    await started().said(/^1: serves .* count 0/);
  });

  it('an end by SIGTERM keeps the state as well: it may be a restart', async () => {
    const first = started();
    await servedAt(first);
    await systemd.notified('STATUS=generation 1');
    process.kill(first.pid, 'SIGTERM');
    expect(await first.ended).toEqual({ code: 0, signal: null });
    await systemd.notified('STOPPING=1');
    const second = started();
    await second.said(/^2: serves/);
  });

  it('a state that cannot be written ends nobody (E8)', async () => {
    const first = started({ FAULT: 'old-throws' });
    const where = await servedAt(first);
    expect(await ask(where, '/restart')).toEqual({ error: 'the exporter is broken' });
    expect(await ask(where)).toMatchObject({ life: 'serving' });
  });

  it('a systemd that keeps no descriptors, and does not say so, loses no state: it is in $RUNTIME_DIRECTORY too', async () => {
    const env = { RUNTIME_DIRECTORY: directory };
    const first = started(env);
    const where = await servedAt(first);
    expect(await ask(where)).toMatchObject({ count: 1 });
    process.kill(first.pid, 'SIGUSR2');
    expect(await first.ended).toEqual({ code: 75, signal: null });
    systemd.stored.clear();
    const second = started(env);
    await second.said(/^2: serves .* count 1 \(pid/);
    await until('the file is gone', () => !existsSync(join(directory, 'upkeep-state')));
  });

  it('an abstract address is one too (A16)', async () => {
    const abstract = new FakeSystemd(`@upkeep-client-${process.pid}`);
    const program = start({ env: { NOTIFY_SOCKET: abstract.address } });
    await servedAt(program);
    await abstract.notified('READY=1');
    abstract.close();
  });
});

describe('without koffi', () => {
  // As where it is not installed: require finds a package that is none.
  const without = { NODE_OPTIONS: `--require=${new URL('support/no-koffi.cjs', import.meta.url).pathname}` };

  it.skipIf(!isThere('systemd-notify'))('systemd-notify says it, and the state waits in a file (E9)', async () => {
    const runtime = join(directory, 'runtime');
    mkdirSync(runtime);
    const first = started({ ...without, RUNTIME_DIRECTORY: runtime, PATH: process.env.PATH ?? '' });
    await servedAt(first);
    await systemd.notified('READY=1');
    expect(systemd.words).toContain('STATUS=generation 1');
    process.kill(first.pid, 'SIGUSR2');
    expect(await first.ended).toEqual({ code: 75, signal: null });
    expect(statSync(join(runtime, 'upkeep-state')).mode & 0o777).toBe(0o600);
    const second = started({ ...without, RUNTIME_DIRECTORY: runtime });
    await second.said(/^2: serves/);
    await until('the file is gone', () => !existsSync(join(runtime, 'upkeep-state')));
  });

  it('a restart is refused where there is nowhere to keep the state', async () => {
    const program = started(without);
    const where = await servedAt(program);
    expect(await ask(where)).toMatchObject({ mode: { guarantees: { stateHandedOver: false } } });
    expect(await ask(where, '/restart')).toMatchObject({ error: expect.stringMatching(/RuntimeDirectory=/) });
  });
});

it('nobody hears where nobody listens, and that throws nothing (1.9, A16)', async () => {
  const program = start({ env: { NOTIFY_SOCKET: '/nonexistent/notify' } });
  await program.said(/^1: serves .* told false/);
  const alone = start();
  await alone.said(/^1: serves .* told false/);
});
