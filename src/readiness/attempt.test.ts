import { expect, it } from 'vitest';
import { pauseAfter } from './attempt.js';

const pauses = (by: 'question' | 'command') => Array.from({ length: 20 }, (_, index) => pauseAfter(index + 1, by));

it('asks soon after the start, and at most half as long again as before each time', () => {
  const all = pauses('question');
  expect(all[0]).toBe(1);
  for (const [index, pause] of all.entries()) {
    const before = all[index - 1];
    if (before === undefined) continue;
    expect(pause).toBeGreaterThanOrEqual(before);
    expect(pause).toBeLessThanOrEqual(before * 1.5);
  }
});

it('asks four times a second in the end', () => {
  for (const by of ['question', 'command'] as const) expect(pauses(by).at(-1)).toBe(250);
});

it('starts a command less often than it asks, because each is a process', () => {
  expect(pauses('command')[0]).toBe(5);
});
