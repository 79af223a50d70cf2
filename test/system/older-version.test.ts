// The promise: an upgrade from the version that knew no neighbours adopts everything, and nothing is restarted for it.

import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { decodeLine, encodeLine } from '../../src/journal/line.js';
import { newHome } from '../support/keeper.js';
import { signal } from '../support/running.js';

const SLEEP = 'sleep 1000';
const HOUR = { delay: '1h', backoff: { max: '1h', jitter: '0%' } };

/** What that version did not write, wherever it stands. */
const UNKNOWN = new Set([
  'pool',
  'coupling',
  'hooks',
  'directories',
  'clean',
  'oneshot',
  'wave',
  'missing',
  'enrolled',
  'hook',
  'heldBack',
]);

const asBefore = (text: string): unknown =>
  JSON.parse(text, (key, value: unknown) => (UNKNOWN.has(key) ? undefined : value));

function journalAsBefore(path: string): void {
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  const older = lines.map((line) => {
    const value = asBefore(JSON.stringify(decodeLine(line)?.value)) as Record<string, unknown>;
    return encodeLine('token' in value ? { ...value, version: 3 } : value);
  });
  writeFileSync(path, older.join(''));
}

function appliedAsBefore(path: string): void {
  writeFileSync(path, JSON.stringify(asBefore(readFileSync(path, 'utf8'))));
}

it('goes on with every service as the version before left it', { timeout: 120_000 }, async () => {
  const home = newHome();
  home.configure({ up: { run: SLEEP }, late: { run: SLEEP, restart: HOUR }, off: { run: SLEEP, desired: 'down' } });
  const keeper = await home.start();
  const up = await home.running('up');
  signal(await home.running('late'), 'SIGKILL');
  const { restarts } = await home.when('late', ({ state }) => state === 'backoff');
  await keeper.end('SIGKILL');
  journalAsBefore(home.at('run/journal'));
  for (const place of ['run', 'state']) appliedAsBefore(home.at(`${place}/applied.json`));

  await home.start();
  expect(await home.running('up')).toBe(up);
  expect(await home.service('late')).toMatchObject({ state: 'backoff', restarts });
  expect(await home.service('off')).toMatchObject({ state: 'stopped' });
  expect((await home.upkeep('plan')).stdout).toMatch(/^nothing changes/);
  expect(await home.service('up')).toMatchObject({ generation: 1, restarts: { total: 0 } });
});
