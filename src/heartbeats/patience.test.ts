import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { patience } from './patience.js';

let now: number;
let ended: number[];
let cancel: () => void;

beforeEach(() => {
  now = 0;
  ended = [];
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  cancel = patience(2000, { now: () => now, onEnd: (stood) => ended.push(stood) });
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

/** Each timer comes on time. */
function run(length: number): void {
  for (let i = 0; i < length / 10; i += 1) {
    now += 10;
    vi.advanceTimersByTime(10);
  }
}

/** The clock goes on, and nobody hears a timer until the end of it. */
function standStill(length: number): void {
  now += length;
  vi.advanceTimersByTime(250);
}

describe('the time of a question', () => {
  it('is over when it has passed', () => {
    run(1990);
    expect(ended).toEqual([]);
    run(20);
    expect(ended).toEqual([0]);
  });

  it('is longer by a standstill of ours', () => {
    run(1000);
    standStill(700);
    run(700);
    expect(ended).toEqual([]);
    run(100);
    expect(ended).toEqual([0]);
  });

  it('is over all the same after a long one, and is not held against anybody', () => {
    run(500);
    standStill(10_000);
    expect(ended).toEqual([9750]);
  });

  it('may be taken back', () => {
    run(500);
    cancel();
    run(5000);
    expect(ended).toEqual([]);
  });
});
