import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { anAsking } from '../../test/support/asking.js';
import { type TalkingServer, talkingServer } from '../../test/support/talking-server.js';
import { judge } from './judge.js';
import { askSshAgent } from './ssh-agent.js';

let directory: string;
const closers: Array<() => Promise<void> | void> = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'upkeep-agent-'));
  closers.push(() => rmSync(directory, { recursive: true, force: true }));
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const pathOf = (name: string): string => join(directory, name);

async function asked(path: string, keys = 1, sign: 'yes' | 'no' = 'no') {
  const asking = anAsking();
  const finding = await askSshAgent({ kind: 'sshAgent', path, keys, sign }, asking).catch(judge);
  return { ...finding, steps: asking.steps };
}

/** OpenSSH's own, with a key of each of these types. */
async function anAgent(...types: readonly (readonly string[])[]): Promise<string> {
  const path = pathOf('agent');
  const agent = spawn('ssh-agent', ['-D', '-a', path], { stdio: ['ignore', 'pipe', 'inherit'] });
  closers.push(() => void agent.kill());
  // It says where it listens once it does.
  await new Promise((resolve, reject) => agent.once('error', reject).stdout.once('data', resolve));
  for (const [index, type] of types.entries()) {
    const key = pathOf(`key${index}`);
    execFileSync('ssh-keygen', ['-q', '-N', '', ...type, '-f', key]);
    sshAdd(path, '-q', key);
  }
  return path;
}

const sshAdd = (path: string, ...args: readonly string[]): void => {
  const env = { ...process.env, SSH_AUTH_SOCK: path, SSH_ASKPASS: '/bin/echo', SSH_ASKPASS_REQUIRE: 'force' };
  execFileSync('ssh-add', args, { env, stdio: 'ignore' });
};

const ED25519 = ['-t', 'ed25519'];

describe('OpenSSH’s agent', () => {
  it('is good with as many keys as are wanted, and has failed with fewer', async () => {
    const path = await anAgent(ED25519, ED25519);
    expect(await asked(path, 2)).toMatchObject({ result: 'good', detail: '2 keys' });
    expect(await asked(path, 3)).toMatchObject({ result: 'failed', detail: '2 keys, 3 wanted' });
  });

  it.each([
    ['ssh-ed25519', ED25519],
    ['ssh-rsa', ['-t', 'rsa', '-b', '2048']],
    ['ecdsa-sha2-nistp256', ['-t', 'ecdsa', '-b', '256']],
    ['ecdsa-sha2-nistp384', ['-t', 'ecdsa', '-b', '384']],
    ['ecdsa-sha2-nistp521', ['-t', 'ecdsa', '-b', '521']],
  ])('signs with a key of type %s, and the signature is right', async (name, type) => {
    const path = await anAgent(type);
    // Numbers lose their leading zeros: one signature in some hundred is shorter.
    for (let time = 0; time < 20; time += 1) {
      expect(await asked(path, 1, 'yes')).toEqual({
        result: 'good',
        detail: `signed with ${name}`,
        steps: ['connect', 'keys', 'signature <1 key>'],
      });
    }
  });

  it('without a key, or locked, has failed where one is wanted', async () => {
    const path = await anAgent();
    const none = { result: 'failed', detail: 'no keys: none was added, or the agent is locked' };
    expect(await asked(path)).toMatchObject(none);
    expect(await asked(path, 0, 'yes')).toMatchObject(none);
    expect(await asked(path, 0)).toMatchObject({ result: 'good', detail: '0 keys' });
  });

  it('has failed when it refuses to sign', async () => {
    const path = await anAgent();
    execFileSync('ssh-keygen', ['-q', '-N', '', ...ED25519, '-f', pathOf('key')]);
    // To be confirmed by somebody, who says nothing: there is no ssh-askpass in its environment.
    sshAdd(path, '-q', '-c', pathOf('key'));
    expect(await asked(path, 1, 'yes')).toMatchObject({
      result: 'failed',
      detail: 'refused to sign with its first key (ssh-ed25519)',
    });
  });
});

describe('an agent', () => {
  let server: TalkingServer;
  const answers = async (...bytes: readonly Buffer[]): Promise<string> => {
    const path = pathOf('other');
    const left = [...bytes];
    server = await talkingServer((socket) => {
      socket.on('data', () => socket.write(left.shift() ?? ''));
    }, path);
    closers.push(server.close);
    return path;
  };

  const text = (value: Buffer | string): Buffer => {
    const bytes = Buffer.from(value);
    return Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  };
  /** Signs everything with zeros. */
  const forger = (type: string): Promise<string> => {
    const key = Buffer.concat([text(type), text(Buffer.alloc(32, 9))]);
    const signature = Buffer.concat([text(type), text(Buffer.alloc(64))]);
    return answers(
      text(Buffer.concat([Buffer.from([12, 0, 0, 0, 1]), text(key), text('')])),
      text(Buffer.concat([Buffer.from([14]), text(signature)])),
    );
  };

  it('that signs with another text’s signature has failed', async () => {
    expect(await asked(await forger('ssh-ed25519'), 1, 'yes')).toMatchObject({
      result: 'failed',
      detail: 'signed wrongly with ssh-ed25519',
    });
    await expect.poll(() => server.open()).toBe(0);
  });

  it('is believed where the key is of a kind that is not known here', async () => {
    expect(await asked(await forger('sk-ssh-ed25519@openssh.com'), 1, 'yes')).toMatchObject({
      result: 'good',
      detail: 'signed with sk-ssh-ed25519@openssh.com, which is not verified',
    });
  });

  it('that says something else is none', async () => {
    expect(await asked(await answers(Buffer.from('-ERR unknown command\r\n')))).toMatchObject({
      result: 'failed',
      detail: 'no SSH agent: it says "-ERR unknown command"',
    });
  });

  it('that closes at once has failed where it is our own', async () => {
    const path = pathOf('closing');
    closers.push((await talkingServer('', path)).close);
    expect(await asked(path)).toMatchObject({ result: 'failed', detail: 'closed by the server without an answer' });
  });

  it('whose socket is not there has failed', async () => {
    expect(await asked(pathOf('none'))).toMatchObject({ result: 'failed', detail: `no socket at ${pathOf('none')}` });
  });
});
