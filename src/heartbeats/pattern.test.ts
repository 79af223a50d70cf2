import { describe, expect, it } from 'vitest';
import { firstMatch, isMatch } from './pattern.js';

describe('a pattern', () => {
  it('is found where it is, with the flag u', () => {
    expect(firstMatch('o+', 'a foo')).toBe('oo');
    expect(firstMatch('^.$', '😀')).toBe('😀');
    expect(firstMatch('x*', 'a')).toBe('');
    expect(firstMatch('b', 'a')).toBeNull();
    expect([isMatch('a', 'a'), isMatch('x*', 'a'), isMatch('b', 'a')]).toEqual([true, true, false]);
  });

  it('that would never come to an end is given up, and nobody is blamed', () => {
    expect(() => firstMatch('(a+)+$', `${'a'.repeat(1000)}!`)).toThrow('/(a+)+$/ takes too long for what came');
    expect(isMatch('a', 'a')).toBe(true);
  });
});
