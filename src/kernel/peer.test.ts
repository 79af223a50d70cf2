import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { peerOf } from './peer.js';

let home: string;
let server: Server;
const sockets = new Set<Socket>();
const path = (): string => join(home, 'sock');

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'upkeep-peer-'));
  chmodSync(home, 0o755);
  server = createServer({ pauseOnConnect: true }, (socket) => void sockets.add(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(path(), resolve));
  chmodSync(path(), 0o666);
});
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  server.close();
  rmSync(home, { recursive: true });
});

const accepted = (): Promise<Socket> => new Promise((resolve) => server.once('connection', resolve));

it('names who connected', async () => {
  const other = accepted();
  const client = connect(path());
  expect(peerOf(await other)).toEqual({ pid: process.pid, uid: process.geteuid?.(), gid: process.getegid?.() });
  client.destroy();
});

it.skipIf(process.geteuid?.() !== 0)('names another user’s process, as it was when it connected', async () => {
  const other = accepted();
  const program = `require('net').connect(${JSON.stringify(path())}).on('connect', () => process.stdout.write('up'))`;
  const child = spawn('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, '-e', program]);
  const socket = await other;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
  expect(peerOf(socket)).toEqual({ pid: child.pid, uid: 65534, gid: 65534 });
});

it('is null of a connection that is closed', async () => {
  const other = accepted();
  connect(path()).destroy();
  const socket = await other;
  socket.destroy();
  await new Promise((resolve) => setImmediate(resolve));
  expect(peerOf(socket)).toBeNull();
});
