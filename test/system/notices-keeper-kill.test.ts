// The promise: whenever the keeper is killed, what people are to be told reaches them, and once.

import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Audience } from '../support/audience.js';
import { type Home, newHome } from '../support/keeper.js';
import { seeded } from '../support/random.js';
import { type Running, signal } from '../support/running.js';

const sleeper = { run: ['sleep', '1000'], restart: { delay: '0s', limit: 'none', healthyAfter: '1s' } };

/** Each dies once. */
const AT_ANY_TIME = ['a1', 'a2', 'a3', 'a4', 'a5'];

interface View {
  readonly channel: string;
  readonly waiting: number;
  readonly state: string;
}

async function views(home: Home): Promise<readonly View[]> {
  const answer = await home.get('/v1/notices');
  return answer.type === 'ok' ? (answer.body as { channels: View[] }).channels : [];
}

const waiting = async (home: Home, name: string): Promise<number> =>
  (await views(home)).find(({ channel }) => channel === name)?.waiting ?? 0;

describe('notices over kill -9 of the keeper', () => {
  it('come by each channel once, killed after a death, with letters waiting, and while one is sent (monitors 29)', async () => {
    const seed = Number(process.env.UPKEEP_SEED ?? Math.floor(Math.random() * 2 ** 31));
    console.log(`UPKEEP_SEED=${seed}`);
    const random = seeded(seed);
    const home = newHome();
    await using audience = await Audience.in(home);
    const names = [...AT_ANY_TIME, 'away', 'slow', 'meanwhile', 'last'];
    home.configure(Object.fromEntries(names.map((name) => [name, sleeper])), {
      notices: { channels: audience.channels, digest: '300ms' },
    });
    const start = (): Promise<Running> => home.start(['--leave'], { env: audience.env });
    let keeper = await start();
    const again = async (): Promise<void> => {
      await keeper.end('SIGKILL');
      keeper = await start();
    };
    const die = async (name: string): Promise<void> => signal(await home.running(name), 'SIGKILL');
    const others = audience.names.filter((name) => name !== 'mail');

    // Right after the death: before it is seen, written down, gathered, or sent.
    for (const name of AT_ANY_TIME) {
      await die(name);
      await pause(random.int(0, 2500));
      await again();
    }
    for (const name of AT_ANY_TIME) await audience.heard(name, 'RESTARTED');

    // While a letter waits, because the mail server is away.
    audience.mail.trouble.connect = '421 4.3.2 no service today';
    await die('away');
    await audience.heard('away', 'RESTARTED', others);
    await home.until('the mail waits', async () => (await waiting(home, 'mail')) > 0);
    audience.mail.trouble.connect = null;
    await again();
    await audience.heard('away', 'RESTARTED');

    // While the mail server has the mail, and has not said yet that it takes it.
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const begun: string[] = [];
    audience.mail.trouble.before = async (mail) => {
      begun.push(mail.header('Subject') ?? '');
      if (begun.at(-1)?.includes(' slow@')) await released;
    };
    await die('slow');
    await home.until('the mail is there', () => begun.some((subject) => subject.includes(' slow@')));
    await audience.heard('slow', 'RESTARTED', others);
    await again();
    await home.until('it waits there too', async () => (await waiting(home, 'mail')) > 0);
    // What is sent still is not sent again, and what comes meanwhile goes out by the others.
    await die('meanwhile');
    await audience.heard('meanwhile', 'RESTARTED', others);
    expect(audience.labels('mail', 'slow')).toEqual([]);
    release();
    await audience.heard('slow', 'RESTARTED');

    // That it was away is told too, each time.
    const kept = AT_ANY_TIME.length + 2;
    const isTold = (name: string): boolean => audience.labels(name, 'upkeep').length >= kept;
    await home.until(
      () => `${kept} times the keeper is back; it is ${JSON.stringify(audience.everyone('upkeep'))}`,
      () => audience.names.every(isTold),
    );
    // Each channel has its order: behind this nothing comes of what was before.
    await die('last');
    await audience.heard('last', 'RESTARTED');
    await home.until('nothing waits', async () => (await views(home)).every((view) => view.waiting === 0));
    for (const name of names) expect([name, audience.everyone(name)]).toEqual([name, audience.each(['RESTARTED'])]);
    expect(audience.everyone('upkeep')).toEqual(audience.each(Array.from({ length: kept }, () => 'KEEPER')));
    const ids = audience.mail.received.map(({ mail }) => mail.header('Message-ID'));
    expect(new Set(ids).size).toBe(ids.length);
    const pages = audience.pages().map((text) => (JSON.parse(text) as { id: string }).id);
    expect(new Set(pages).size).toBe(pages.length);
  });
});
