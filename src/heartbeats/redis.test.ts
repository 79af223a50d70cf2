import { afterEach, describe, expect, it } from 'vitest';
import { anAsking } from '../../test/support/asking.js';
import { type TalkingServer, talkingServer } from '../../test/support/talking-server.js';
import { judge } from './judge.js';
import { askRedis } from './redis.js';

// The real one is asked in test/root/heartbeats-daemons.test.ts; these are its words.
let server: TalkingServer;
afterEach(() => server.close());

const PASSWORD = { type: 'file', path: '/etc/upkeep/redis.pass' } as const;

async function asked(answer: string, password: typeof PASSWORD | null = null, word = 'secret') {
  server = await talkingServer((socket) => socket.once('data', () => socket.write(answer)));
  return askRedis({ kind: 'redis', at: server.at, password }, anAsking(word)).catch(judge);
}

describe('Redis', () => {
  it('is good when it answers PING', async () => {
    expect(await asked('+PONG\r\n')).toEqual({ result: 'good', detail: 'PONG' });
    expect(server.heard().toString()).toBe('*1\r\n$4\r\nPING\r\n');
    await expect.poll(() => server.open()).toBe(0);
  });

  it('is told its password first, whatever is in it', async () => {
    expect(await asked('+OK\r\n+PONG\r\n', PASSWORD, 'grün $1\r\n')).toEqual({ result: 'good', detail: 'PONG' });
    expect(server.heard().toString()).toBe('*2\r\n$4\r\nAUTH\r\n$10\r\ngrün $1\r\n\r\n*1\r\n$4\r\nPING\r\n');
  });

  it('is good when it wants a password that nobody has given to us', async () => {
    expect(await asked('-NOAUTH Authentication required.\r\n')).toEqual({
      result: 'good',
      detail: 'answers, and lets in no stranger: NOAUTH Authentication required.',
    });
  });

  it('has failed when it refuses the password that is said to be its own', async () => {
    const refusal = '-WRONGPASS invalid username-password pair or user is disabled.\r\n';
    expect(await asked(`${refusal}-NOAUTH Authentication required.\r\n`, PASSWORD)).toEqual({
      result: 'failed',
      detail: 'WRONGPASS invalid username-password pair or user is disabled.',
    });
  });

  it('is good when it needs no password at all', async () => {
    const refusal = '-ERR AUTH <password> called without any password configured for the default user.\r\n';
    expect(await asked(`${refusal}+PONG\r\n`, PASSWORD)).toEqual({ result: 'good', detail: 'PONG' });
  });

  it.each([
    'LOADING Redis is loading the dataset in memory',
    'MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to no.',
    'ERR max number of clients reached',
    'MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist to disk.',
  ])('has failed with %s', async (words) => {
    expect(await asked(`-${words}\r\n`)).toEqual({ result: 'failed', detail: words });
  });

  it('is no other program', async () => {
    // A mail box greets like this.
    expect(await asked('+OK Dovecot ready.\r\n')).toEqual({ result: 'failed', detail: '+OK Dovecot ready.' });
    await server.close();
    expect(await asked('HTTP/1.1 400 Bad Request\r\n\r\n')).toEqual({
      result: 'failed',
      detail: 'no Redis server: it says "HTTP/1.1 400 Bad Request"',
    });
  });
});
