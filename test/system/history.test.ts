// The promise: every change with its cause, and who asked for it, is in the history once, whenever the keeper is killed; and
// whatever is wrong with its file, services are kept.

import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { HistoryDocument, HistoryEntry } from '../../src/core/history-view.js';
import { type Home, newHome, UPKEEP } from '../support/keeper.js';
import { seeded } from '../support/random.js';
import { type Running, signal } from '../support/running.js';

/** So often the service and its keeper are killed, one shortly after the other. */
const KILLS = 8;
const sleeper = { run: 'sleep 1000', restart: { delay: '0s', limit: 'none' } };

async function history(home: Home, ...words: readonly string[]): Promise<readonly HistoryEntry[]> {
  const { code, stdout, stderr } = await home.upkeep('history', '--json', '-n', 'all', ...words);
  if (code !== 0) throw new Error(stderr);
  const { entries }: HistoryDocument = JSON.parse(stdout);
  return entries;
}

const ids = (entries: readonly HistoryEntry[]): readonly string[] => entries.map(({ id }) => id);

/** What a command that follows has printed until now, line by line. */
function followed({ said }: Running): readonly HistoryEntry[] {
  const lines = said().split('\n').slice(0, -1);
  return lines.filter((line) => line.startsWith('{')).map((line): HistoryEntry => JSON.parse(line));
}

describe('the history', () => {
  it('has every death, and who asked for what, once, over kill -9 of the keeper at any instant', async () => {
    const seed = Number(process.env.UPKEEP_SEED ?? Math.floor(Math.random() * 2 ** 31));
    console.log(`UPKEEP_SEED=${seed}`);
    const random = seeded(seed);
    const home = newHome();
    home.configure({ web: sleeper, worker: sleeper });
    let keeper = await home.start(['--leave']);
    let pid = await home.running('web');
    const follower = home.spawn([process.execPath, UPKEEP, 'history', '-f', '--all', '--json', '-n', 'all']);

    expect((await home.upkeep('restart', 'worker', '--reason', 'a new certificate')).code).toBe(0);
    for (let kill = 0; kill < KILLS; kill += 1) {
      signal(pid, 'SIGKILL');
      await pause(random.int(0, 500));
      await keeper.end('SIGKILL');
      keeper = await home.start(['--leave']);
      pid = await home.running('web', pid);
    }
    expect((await home.upkeep('stop', 'worker', '--reason', 'no more work')).code).toBe(0);

    await home.until('the stop in the history', async () =>
      (await history(home, 'worker')).some(({ what }) => what === 'stopped'),
    );
    const all = await history(home, '--all');
    expect(new Set(ids(all)).size).toBe(all.length);
    const deaths = all.filter(({ service, what }) => service === 'web' && what === 'died');
    expect(deaths).toHaveLength(KILLS);
    for (const { death, incident } of deaths) {
      expect(death?.signal ?? 'SIGKILL').toBe('SIGKILL');
      expect(incident).not.toBeNull();
    }
    expect(all.filter(({ what }) => what === 'began')).toHaveLength(KILLS + 1);

    const asked = all.filter(({ what }) => what === 'asked');
    expect(asked).toMatchObject([
      { service: 'worker', reason: 'a new certificate', by: { uid: process.getuid?.() } },
      { service: 'worker', reason: 'no more work', by: { uid: process.getuid?.() } },
    ]);
    expect(asked[1]?.text).toMatch(/^stop by .+: no more work$/);

    await home.until(
      'the follower to be up to date',
      async () => ids(followed(follower)).at(-1) === ids(await history(home, '--all')).at(-1),
    );
    expect(ids(followed(follower))).toEqual(ids(await history(home, '--all')));
    expect(await follower.end('SIGINT')).toMatchObject({ code: 0 });
  });

  it('is set aside where it is damaged, and services are kept as before', async () => {
    const home = newHome();
    home.configure({ web: sleeper });
    const first = await home.start(['--leave']);
    const pid = await home.running('web');
    await home.until('a history', async () => (await history(home, 'web')).length > 0);
    await first.end('SIGKILL');
    for (const end of ['-wal', '-shm']) rmSync(home.at(`state/history.db${end}`), { force: true });
    writeFileSync(home.at('state/history.db'), 'no database at all, '.repeat(1000));

    const keeper = await home.start(['--leave']);
    expect((await home.service('web')).process?.pid).toBe(pid);
    await home.until('a word of it', () => /is damaged .* was set aside as history\.db\./.test(keeper.said()));
    signal(pid, 'SIGKILL');
    await home.running('web', pid);
    await home.until('the death in the new history', async () =>
      (await history(home, 'web')).some(({ what }) => what === 'died'),
    );
    const aside = readdirSync(home.at('state')).filter((name) => /^history\.db\.\d{4}-.*Z$/.test(name));
    expect(aside).toHaveLength(1);
    expect(home.read(`state/${aside[0]}`)).toMatch(/^no database at all/);
  });
});
