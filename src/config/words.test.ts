import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitWords } from './words.js';

const split = (text: string): unknown => {
  const parsed = splitWords(text);
  return parsed.type === 'ok' ? parsed.value : `${parsed.offset}: ${parsed.problem}`;
};

describe('a command in one string', () => {
  it.each([
    ['service ssh restart', ['service', 'ssh', 'restart']],
    ["  a\t b  'c d'  ", ['a', 'b', 'c d']],
    ['a "b c"\'d\'e', ['a', 'b cde']],
    ['a b\\ c \\"', ['a', 'b c', '"']],
    ['a \'\' ""', ['a', '', '']],
    ["a '$HOME' '|' '*'", ['a', '$HOME', '|', '*']],
    ['a "b\\"\\\\\\$c"', ['a', 'b"\\$c']],
    ['a --opt=1 B=2', ['a', '--opt=1', 'B=2']],
    ['"A=1" b', ['A=1', 'b']],
    ['a\\\n b', ['a', 'b']],
    ['a b\n', ['a', 'b']],
    ['curl http://x/?a=b#c', ['curl', 'http://x/?a=b#c']],
    ['[ -e /x ]', ['[', '-e', '/x', ']']],
    ['a x~ b~c', ['a', 'x~', 'b~c']],
  ])('is split as a shell would: %j', (text, words) => expect(split(text)).toEqual(words));

  const SHELL = 'commands run without a shell; quote it, or write [sh, -c, "…"]';
  it.each([...'|;&<>$*()', '`'])('with an unquoted %s is refused with what to write instead', (char) => {
    expect(split(`ab ${char} c`)).toBe(`3: has an unquoted ${char} at character 4; ${SHELL}`);
  });

  it.each([
    ['A=1 b', '0: begins with the assignment A=; write it below `env:`'],
    [' _x1=', '1: begins with the assignment _x1=; write it below `env:`'],
    ['a "$x"', '3: has a $ in double quotes, where a shell expands it; write it in single quotes, or [sh, -c, "…"]'],
    ['a "b', '2: has a quote " that is not closed; close it, or write \\"'],
    ["a 'b", "2: has a quote ' that is not closed; close it, or write \\'"],
    ['a \\', '2: ends with a backslash; write \\\\ for one'],
    ['~/bin/a', '0: begins a word with ~, which is not expanded; write the whole path'],
    ['a ~root', '2: begins a word with ~, which is not expanded; write the whole path'],
    ['a # b', '2: has an unquoted # that begins a word, a comment to a shell; quote it'],
    ['a\nb', `1: has a second line; ${SHELL}`],
    ['', '0: is empty; write a program and its arguments'],
    ['  ', '0: is empty; write a program and its arguments'],
  ])('is refused, with the character at fault: %j', (text, problem) => expect(split(text)).toBe(problem));

  it('comes back from any words that were quoted', () => {
    const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
    const words = fc.array(fc.string(), { minLength: 1 });
    fc.assert(
      fc.property(words, (all) => {
        expect(split(all.map(quoted).join(' '))).toEqual(all);
      }),
    );
  });

  it('never makes it throw', () => {
    const nasty = fc.string({ unit: fc.constantFrom(...'ab =~#$"\'\\`|\n\t'), maxLength: 30 });
    fc.assert(fc.property(fc.oneof(nasty, fc.string({ unit: 'binary' })), (text) => void splitWords(text)));
  });
});
