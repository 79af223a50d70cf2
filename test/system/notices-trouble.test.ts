// The promise: a channel that hangs, is away or refuses holds up neither restarts nor the other channels; it is told by another,
// and shown.

import { describe, expect, it } from 'vitest';
import { Audience } from '../support/audience.js';
import { type Home, newHome } from '../support/keeper.js';
import { signal } from '../support/running.js';
import { startSmtpServer } from '../support/smtp-server.js';

const sleeper = { run: ['sleep', '1000'], restart: { delay: '0s', limit: 'none', healthyAfter: '1s' } };
const DIGEST = { digest: '300ms' };

async function dies(home: Home, name: string): Promise<void> {
  const pid = await home.running(name);
  signal(pid, 'SIGKILL');
  await home.running(name, pid);
}

interface View {
  readonly state: string;
  readonly waiting: number;
  readonly lastError: string | null;
  readonly lastDelivered: string | null;
}

async function view(home: Home, name: string): Promise<View> {
  const { stdout } = await home.upkeep('notice', '--json');
  const { channels }: { channels: (View & { readonly channel: string })[] } = JSON.parse(stdout);
  const found = channels.find(({ channel }) => channel === name);
  if (found === undefined) throw new Error(`there is no channel ${name} in ${stdout}`);
  return found;
}

describe('a channel', () => {
  it('that hangs holds up neither restarts nor the other channels', async () => {
    const home = newHome();
    await using audience = await Audience.in(home);
    const { file, mail, chat, log } = audience.channels;
    home.configure({ web: sleeper, db: sleeper }, { notices: { channels: { file, mail, chat, log }, ...DIGEST } });
    audience.mail.trouble.hangs = 'connect';
    audience.chat.manner.hangs = 'request';
    await home.start([], { env: audience.env });

    await dies(home, 'web');
    await audience.heard('web', 'RESTARTED', ['file', 'log']);
    await home.until('the webhook hangs', () => audience.chat.posted.length > 0);
    await dies(home, 'db');
    await audience.heard('db', 'RESTARTED', ['file', 'log']);
    for (const name of ['mail', 'chat'])
      expect(await view(home, name)).toMatchObject({ waiting: 2, lastDelivered: null });
    for (const name of ['file', 'log'])
      expect([audience.labels(name, 'web'), audience.labels(name, 'db')]).toEqual([['RESTARTED'], ['RESTARTED']]);
  });

  it('that fails is told by another and shown, and has all of it once it works', async () => {
    const home = newHome();
    await using audience = await Audience.in(home);
    const { file, log, page } = audience.channels;
    const broken = home.write('broken', '#!/bin/sh\necho no line to the pager >&2; exit 3\n', 0o755);
    const configure = (command: unknown): void =>
      home.configure({ web: sleeper }, { notices: { channels: { file, log, page: command }, ...DIGEST } });
    configure({ exec: broken });
    await home.start([], { env: audience.env });
    await dies(home, 'web');
    const isFailing = async (): Promise<boolean> => (await view(home, 'page')).state !== 'unknown';
    await home.until('the first attempt', isFailing);
    // Whoever changes a channel wants to see it work: it is tried at once.
    for (const attempt of ['second', 'third']) {
      const before = (await view(home, 'page')).lastError;
      configure({ exec: [home.write(attempt, `#!/bin/sh\necho no ${attempt} line >&2; exit 3\n`, 0o755)] });
      expect((await home.upkeep('apply', '--yes')).code).toBe(0);
      await home.until(`the ${attempt} attempt`, async () => (await view(home, 'page')).lastError !== before);
    }
    await audience.heard('upkeep', 'KEEPER', ['file', 'log']);
    expect(home.read('notices.log')).toMatch(
      /\[KEEPER\] upkeep: notices do not get through to page: .*exit code 3: no third line/,
    );
    expect(await view(home, 'page')).toMatchObject({ state: 'lost', waiting: 1 });
    expect((await home.upkeep('notice')).stdout).toMatch(/^page +lost +1 +- +.*no third line/m);
    expect((await home.upkeep('status', '--keeper')).stdout).toMatch(/the channel page has not worked for/);

    configure(page);
    expect((await home.upkeep('apply', '--yes')).code).toBe(0);
    await audience.heard('web', 'RESTARTED', ['page']);
    await home.until('it is told', () => /get through to page again/.test(home.read('notices.log')));
    for (const name of ['file', 'log', 'page']) expect(audience.labels(name, 'web')).toEqual(['RESTARTED']);
  });

  it('that refuses for good is told by another at once, and is not asked again for the same', async () => {
    const home = newHome();
    const server = await startSmtpServer();
    const asked: string[] = [];
    server.trouble.recipient = (address) => {
      asked.push(address);
      return '550 5.1.1 no such user here';
    };
    try {
      const via = { smtp: `127.0.0.1:${server.port}` };
      const channels = { mail: { mail: { to: ['nobody@example.org'], via } }, file: { file: home.at('notices.log') } };
      home.configure({ web: sleeper }, { notices: { channels, ...DIGEST } });
      const keeper = await home.start();
      await dies(home, 'web');
      await home.until('it is told by the other', () =>
        /\[KEEPER\] upkeep: notices do not get through to mail: .*550 5\.1\.1 no such user here/.test(
          home.read('notices.log'),
        ),
      );
      expect(await view(home, 'mail')).toMatchObject({ state: 'lost', waiting: 0 });
      expect(keeper.said()).toMatch(/by the channel mail was refused and is dropped/);
      expect((await home.upkeep('status', '--keeper')).stdout).toMatch(/the channel mail has not worked for/);
      expect((await home.upkeep('notice')).stdout).toContain('550 5.1.1 no such user here');
      expect(asked).toEqual(['nobody@example.org']);
      // The next one may fare better.
      server.trouble.recipient = () => null;
      await dies(home, 'web');
      const [first] = await server.until(1);
      expect(first?.mail.header('Subject')).toMatch(/^\[RESTARTED\] web@/);
      await home.until('it is told', () => /get through to mail again/.test(home.read('notices.log')));
      expect(asked).toHaveLength(1);
    } finally {
      await server.close();
    }
  });
});
