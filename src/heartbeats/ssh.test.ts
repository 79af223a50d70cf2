import { afterEach, describe, expect, it } from 'vitest';
import { anAsking } from '../../test/support/asking.js';
import { type TalkingServer, talkingServer } from '../../test/support/talking-server.js';
import { judge } from './judge.js';
import { askSsh } from './ssh.js';

// The real sshd is asked in test/root/heartbeats-daemons.test.ts; these are its words, and those of others.
let server: TalkingServer;
afterEach(() => server.close());

async function asked(said: string) {
  server = await talkingServer(said);
  const { port } = server;
  return askSsh({ kind: 'ssh', host: '127.0.0.1', port, addresses: 'any' }, anAsking()).catch(judge);
}

describe('an SSH server', () => {
  it('is good by its banner, and hears one of ours', async () => {
    server = await talkingServer((socket) => socket.write('SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u7\r\n'));
    const asking = anAsking();
    const { port } = server;
    const found = await askSsh({ kind: 'ssh', host: '127.0.0.1', port, addresses: 'any' }, asking);
    expect(found).toEqual({ result: 'good', detail: 'OpenSSH_9.2p1' });
    expect(asking.steps.at(-1)).toBe('banner');
    await expect.poll(() => server.heard().toString()).toBe('SSH-2.0-Upkeep\r\n');
    await expect.poll(() => server.open()).toBe(0);
  });

  it('may say something before its banner (RFC 4253 section 4.2), and speak version 1 too', async () => {
    expect(await asked('Private system.\r\nGo away.\r\nSSH-1.99-Cisco-1.25\n')).toEqual({
      result: 'good',
      detail: 'Cisco-1.25',
    });
  });

  it('has failed when it takes no more logins', async () => {
    expect(await asked('Exceeded MaxStartups\r\n')).toEqual({ result: 'failed', detail: 'Exceeded MaxStartups' });
  });

  it('could not be asked from an address that it turns away for a while', async () => {
    expect(await asked('Not allowed at this time\r\n')).toMatchObject({
      result: 'unasked',
      detail: expect.stringContaining('ask less often'),
    });
  });

  it('of the first version alone has failed', async () => {
    expect(await asked('SSH-1.5-1.2.27\n')).toEqual({ result: 'failed', detail: 'speaks SSH 1.5, not 2' });
  });

  it('that closes without a word, as with TCP wrappers, or says something else, has failed', async () => {
    expect(await asked('')).toEqual({ result: 'failed', detail: 'closed by the server without an answer' });
    await server.close();
    expect(await asked('HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n')).toEqual({
      result: 'failed',
      detail: 'closed by the server after "HTTP/1.1 400 Bad Request"',
    });
  });

  it('that never ends is not listened to for ever', async () => {
    server = await talkingServer((socket) => {
      const more = (): void => void (socket.destroyed || socket.write('x'.repeat(16_384), more));
      more();
    });
    const { port } = server;
    expect(await askSsh({ kind: 'ssh', host: '127.0.0.1', port, addresses: 'any' }, anAsking()).catch(judge)).toEqual({
      result: 'failed',
      detail: 'more than 64 KiB, and no answer in it',
    });
    await expect.poll(() => server.open()).toBe(0);
  });
});
