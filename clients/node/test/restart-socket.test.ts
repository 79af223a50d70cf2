// The socket where others ask for a restart (E4), and its client (E6).

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { frame, restartRequest } from '../src/requests/frame.js';
import { requestRestart } from '../src/requests/request-restart.js';
import { ask, servedAt, start, stopAll, until } from './support/program.js';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'upkeep-client-'));
  path = join(directory, 'restart.sock');
});
afterEach(() => {
  stopAll();
  rmSync(directory, { recursive: true, force: true });
});

/** What the service says to these bytes until it closes. */
function said(bytes: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => socket.write(bytes));
    const parts: Buffer[] = [];
    socket.on('data', (part: Buffer) => parts.push(part));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(parts).subarray(4).toString()));
  });
}

const connected = (): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(path, () => resolve(socket)).on('error', reject);
  });

it('is answered with the pid of the new generation, and each generation listens on the same socket (E4, E6)', async () => {
  const program = start({ env: { UPKEEP_RESTART_SOCKET: path } });
  const where = await servedAt(program);
  const { ino, mode } = statSync(path);
  expect(mode & 0o777).toBe(0o600);
  const pid = await requestRestart(path);
  await program.ended;
  expect(await ask(where)).toMatchObject({ nth: 2, pid });
  expect(statSync(path).ino).toBe(ino);
  const next = await requestRestart(path);
  await until('the third one serves alone', async () => (await ask(where)).nth === 3);
  expect(await ask(where)).toMatchObject({ nth: 3, pid: next });
});

it('is answered with the reason why the old generation goes on (E6)', async () => {
  const program = start({ env: { UPKEEP_RESTART_SOCKET: path, FAULT: 'gen2-refuses' } });
  const where = await servedAt(program);
  await expect(requestRestart(path)).rejects.toThrow('it refused: I do not want it');
  await expect(requestRestart(path)).rejects.toThrow('it refused: I do not want it');
  expect(await ask(where)).toMatchObject({ nth: 1, life: 'serving' });
});

it('bad frames and other requests are answered, and hinder nobody (E4)', async () => {
  const program = start({ env: { UPKEEP_RESTART_SOCKET: path } });
  const where = await servedAt(program);
  expect(await said(Buffer.from('GET / HTTP/1.1\r\n\r\n'))).toMatch(/RestartFailed.*no|is none/);
  expect(await said(Buffer.from('\0\0\0\x02{]'))).toMatch(/RestartFailed.*no JSON/);
  expect(await said(frame({ Request: 'Sing' }))).toMatch(/RestartFailed.*not known/);
  expect(await ask(where)).toMatchObject({ nth: 1 });
});

it('a client that says nothing is in the way of no other, and one that has gone stops nothing (E4)', async () => {
  const program = start({ env: { UPKEEP_RESTART_SOCKET: path } });
  const where = await servedAt(program);
  const silent = await connected();
  const impatient = await connected();
  // Half a frame, the rest of it, and gone before there is an answer.
  impatient.write(frame(restartRequest).subarray(0, 9));
  impatient.write(frame(restartRequest).subarray(9));
  await program.said(/^2: starts/);
  impatient.destroy();
  await program.said(/^2: serves/);
  await until('the second one serves alone', async () => (await ask(where)).nth === 2);
  silent.destroy();
});

it('nobody listens any more when the last generation has ended', async () => {
  const program = start({ env: { UPKEEP_RESTART_SOCKET: path } });
  await servedAt(program);
  process.kill(program.pid, 'SIGTERM');
  await program.ended;
  expect(() => statSync(path)).toThrow(/ENOENT/);
});
