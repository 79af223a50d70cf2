import { describe, expect, it } from 'vitest';
import { didYouMean, nearest } from './suggest.js';

describe('the nearest known word', () => {
  it.each([
    ['restrt', 'restart'],
    ['wacth', 'watch'],
    ['wacht', 'watch'],
    ['Run', 'run'],
    ['usr', 'user'],
    ['descripton', 'description'],
  ])('of %s is %s', (word, known) =>
    expect(nearest(word, ['run', 'watch', 'restart', 'user', 'description'])).toBe(known),
  );

  it.each(['x', 'colour', 'zzz', '', 'a'.repeat(1000)])('is none where none is near: %s', (word) => {
    expect(nearest(word, ['run', 'watch', 'restart'])).toBeNull();
  });

  it('is none where only its letters are alike', () => expect(nearest('status', ['startTls'])).toBeNull());

  it('is said in half a sentence, or not at all', () => {
    expect([didYouMean('wtach', ['watch']), didYouMean('foo', ['watch'])]).toEqual(['; did you mean watch', '']);
  });
});
