import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memoryDisk } from '../../test/support/configuration.js';
import { globRegex, isGlob, matchingPaths } from './glob.js';

describe('a glob', () => {
  it.each([
    ['web*', 'web1', true],
    ['web*', 'web', true],
    ['web*', 'aweb', false],
    ['web-?', 'web-12', false],
    ['web[0-9]', 'web7', true],
    ['web[!0-9]', 'web7', false],
    ['a.b', 'axb', false],
    ['a+(b)', 'a+(b)', true],
    ['a[b', 'a[b', true],
    ['*', 'a/b', false],
    ['[z-a]', 'b', false],
    ['a[]]', 'a]', true],
  ])('%s and %s: %s', (glob, text, answer) => expect(globRegex(glob).test(text)).toBe(answer));

  it('is what holds a wildcard', () =>
    expect(['a*', 'a?', 'a[b]', 'a.b'].map(isGlob)).toEqual([true, true, true, false]));

  it('never throws, and matches itself where it holds no wildcard', () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'a*?[]!^-\\/.{}+') }), (text) => void globRegex(text)));
    const plain = fc.string({ unit: fc.constantFrom(...'ab.+(){}|^$\\ -') });
    fc.assert(fc.property(plain, (text) => globRegex(text).test(text)));
  });
});

describe('matchingPaths', () => {
  const disk = memoryDisk({ '/a/1/x.yaml': '', '/a/2/x.yaml': '', '/a/2/y.txt': '', '/a/.h/x.yaml': '', '/a/3': '' });

  it('finds sorted paths through several wildcards, and hidden ones only where the dot is written', () => {
    expect(matchingPaths('/a/*/*.yaml', disk)).toEqual(['/a/1/x.yaml', '/a/2/x.yaml']);
    expect(matchingPaths('/a/.*/x.yaml', disk)).toEqual(['/a/.h/x.yaml']);
    expect(matchingPaths('/nowhere/*', disk)).toEqual([]);
  });
});
