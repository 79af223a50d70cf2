import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Line, LineSplitter, LONGEST_PIECE } from './line.js';

function split(chunks: readonly Buffer[]): Line[] {
  const splitter = new LineSplitter();
  const lines: Line[] = [];
  let start = 0;
  for (const bytes of chunks) {
    lines.push(...splitter.add({ start, bytes }));
    start += bytes.length;
  }
  return [...lines, ...splitter.rest()];
}

const join = (lines: readonly Line[]): Buffer =>
  Buffer.concat(lines.map((line) => Buffer.concat([line.bytes, Buffer.from(line.ends === 'newline' ? '\n' : '')])));

describe('splitting into lines', () => {
  it('keeps a last line without newline (supervisors 37)', () => {
    expect(split([Buffer.from('a\nb')]).map(({ bytes, ends }) => [String(bytes), ends])).toEqual([
      ['a', 'newline'],
      ['b', 'open'],
    ]);
  });

  it('hands a line longer than a piece on in pieces, with a bound on what it holds (supervisors 37)', () => {
    const long = Buffer.alloc(2.5 * LONGEST_PIECE, 'x');
    const lines = split([long.subarray(0, 100), long.subarray(100), Buffer.from('\nnext\n')]);
    expect(lines.map(({ bytes, ends, start }) => [bytes.length, ends, start])).toEqual([
      [LONGEST_PIECE, 'more', 0],
      [LONGEST_PIECE, 'more', LONGEST_PIECE],
      [0.5 * LONGEST_PIECE, 'newline', 2 * LONGEST_PIECE],
      [4, 'newline', 2.5 * LONGEST_PIECE + 1],
    ]);
  });

  it('changes no byte and knows where each line began, however the chunks are cut', () => {
    const bytes = fc.array(fc.constantFrom('a', '\n', '\r', '\xff', 'bc', '\n\n'), { maxLength: 60 });
    fc.assert(
      fc.property(bytes, fc.array(fc.nat({ max: 10 })), (parts, cuts) => {
        const whole = Buffer.from(parts.join(''), 'latin1');
        const chunks: Buffer[] = [];
        let at = 0;
        for (const cut of cuts) {
          chunks.push(whole.subarray(at, at + cut));
          at += cut;
        }
        chunks.push(whole.subarray(at));
        const lines = split(chunks);
        expect(join(lines)).toEqual(whole);
        for (const line of lines)
          expect(whole.subarray(line.start, line.start + line.bytes.length)).toEqual(line.bytes);
      }),
    );
  });
});
