import { expect, it } from 'vitest';
import { seeded } from '../support/random.js';
import { schedule } from './action.js';
import { failureOf } from './failure.js';
import { play } from './play.js';
import { shrink } from './shrink.js';

const SEEDS = 300;
const STEPS = 60;

it(`${SEEDS} seeded schedules of all that can go wrong break no invariant, and what is wanted up comes up (supervisors 9) (supervisors 16) (supervisors 32) (supervisors 36) (monitors 2) (monitors 18) (monitors 29)`, () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const verdict = play(seed, schedule(seeded(seed), STEPS));
    if (verdict.type === 'failed') throw new Error(failureOf(seed, STEPS, verdict));
  }
});

it('is the same play for the same seed, to the last fact', () => {
  for (const seed of [7, 8, 9]) {
    const told = [1, 2].map(() => {
      const lines: string[] = [];
      play(seed, schedule(seeded(seed), STEPS), (line) => lines.push(line));
      return lines;
    });
    expect(told[0]?.length).toBeGreaterThan(100);
    expect(told[0]).toEqual(told[1]);
  }
});

it('shortens a failing schedule to the steps that matter', () => {
  const list = Array.from({ length: 50 }, (_, index) => index);
  const short = shrink(list, (part) => part.includes(7) && part.includes(31));
  expect(short).toEqual([7, 31]);
});
