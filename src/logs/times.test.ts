import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { offsetSince, parseTimes, readBase, timeAt, timesHeader, timesLine } from './times.js';

const entries = [
  { offset: 100, wall: 1_000 },
  { offset: 250, wall: 2_000 },
  { offset: 300, wall: 5_000 },
];

describe('the index of times', () => {
  it('gives a byte the time of the first look that found it', () => {
    expect(timeAt(entries, 0)).toBe(1_000);
    expect(timeAt(entries, 99)).toBe(1_000);
    expect(timeAt(entries, 100)).toBe(2_000);
    expect(timeAt(entries, 299)).toBe(5_000);
  });

  it('knows no time for what is younger than itself', () => {
    expect(timeAt(entries, 300)).toBeNull();
    expect(timeAt([], 0)).toBeNull();
  });

  it('finds where to read from for a time, never too late', () => {
    expect(offsetSince(entries, 0)).toBe(0);
    expect(offsetSince(entries, 1_500)).toBe(100);
    expect(offsetSince(entries, 2_000)).toBe(100);
    expect(offsetSince(entries, 9_000)).toBe(300);
    expect(offsetSince([], 9_000)).toBe(0);
  });

  it('passes over torn and damaged lines and keeps the others', () => {
    const text = `${timesHeader(50)}100 1000\n1x0 2000\n250 20\u000000\n\n90 3000\n300 5000\n400 60`;
    expect(parseTimes(text)).toEqual({
      base: 50,
      entries: [
        { offset: 100, wall: 1000 },
        { offset: 300, wall: 5000 },
      ],
    });
  });

  it('is no index without its first line', () => {
    expect(parseTimes('100 1000\n')).toBeNull();
    expect(readBase('upkeep-times 2 0\n')).toBeNull();
    expect(readBase('upkeep-times 1 12')).toBeNull();
    expect(readBase(timesHeader(12))).toBe(12);
  });

  it('reads back what it writes, and never dates a byte before an older one', () => {
    const steps = fc.array(
      fc.record({ bytes: fc.integer({ min: 1, max: 9_999 }), ms: fc.integer({ min: 0, max: 9_999 }) }),
    );
    fc.assert(
      fc.property(steps, fc.nat(), (grown, base) => {
        let offset = base;
        let wall = 1_700_000_000_000;
        const written = grown.map(({ bytes, ms }) => {
          offset += bytes;
          wall += ms;
          return { offset, wall };
        });
        const times = parseTimes(timesHeader(base) + written.map(timesLine).join(''));
        expect(times).toEqual({ base, entries: written });
        for (const entry of written) {
          expect(timeAt(written, entry.offset - 1)).toBe(entry.wall);
          expect(offsetSince(written, entry.wall)).toBeLessThan(entry.offset);
        }
      }),
    );
  });
});
