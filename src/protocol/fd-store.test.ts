import { describe, expect, it } from 'vitest';
import { admit, fullSentence } from './fd-store.js';

/** A letter is an open file, a number the descriptor of it. */
const isSame = (a: string, b: string): boolean => a[0] === b[0];

describe('what is kept of what a service stores', () => {
  it('is what comes first, up to as many as it may have (graceful C4)', () => {
    const has = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    const sent = [...'klmnopqrst'];
    expect(admit(has, sent, 12, isSame)).toEqual({ kept: [...'klmno'], known: [], refused: [...'pqrst'] });
  });

  it('is each open file once, also of one message (graceful C2)', () => {
    expect(admit(['a1'], ['a2', 'b1', 'b2', 'c1'], 9, isSame)).toEqual({
      kept: ['b1', 'c1'],
      known: ['a2', 'b2'],
      refused: [],
    });
  });

  it('is no second time what would have room, and when it is full nothing, known or not', () => {
    expect(admit(['a1'], ['a2', 'a3', 'b1', 'a4', 'c1'], 2, isSame)).toEqual({
      kept: ['b1'],
      known: ['a2', 'a3'],
      refused: ['a4', 'c1'],
    });
  });

  it('is nothing where nothing may be stored', () => {
    expect(admit([], ['a1'], 0, isSame)).toEqual({ kept: [], known: [], refused: ['a1'] });
  });
});

it('says how many were closed, and what to do', () => {
  expect(fullSentence(5, 10, 12)).toBe(
    '5 of the 10 descriptors that it sent to be stored were closed, because its store is full (fdStore: 12); write a higher `fdStore`, or have it remove what it does not need any more',
  );
  expect(fullSentence(1, 1, 12)).toMatch(/^a descriptor that it sent to be stored was closed/);
});
