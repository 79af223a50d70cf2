// The harness of `npm run bench` itself, in a run too short for conclusions: every measurement of Upkeep yields figures.
// It knows the outside of the bench only: its options and its page.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

if (process.env.UPKEEP_SANDBOX !== '1') throw new Error('the bench is tried only inside test/support/sandbox.sh');

it('a quick bench measures Upkeep in all phases and loses no restart', { timeout: 600_000 }, () => {
  const options = { quick: true, peers: ['upkeep'], phases: null, npmPlace: null, node: process.execPath };
  const bench = spawnSync(process.execPath, ['bench/inside.mjs', JSON.stringify(options)], {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: 590_000,
  });
  expect(bench.status, bench.stderr).toBe(0);
  const page = bench.stdout;
  expect(page).not.toContain('Broke off');
  expect(page).not.toContain('Not measured');
  expect(page).not.toContain(' lost:');
  expect(page).not.toContain('did not finish');
  const rows = (label: string) => page.split('\n').filter((line) => line.startsWith(`| ${label} |`));
  // Supervised in two ways, watched in two ways, its own death, then start, memory, processor time and wake-ups.
  expect(rows('upkeep')).toHaveLength(9);
  expect(rows('upkeep').some((row) => /^\| upkeep \| 10 \| 10 \| 0 \| 0 \| 0 \|/.test(row))).toBe(true);
  for (const row of rows('upkeep')) expect(row).toMatch(/\d/);
  expect(rows('the same, frozen')[0]).toMatch(/\| \d+ \| \d+\.\d+ \|/);
  expect(rows('idle')[0]).toMatch(/\d+\.\d+/);
  // Three restarts beside the old generation: so many answered, none lost, none refused (graceful D1).
  expect(rows('upkeep, overlap')[0]).toMatch(/^\| upkeep, overlap \| 3 \| \d+ \| \d+ \| 0 \| 0 \|/);
  expect(page).toMatch(
    /2 restarts whose new generation reads the state \(2 read\) and refuses: \d+ answered, 0 lost, 0 refused/,
  );
  for (const label of ['by datagram', 'by channel'].map((way) => `${way}: until the service has read it`))
    expect(rows(label)[0]).toMatch(/\| 3 \| \d+\.\d+ \|/);
});
