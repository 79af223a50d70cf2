import fc from 'fast-check';
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

it('whatever the values, they stay equal to what they were, and two that are equal become one', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue({ maxDepth: 4 }), { maxLength: 6 }), (values) => {
      const twice = values.flatMap((value) => [{ value }, { value: structuredClone(value) }]);
      const shared = shareParts(twice);
      expect(shared).toEqual(twice);
      for (let at = 0; at < shared.length; at += 2) expect(shared[at]).toBe(shared[at + 1]);
    }),
  );
});

it('parts that only look alike stay apart', () => {
  const values = [
    { a: [1] },
    { a: ['1'] },
    { a: { 0: 1 } },
    { a: '#1' },
    { a: null },
    { a: 'null' },
    { a: {} },
    { a: [] },
  ];
  expect(shareParts(values)).toEqual(values);
});
