import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classNameOf, isTrue, namesIn, parseClassExpression } from './classes.js';

const set = new Set(['a', 'b', 'c', 'any']);
function value(text: string): boolean | string {
  const parsed = parseClassExpression(text);
  return parsed.type === 'bad'
    ? `${parsed.offset}: ${parsed.problem}`
    : isTrue(parsed.expression, (name) => set.has(name));
}

describe('a class expression', () => {
  it.each(['a|b.c', '!a|b', 'z.b|a', 'a.b|c', 'a&b', 'a & b', 'a || z', '(z|a).b', 'a.!z', '!(z|y)', 'any'])(
    'is true where cf-agent finds it true: %s',
    (text) => expect(value(text)).toBe(true),
  );

  it.each(['!a|z', '!(a|b)', '!z.z', '!any', 'A', '1a'])('is false where cf-agent finds it false: %s', (text) => {
    expect(value(text)).toBe(false);
  });

  it('binds ! closest, then and, then or', () => {
    expect(value('a|z.z')).toBe(true);
    expect(value('z.z|a')).toBe(true);
    expect(value('!z.a')).toBe(true);
    expect(value('!z|z')).toBe(true);
    expect(value('(a|z).z')).toBe(false);
  });

  it('takes && and !! and free white space', () => {
    expect(value('  a&&b\n||\tz ')).toBe(true);
    expect(value('!!a')).toBe(true);
    expect(value('! ( a | b ) . c')).toBe(false);
  });

  it.each([
    ['a b', '2: found `b` where an operator would stand'],
    ['a)', '1: found `)` where an operator would stand'],
    ['a-b', '1: found `-` in a class expression; names are of letters, digits and _, operators are . & | ! ( )'],
    ['a|||b', '3: found `|` where the name of a class would stand'],
    ['a..b', '2: found `.` where the name of a class would stand'],
    ['a.', '2: the class expression ends where the name of a class would stand'],
    ['(a', '2: the class expression ends where an operator or `)` would stand'],
    ['()', '1: found `)` where the name of a class would stand'],
    ['', '0: the class expression is empty; `any` is true everywhere'],
    ['web*', '3: found `*` in a class expression; names are of letters, digits and _, operators are . & | ! ( )'],
  ])('refuses what is left over or missing: %s', (text, problem) => expect(value(text)).toBe(problem));

  it('refuses deep nesting instead of ending the stack', () => {
    expect(value(`${'('.repeat(100_000)}a`)).toBe('50: parentheses are nested deeper than 50; use fewer');
    expect(value(`${'!'.repeat(100_000)}a`)).toBe(true);
  });

  it('names the classes that it speaks of, with their places', () => {
    const parsed = parseClassExpression('web|!(dns.x86_64)');
    expect(parsed.type === 'ok' && namesIn(parsed.expression)).toEqual([
      { name: 'web', offset: 0 },
      { name: 'dns', offset: 6 },
      { name: 'x86_64', offset: 10 },
    ]);
  });

  it('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab .&|!()-é*'), maxLength: 40 }), (text) => void value(text)),
    );
  });

  it('means the same as the same words in JavaScript', () => {
    const leaf = fc.constantFrom('a', 'b', 'z');
    const { tree } = fc.letrec<{ tree: string }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5 },
        leaf,
        fc.tuple(tie('tree'), tie('tree')).map(([l, r]) => `${l}&&${r}`),
        fc.tuple(tie('tree'), tie('tree')).map(([l, r]) => `${l}||${r}`),
        tie('tree').map((t) => `!(${t})`),
        tie('tree').map((t) => `(${t})`),
      ),
    }));
    fc.assert(
      fc.property(tree, (text) => {
        const oracle = new Function('a', 'b', 'z', `return ${text}`) as (a: boolean, b: boolean, z: boolean) => boolean;
        expect(value(text)).toBe(oracle(true, true, false));
      }),
    );
  });
});

describe('classNameOf', () => {
  it('makes every character that no class has an underscore', () => {
    expect(classNameOf('web-1.example.org')).toBe('web_1_example_org');
  });
});
