// The promise: whoever is to be told hears of a service that runs and does not do its work, once and in one thread, by every kind
// of channel; of what a restart healed in one letter; and of what could not be asked without an alarm.

import { createServer, type Server } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Audience } from '../support/audience.js';
import { newHome } from '../support/keeper.js';

/** Listens until it is closed, and again when it is asked to. */
async function listenAt(port: number): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  onTestFinished(() => void server.close());
  return server;
}

/** Ports of this process's own, below the range from which the kernel takes the others. */
const port = 20_000 + ((process.pid + 3_200) % 9_000);

const soon = { delay: '0s', healthyAfter: '1s', limit: 'none' };
const often = { every: '500ms', timeout: '5s', grace: '0s', fails: '2 in a row' };
const sleeper = { run: ['sleep', '1000'], restart: soon };

describe('people are told of heartbeats', () => {
  it('at once of what is only to be told of, and when it is good again, by every channel (monitors 12)', async () => {
    const server = await listenAt(port);
    const home = newHome();
    await using audience = await Audience.in(home);
    const tcp = { ...often, tcp: `127.0.0.1:${port}`, then: 'notice' };
    home.configure(
      { shop: { ...sleeper, description: 'The shop', heartbeat: tcp } },
      { notices: { channels: audience.channels, digest: '5s' } },
    );
    await home.start([], { env: audience.env });
    const pid = await home.running('shop');
    expect((await home.upkeep('wait', 'shop', '--for', 'healthy', '--timeout', '60s')).code).toBe(0);

    server.close();
    await audience.heard('shop', 'UNHEALTHY');
    const tested = await home.upkeep('test', 'shop');
    expect(tested.code).toBe(1);
    expect(tested.stdout).toContain('refused');
    const why = await home.upkeep('why');
    expect(why.stdout).toContain('it does not do its work: its heartbeat tcp has failed 2 times in a row');

    await listenAt(port);
    await audience.heard('shop', 'UP');
    expect((await home.service('shop')).process?.pid).toBe(pid);
    for (const name of audience.names) expect(audience.labels(name, 'shop'), name).toEqual(['UNHEALTHY', 'UP']);
    const incidents = new Set(audience.names.flatMap((name) => audience.told(name, 'shop').map((one) => one.incident)));
    expect([incidents.size, [...incidents][0]]).toEqual([1, expect.any(String)]);

    const mails = audience.mail.received
      .map(({ mail }) => mail)
      .filter((mail) => / shop@/.test(mail.header('Subject') ?? ''));
    expect(mails.map((mail) => mail.header('Subject'))).toEqual([
      expect.stringMatching(/^\[UNHEALTHY\] shop@.*: heartbeat tcp failed 2 times in a row: refused/),
      expect.stringMatching(/^(Re: )?\[UP\] shop@.*: does its work again, after /),
    ]);
    expect(new Set(mails.map((mail) => mail.header('References'))).size).toBe(1);
    expect(mails[0]?.text).toContain('The shop runs, but it does not do its work');
    expect(mails[0]?.text).toContain(`It was asked: tcp 127.0.0.1:${port}`);
    expect(mails[0]?.text).toContain('upkeep test shop');
  });

  it('of what a restart healed in one letter of the digest, with what it had said', async () => {
    const home = newHome();
    await using audience = await Audience.in(home);
    // Well from its second start on.
    const starts = home.at('starts');
    const listens = `require('node:net').createServer((socket) => socket.destroy()).listen(${port + 1}, '127.0.0.1')`;
    const run = `echo >> '${starts}'; test $(wc -l < '${starts}') -ge 2 && exec '${process.execPath}' -e "${listens}"; exec sleep 1000`;
    // It has time to begin.
    const heartbeat = { ...often, tcp: `127.0.0.1:${port + 1}`, grace: '5s' };
    home.configure(
      { web: { run: ['sh', '-c', run], restart: soon, heartbeat } },
      { notices: { channels: audience.channels, digest: '5s' } },
    );
    await home.start([], { env: audience.env });
    await audience.heard('web', 'RESTARTED');
    for (const name of audience.names) expect(audience.labels(name, 'web'), name).toEqual(['RESTARTED']);
    const mail = audience.mail.received.find((one) => one.mail.header('Subject')?.includes('web'))?.mail;
    expect(mail?.header('Subject')).toMatch(/failed its heartbeat tcp \(refused/);
    expect(mail?.text).toMatch(/tcp, .* before: failed after .*: refused/);
  });

  it('of what could not be asked without an alarm, and nothing is restarted (monitors 11)', async () => {
    const home = newHome();
    await using audience = await Audience.in(home);
    const exec = { ...often, exec: ['sh', '-c', 'echo "no idea"; exit 125'] };
    home.configure(
      { web: { ...sleeper, heartbeat: exec } },
      { notices: { channels: audience.channels, digest: '2s' } },
    );
    await home.start([], { env: audience.env });
    const pid = await home.running('web');
    await audience.heard('web', 'UNASKED');
    const mail = audience.mail.received.at(-1)?.mail;
    expect(mail?.header('Subject')).toMatch(/heartbeat exec could not be asked: .*no idea/);
    expect(mail?.text).toContain('nothing is done to it');
    const { process, health } = await home.service('web');
    expect([process?.pid, health.state]).toEqual([pid, 'unknown']);
    const { code, stdout } = await home.upkeep('test', 'web');
    expect([code, stdout]).toEqual([1, expect.stringContaining('could not ask after')]);
  });
});
