import { expect, it } from 'vitest';
import { bootWallOf } from './boot-wall.js';

it('stays the same while the clocks only jitter, and follows a clock that was set', () => {
  let uptime = 1000;
  const bootWall = bootWallOf(() => uptime);
  expect(bootWall(10_000)).toBe(9000);
  uptime = 2003;
  expect(bootWall(11_000)).toBe(9000);
  uptime = 3000;
  expect(bootWall(3_612_000)).toBe(3_609_000);
});
