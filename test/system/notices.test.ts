// The promise: who is to be told is told, once, by every kind of channel, and every message of an outage carries its incident.

import { describe, expect, it } from 'vitest';
import type { HistoryDocument } from '../../src/core/history-view.js';
import type { WhyDocument } from '../../src/core/why.js';
import { Audience } from '../support/audience.js';
import { type Home, newHome } from '../support/keeper.js';
import { signal } from '../support/running.js';

/** Well again soon, so that its return is told soon. */
const soon = { delay: '0s', healthyAfter: '1s' };
const sleeper = { run: ['sleep', '1000'], restart: { ...soon, limit: 'none' } };

/** Ends at once until there is this file; fails for good after two attempts. */
const waitingFor = (path: string) => ({
  run: ['sh', '-c', `test -e '${path}' && exec sleep 1000; echo 'no ${path}'; exit 3`],
  description: 'Job queue: no mails go out while it is down',
  restart: { ...soon, limit: '1 in 5m', then: 'give-up' },
});

async function json<T>(home: Home, ...words: readonly string[]): Promise<T> {
  const { stdout, stderr } = await home.upkeep(...words, '--json');
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

describe('people are told', () => {
  it('of what healed by itself in one letter, and of what did not at once, each by every channel (monitors 29, 30)', async () => {
    const home = newHome();
    await using audience = await Audience.in(home);
    home.configure(
      { web: sleeper, db: sleeper, queue: waitingFor(home.at('mended')) },
      { notices: { channels: audience.channels, digest: '5s' } },
    );
    await home.start([], { env: audience.env });

    // What does not come up: at once, once, until it is up again.
    await audience.heard('queue', 'FAILED');
    await home.when('queue', ({ state }) => state === 'failed');
    home.write('mended', '');
    expect((await home.upkeep('reset', 'queue')).code).toBe(0);
    await audience.heard('queue', 'UP');
    for (const name of audience.names) {
      const labels = audience.labels(name, 'queue');
      // Its first failed start may have had a letter of its own before it had failed for good.
      expect(labels.filter((label) => label !== 'DOWN')).toEqual(['FAILED', 'UP']);
      expect(labels.filter((label) => label === 'DOWN').length).toBeLessThanOrEqual(1);
    }
    const incidents = new Set(
      audience.names.flatMap((name) => audience.told(name, 'queue').map((told) => told.incident)),
    );
    const [incident] = incidents;
    expect([incidents.size, incident]).toEqual([1, expect.any(String)]);
    const why = await json<WhyDocument>(home, 'why', 'queue');
    expect(why.services[0]?.postMortems[0]?.incident).toBe(incident);
    const { entries } = await json<HistoryDocument>(home, 'history', 'queue', '-n', 'all');
    expect(entries.some((entry) => entry.incident === incident)).toBe(true);

    // One thread in the mail reader, and the length of the outage.
    const mails = audience.mail.received.map(({ mail }) => mail);
    const ofQueue = mails.filter((mail) => / queue@/.test(mail.header('Subject') ?? ''));
    expect(new Set(ofQueue.map((mail) => mail.header('References'))).size).toBe(1);
    expect(ofQueue.map((mail) => mail.header('In-Reply-To'))).toEqual(ofQueue.map((mail) => mail.header('References')));
    expect(ofQueue.at(-1)?.text).toMatch(/^Outage: +\d/m);
    const failed = ofQueue.find((mail) => mail.header('Subject')?.startsWith('[FAILED]'));
    expect(failed?.text).toContain('no mails go out while it is down');
    expect(failed?.text).toContain(`no ${home.at('mended')}`);
    expect(failed?.text).toContain('1 restart did not help');
    expect(failed?.text).toContain('upkeep why queue');
    expect(audience.mail.received.every(({ secure, user }) => secure && user === 'up')).toBe(true);

    // What healed: together, in one letter for those who get letters.
    for (const name of ['web', 'db']) signal(await home.running(name), 'SIGKILL');
    await audience.heard('web', 'RESTARTED');
    await audience.heard('db', 'RESTARTED');
    expect(audience.everyone('web')).toEqual(audience.each(['RESTARTED']));
    expect(audience.everyone('db')).toEqual(audience.each(['RESTARTED']));
    for (const name of ['mail', 'chat', 'page'])
      expect(
        audience.messages(name).filter((message) => message.some(({ label }) => label === 'RESTARTED')),
      ).toHaveLength(1);
    const ids = audience.mail.received.map(({ mail }) => mail.header('Message-ID'));
    expect(new Set(ids).size).toBe(ids.length);

    // What the other side says to a test.
    const answers = await Promise.all(
      audience.names.map(async (name) => {
        const { code, stdout } = await home.upkeep('notice', '--test', name);
        return [name, code, stdout.trimEnd().split('\n').at(-1)];
      }),
    );
    const said: Readonly<Record<string, RegExp>> = {
      mail: /has taken it: 250 2\.0\.0 Ok: queued as \d+$/,
      post: /sendmail took it$/,
      log: /has taken it: /,
      chat: /has taken it: .*200/,
      page: /page ended with exit code 0$/,
      file: /has taken it: /,
    };
    expect(answers).toEqual(audience.names.map((name) => [name, 0, expect.stringMatching(said[name] ?? /^$/)]));
  });
});
