import { spawn } from 'node:child_process';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { probeFeatures } from './features.js';
import { readStat } from './identity.js';
import { ownChildren } from './processes-of.js';
import { Reaper } from './reaper.js';

const features = probeFeatures([]);
let reaper: Reaper;
let followed: Set<number>;
beforeEach(() => {
  followed = new Set();
  reaper = new Reaper((pid) => followed.has(pid));
});
afterEach(() => reaper.close());

const code = (...argv: readonly string[]): Promise<number | null> =>
  new Promise((resolve) => spawn(argv[0] ?? '', argv.slice(1), { stdio: 'ignore' }).once('exit', resolve));
const zombies = (): readonly number[] => ownChildren().filter((pid) => readStat(pid)?.state === 'Z');

async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 20_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error('not within 20 s');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

it.skipIf(features.subreaper === 'no')('reaps orphans, and takes no child of Node’s own away', async () => {
  const storm = Array.from({ length: 60 }, async (_, i) => {
    const sent = i % 7;
    // Each leaves two orphans, which end before and after it.
    return [sent, await code('sh', '-c', `(sleep 0.0${sent} &); (sleep 0.3 &); sleep 0.0${i % 5}; exit ${sent}`)];
  });
  for (const [sent, got] of await Promise.all(storm)) expect(got).toBe(sent);
  await until(() => zombies().length === 0 && ownChildren().length === 0);
});

it.skipIf(features.subreaper === 'no')('leaves alone whom somebody follows', async () => {
  let orphan = 0;
  const child = spawn('sh', ['-c', '(sleep 0.3 & echo $!)'], { stdio: ['ignore', 'pipe', 'ignore'] });
  child.stdout.on('data', (data) => {
    orphan = Number(data);
    followed.add(orphan);
  });
  await until(() => orphan !== 0 && readStat(orphan)?.state === 'Z');
  await code('true');
  await new Promise((resolve) => setTimeout(resolve, 1000));
  expect(readStat(orphan)?.state).toBe('Z');
  followed.clear();
  await code('true');
  await until(() => readStat(orphan) === null);
});
