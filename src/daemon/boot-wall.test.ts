import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { bootWallMillis } from '../kernel/boot-clock.js';
import { bootWallOf } from './boot-wall.js';

it('stays the same while the clocks only jitter, and follows a clock that was set', () => {
  let measured = 9000.2;
  const bootWall = bootWallOf(() => measured);
  expect(bootWall()).toBe(9000);
  measured = 8997;
  expect(bootWall()).toBe(9000);
  measured = 3_609_000.4;
  expect(bootWall()).toBe(3_609_000);
});

it('is the same for two keepers, which measure it each for itself', () => {
  expect(bootWallOf(() => 9003.9)()).toBe(bootWallOf(() => 9003.1)());
});

it('is measured so well that readings differ by less than Date.now() tells', () => {
  const readings = Array.from({ length: 100 }, bootWallMillis).sort((one, other) => one - other);
  expect((readings[75] ?? 0) - (readings[25] ?? 0)).toBeLessThan(0.5);
  const btime = Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]) * 1000;
  expect(Math.abs((readings[50] ?? 0) - btime)).toBeLessThan(2000);
});
