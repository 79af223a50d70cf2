import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { anAsking } from '../../test/support/asking.js';
import { talkingServer } from '../../test/support/talking-server.js';
import type { UnixQuestion } from '../core/question.js';
import { judge } from './judge.js';
import { askUnix } from './unix.js';

let directory: string;
let path: string;
const closers: Array<() => unknown> = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'upkeep-unix-'));
  path = join(directory, 'sock');
});

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  rmSync(directory, { recursive: true, force: true });
});

async function serve(talk: Parameters<typeof talkingServer>[0]) {
  const server = await talkingServer(talk, path);
  closers.push(server.close);
  return server;
}

const asked = (more: Partial<UnixQuestion> = {}) =>
  askUnix({ kind: 'unix', path, send: null, expect: null, ...more }, anAsking()).catch(judge);

describe('a Unix socket', () => {
  it('is good when somebody takes the connection, of which nothing stays', async () => {
    const server = await serve(() => undefined);
    expect(await asked()).toEqual({ result: 'good', detail: 'connected' });
    await expect.poll(() => server.open(), { timeout: 20_000 }).toBe(0);
  });

  it('answers what was sent to it', async () => {
    await serve((socket) => socket.on('data', (heard) => socket.end(`you said ${heard.toString()}`)));
    expect(await asked({ send: 'hello', expect: 'said hello$' })).toMatchObject({ result: 'good' });
    expect(await asked({ send: 'hello', expect: 'goodbye' })).toEqual({
      result: 'failed',
      detail: 'closed after 14 bytes that do not match /goodbye/: "you said hello"',
    });
  });

  it('has failed when it is not there, or nobody listens, or it is a file', async () => {
    expect(await asked()).toEqual({ result: 'failed', detail: `no socket at ${path}` });
    writeFileSync(path, '');
    expect(await asked()).toEqual({ result: 'failed', detail: `refused by ${path}` });
    const below = join(path, 'sock');
    expect(await asked({ path: below })).toEqual({ result: 'failed', detail: `no socket at ${below}` });
  });

  it('could not be asked where it is one of datagrams', async () => {
    const program =
      'use Socket; $| = 1; socket(S, AF_UNIX, SOCK_DGRAM, 0); bind(S, sockaddr_un(shift)); print 1; <STDIN>';
    const child = spawn('perl', ['-e', program, path], { stdio: ['pipe', 'pipe', 'inherit'] });
    closers.push(() => child.stdin.end());
    await once(child.stdout, 'data');
    expect(await asked()).toEqual({ result: 'unasked', detail: `no stream socket at ${path}` });
  });

  it.skipIf(process.geteuid?.() === 0)('could not be asked by somebody who may not', async () => {
    await serve('');
    chmodSync(path, 0o000);
    expect(await asked()).toEqual({ result: 'unasked', detail: `no permission for ${path}` });
  });
});
