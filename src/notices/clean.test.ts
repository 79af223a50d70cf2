import { describe, expect, it } from 'vitest';
import { cut, oneLine, outputLine } from './clean.js';

describe('a text of somebody else', () => {
  it.each([
    ['a line break and a header', 'exit 1\r\nBcc: all@example.org', 'exit 1 Bcc: all@example.org'],
    ['escape sequences', '\u001b[31mred\u001b[0m \u001b]0;title\u0007done', 'red done'],
    ['what turns the direction around', 'abc\u202egnp.exe', 'abc gnp.exe'],
    ['characters that nobody sees', 'pay\u200bpal\ufeff \u{e0041}x', 'pay pal x'],
    ['separators of lines and paragraphs', 'a\u2028b\u2029c\u0085d', 'a b c d'],
    ['half a character', 'a\ud800b', 'a\ufffdb'],
    ['zeros and backspaces', 'a\u0000b\u0008c', 'a b c'],
  ])('is one line that is only read: %s', (_what, text, line) => {
    expect(oneLine(text, 100)).toBe(line);
  });

  it('keeps the joiners that words and emoji are spelt with', () => {
    expect(oneLine('می‌خواهم 👩‍💻', 100)).toBe('می‌خواهم 👩‍💻');
  });

  it('of a megabyte is cut, and never in the middle of a character', () => {
    expect(oneLine('x'.repeat(1_000_000), 80)).toBe(`${'x'.repeat(79)}…`);
    expect(oneLine('👩'.repeat(500_000), 10)).toBe(`${'👩'.repeat(9)}…`);
    expect(cut('👩👩👩', 3)).toBe('👩👩👩');
    expect(oneLine('\u001b[31m'.repeat(200_000), 80).length).toBeLessThanOrEqual(80);
  });

  it('that is output keeps its columns', () => {
    expect(outputLine('  at f\t(x.js:1)\r', 100)).toBe('  at f    (x.js:1)');
  });
});
