import { existsSync, mkdtempSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openControlListener } from './control-listener.js';
import { close, duplicate } from './syscalls.js';

let path: string;
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'upkeep-listener-')), 'control.sock');
});
afterEach(() => rmSync(join(path, '..'), { recursive: true }));

/** `connected`, or the error. */
const knock = (): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(path);
    socket.on('connect', () => resolve('connected')).on('error', (error) => resolve(error.message));
    socket.on('connect', () => socket.destroy());
  });

it('takes the place of whatever lies there, is open to everybody, and takes its path away at the end', async () => {
  writeFileSync(path, '');
  const listener = openControlListener(path, 4);
  expect(statSync(path).mode & 0o777).toBe(0o666);
  expect(await knock()).toBe('connected');
  listener.close();
  expect(existsSync(path)).toBe(false);
});

it('goes on over a server that was closed, and over being handed on', async () => {
  const first = openControlListener(path, 4);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen({ fd: first.share() }, resolve));
  await new Promise((resolve) => server.close(resolve));
  expect(await knock()).toBe('connected');
  const second = openControlListener(path, 4, [null, first.fd]);
  expect(second.fd).toBe(first.fd);
  expect(await knock()).toBe('connected');
  second.close();
});

it('is made anew where what was handed on is none, is another, or has lost its path', async () => {
  const other = openControlListener(`${path}.other`, 4);
  const lost = openControlListener(path, 4);
  const kept = duplicate(lost.fd);
  unlinkSync(path);
  const listener = openControlListener(path, 4, [0, 9999, other.fd, kept]);
  expect([0, 9999, other.fd, kept]).not.toContain(listener.fd);
  expect(await knock()).toBe('connected');
  for (const one of [listener, other, lost]) one.close();
  close(kept);
});

it('says so when the path is too long for a socket', () => {
  const long = `/${'x'.repeat(200)}`;
  expect(() => openControlListener(long, 4)).toThrow(/is longer than the 107 bytes .* UPKEEP_RUNTIME_DIR/);
});
