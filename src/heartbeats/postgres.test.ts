import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { anAsking } from '../../test/support/asking.js';
import { type TalkingServer, talkingServer } from '../../test/support/talking-server.js';
import { judge } from './judge.js';
import { askPostgres } from './postgres.js';

// The real one is asked in test/root/heartbeats-daemons.test.ts; these are its messages.
let server: TalkingServer;
afterEach(() => server.close());

function message(type: string, body: Buffer | string): Buffer {
  const bytes = Buffer.from(body);
  const length = Buffer.alloc(4);
  length.writeInt32BE(4 + bytes.length);
  return Buffer.concat([Buffer.from(type), length, bytes]);
}

const error = (code: string, text: string): Buffer =>
  message('E', `SFATAL\0VFATAL\0C${code}\0M${text}\0Fpostmaster.c\0L2402\0RProcessStartupPacket\0\0`);
const AUTHENTICATED = message('R', Buffer.from([0, 0, 0, 0]));
const SESSION = Buffer.concat([
  AUTHENTICATED,
  message('S', 'server_version\x0015.18\0'),
  message('K', Buffer.alloc(8)),
  message('Z', 'I'),
]);

async function asked(answer: Buffer | string, database: string | null = null) {
  server = await talkingServer((socket) => socket.once('data', () => socket.write(answer)));
  return askPostgres({ kind: 'postgres', at: server.at, user: 'postgres', database }, anAsking()).catch(judge);
}

describe('PostgreSQL', () => {
  it('is good when it lets a session begin, which is ended properly', async () => {
    expect(await asked(SESSION)).toEqual({ result: 'good', detail: 'ready for queries' });
    await expect.poll(() => server.open()).toBe(0);
    const [start, end] = [server.heard().subarray(0, -5), server.heard().subarray(-5)];
    expect(start.readInt32BE()).toBe(start.length);
    expect(start.readInt32BE(4)).toBe(196_608);
    expect(start.toString('utf8', 8)).toBe('user\0postgres\0application_name\0upkeep\0\0');
    expect(end).toEqual(Buffer.from('X\0\0\0\x04'));
  });

  it('is good when it asks for a password, and is left without a word', async () => {
    expect(await asked(message('R', Buffer.from('\0\0\0\x0aSCRAM-SHA-256\0\0')), 'app')).toEqual({
      result: 'good',
      detail: 'asks for authentication',
    });
    await expect.poll(() => server.open()).toBe(0);
    expect(server.heard().toString('utf8', 8)).toBe('user\0postgres\0database\0app\0application_name\0upkeep\0\0');
  });

  it('is good when it knows no such role or database, or lets nobody in from here', async () => {
    expect(await asked(error('28000', 'no pg_hba.conf entry for host "10.0.0.1"'))).toEqual({
      result: 'good',
      detail: 'answers, though with 28000: no pg_hba.conf entry for host "10.0.0.1"',
    });
    await server.close();
    const missing = Buffer.concat([AUTHENTICATED, error('3D000', 'database "app" does not exist')]);
    expect(await asked(missing)).toMatchObject({ result: 'good' });
  });

  it.each([
    ['57P03', 'the database system is starting up'],
    ['57P03', 'the database system is shutting down'],
    ['53300', 'sorry, too many clients already'],
    ['53200', 'out of memory'],
    ['XX000', 'could not open relation mapping file'],
  ])('has failed with %s, %s', async (code, text) => {
    expect(await asked(error(code, text))).toEqual({ result: 'failed', detail: `${text} (${code})` });
  });

  it('has failed when its last connections are kept for others, also after it has let us in', async () => {
    const text = 'remaining connection slots are reserved for non-replication superuser connections';
    expect(await asked(Buffer.concat([AUTHENTICATED, error('53300', text)]))).toMatchObject({ result: 'failed' });
  });

  it('has failed when it cannot fork, and says so without any format', async () => {
    const words = 'could not fork new process for connection: Resource temporarily unavailable';
    expect(await asked(`E${words}\n\0`)).toEqual({ result: 'failed', detail: `"${words.slice(0, 60)}"` });
  });

  it('is no other program', async () => {
    expect(await asked('HTTP/1.1 400 Bad Request\r\n\r\n')).toEqual({
      result: 'failed',
      detail: 'no PostgreSQL server: it says "HTTP/1.1 400 Bad Request"',
    });
  });

  it('is found by the directory of its socket, as its own programs find it', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'upkeep-postgres-'));
    try {
      const path = join(directory, '.s.PGSQL.5432');
      server = await talkingServer((socket) => socket.once('data', () => socket.write(SESSION)), path);
      for (const each of [directory, path]) {
        const question = {
          kind: 'postgres',
          at: { type: 'unix', path: each },
          user: 'upkeep',
          database: null,
        } as const;
        expect(await askPostgres(question, anAsking())).toMatchObject({ result: 'good' });
      }
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
