import { expect, it } from 'vitest';
import { shareParts } from './share.js';

it('equal parts become one object, and nothing else changes', () => {
  const a = { name: 'a', restart: { delay: 1, codes: [1, 2] }, none: null };
  const b = { name: 'b', restart: { delay: 1, codes: [1, 2] }, none: null };
  const [first, second] = shareParts([a, b]);
  expect([first, second]).toEqual([a, b]);
  expect(first?.restart).toBe(second?.restart);
  expect(first).not.toBe(second);
});
