import { expect, it } from 'vitest';
import { Sleeps } from './sleeps.js';

function machine() {
  const clocks = { awake: 10_000, slept: 500 };
  return {
    clocks,
    sleeps: new Sleeps(
      () => clocks.awake,
      () => clocks.slept,
    ),
  };
}

it('tells of a sleep since the last look, and how long ago it is at most', () => {
  const { clocks, sleeps } = machine();
  expect(sleeps.recent()).toBeNull();
  clocks.awake += 5000;
  clocks.slept += 3_600_000;
  expect(sleeps.recent()).toEqual({ length: 3_600_000, ago: 5000 });
  clocks.awake += 1000;
  expect(sleeps.recent()).toEqual({ length: 3_600_000, ago: 6000 });
});

it('forgets it after a minute awake, and minds no hair’s breadth', () => {
  const { clocks, sleeps } = machine();
  clocks.slept += 2000;
  sleeps.look();
  clocks.awake += 61_000;
  expect(sleeps.recent()).toBeNull();
  clocks.slept += 3;
  expect(sleeps.recent()).toBeNull();
});

it('a real machine is awake while it runs this', () => {
  expect(new Sleeps().recent()).toBeNull();
});
