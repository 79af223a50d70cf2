import { expect, test } from 'vitest';
import { exactMemoryOf, heldIn } from './exact-memory.js';

test('What is in no file is held: anonymous, shared, and swapped out', () => {
  const rollup =
    'Rss: 9000 kB\nPss:  5000 kB\nPss_Anon:  100 kB\nPss_File: 4000 kB\nPss_Shmem:  20 kB\nSwap: 80 kB\nSwapPss:  3 kB\n';
  expect(heldIn(rollup)).toBe(123 * 1024);
});

test('A kernel that does not tell them apart does not tell what is held', () => {
  expect(heldIn('Rss: 9000 kB\nPss:  5000 kB\nSwapPss:  3 kB\n')).toBeNull();
});

test('A process that is gone holds nothing', async () => {
  expect(await exactMemoryOf([2 ** 22 + 1])).toBe(0);
  expect(await exactMemoryOf([process.pid, 2 ** 22 + 1])).toBeGreaterThan(1024 ** 2);
});
