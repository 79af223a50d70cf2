import { expect, it } from 'vitest';
import { Pace } from './pace.js';

it('reads at once what comes now and then, and in batches what comes all the time', () => {
  const pace = new Pace();
  for (let i = 0; i < 10; i++) expect(pace.pauseAfter(0.1, 5000 + i)).toBeNull();
  expect(pace.pauseAfter(0.1, 5011)).toBe(100);
  expect(pace.pauseAfter(0.1, 6000)).toBeNull();
});

it('takes a hundredth of the time, whoever writes, and comes back all the same', () => {
  const pace = new Pace();
  expect(pace.pauseAfter(5, 5000)).toBe(500);
  expect(pace.pauseAfter(400, 6000)).toBe(2000);
});
