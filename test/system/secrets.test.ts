// The promise: passwords and tokens come from files or the environment, and are nowhere but at the other end.

import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Home, newHome } from '../support/keeper.js';
import { readQuietly } from '../support/running.js';
import { startSmtpServer } from '../support/smtp-server.js';
import { startWebhookReceiver } from '../support/webhook-receiver.js';

const PASSWORD = 'hunter2-s3cr3t-pa55';
const TOKEN = 'T0KEN-abcdef123456';

describe('a secret of a channel', () => {
  it('opens its channel, and stands in no answer, log, file or command line, also when the other side refuses it', async () => {
    await using mail = closing(await startSmtpServer({ login: { user: 'up', password: PASSWORD } }));
    await using chat = closing(await startWebhookReceiver());
    const home = newHome();
    const file = home.write('smtp.pass', `${PASSWORD}\n`, 0o600);
    home.configure(
      { flaky: { run: ['sh', '-c', 'exit 3'], restart: { limit: '1 in 5m', then: 'give-up' } } },
      {
        notices: {
          channels: {
            far: {
              mail: {
                to: ['ops@example.org'],
                via: { smtp: `127.0.0.1:${mail.port}`, user: 'up', password: { file } },
              },
            },
            chat: { webhook: { url: { env: 'CHAT_URL' } } },
          },
        },
      },
    );
    const keeper = await home.start([], { env: { CHAT_URL: `${chat.origin}/hooks/${TOKEN}` } });
    expect((await mail.until(1))[0]?.user).toBe('up');
    expect((await chat.until(1))[0]?.path).toBe(`/hooks/${TOKEN}`);

    const said: string[] = await everythingSaid(home);
    for (const channel of ['far', 'chat']) {
      const { stdout, stderr } = await home.upkeep('notice', '--test', channel);
      said.push(stdout, stderr);
    }
    // Refused by both, who repeat what they were given.
    home.write('smtp.pass', `${PASSWORD}-wrong\n`, 0o600);
    Object.assign(chat.manner, { status: 403, body: `no ${chat.origin}/hooks/${TOKEN}` });
    for (const channel of ['far', 'chat']) {
      const { code, stdout, stderr } = await home.upkeep('notice', '--test', channel);
      expect(code).toBe(1);
      said.push(stdout, stderr);
    }
    said.push(keeper.said(), ...(await everythingSaid(home)));

    for (const text of said) {
      expect(text).not.toContain(PASSWORD);
      expect(text).not.toContain(TOKEN);
      expect(text).not.toContain(Buffer.from(`\0up\0${PASSWORD}`).toString('base64'));
    }
  });
});

const closing = <T extends { close(): Promise<void> }>(one: T): T & AsyncDisposable =>
  Object.assign(one, { [Symbol.asyncDispose]: () => one.close() });

/** Every answer, every file that the keeper has written, and every command line of the machine. */
async function everythingSaid(home: Home): Promise<string[]> {
  const commands = [
    ['status', '--json'],
    ['status', '--keeper'],
    ['explain', 'flaky'],
    ['why', 'flaky', '--json'],
    ['history', '--json'],
    ['logs', 'flaky'],
    ['check'],
    ['plan'],
  ];
  const answers = await Promise.all(commands.map((args) => home.upkeep(...args)));
  const asked = await Promise.all(
    ['/v1/status', '/v1/services/flaky', '/v1/history', '/metrics'].map((path) => home.get(path)),
  );
  return [
    ...answers.flatMap(({ stdout, stderr }) => [stdout, stderr]),
    ...asked.map((answer) => JSON.stringify(answer)),
    ...['run', 'state', 'log'].flatMap((name) => filesBelow(home.at(name))),
    ...readdirSync('/proc').map((pid) => readQuietly(`/proc/${pid}/cmdline`)),
  ];
}

const filesBelow = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => readQuietly(`${parentPath}/${name}`));
