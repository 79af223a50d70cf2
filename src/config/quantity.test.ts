import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { millis } from '../core/time.js';
import {
  durationText,
  type Parsed,
  parseBits,
  parseDuration,
  parsePercent,
  parseRate,
  parseSize,
  sizeText,
} from './quantity.js';

const answer = <T>(parsed: Parsed<T>): T | string => (parsed.type === 'ok' ? parsed.value : parsed.problem);

describe('a duration', () => {
  it.each([
    ['500ms', 500],
    ['5s', 5000],
    ['1h30m', 5_400_000],
    ['3d', 259_200_000],
    ['0s', 0],
    ['1m500ms', 60_500],
    ['2m', 120_000],
  ])('%s is %d ms', (text, ms) => expect(answer(parseDuration(text))).toBe(ms));

  it.each(['', '5', '-5s', '1.5s', '5 s', '5S', '30m1h', '5s5s', '5min', 's', 'none', '1e3s', '٣s'])(
    'is not %j',
    (text) => {
      expect(parseDuration(text).type).toBe('bad');
    },
  );

  it('is not longer than anybody lives', () => {
    expect(answer(parseDuration('99999999d'))).toBe('is longer than 100 years; write `none` where there is no end');
  });

  it('is the same after it was written out', () => {
    fc.assert(fc.property(fc.nat(1e12), (ms) => answer(parseDuration(durationText(millis(ms)))) === ms));
  });
});

describe('a size', () => {
  it.each([
    ['64K', 65_536],
    ['10M', 10_485_760],
    ['2G', 2_147_483_648],
    ['1T', 1_099_511_627_776],
    ['512', 512],
    ['0', 0],
  ])('%s is %d bytes', (text, bytes) => expect(answer(parseSize(text))).toBe(bytes));

  it.each([
    ['10k', 'is no size; write 10K'],
    ['10MB', 'is no size; write 10M'],
    ['10 MiB', 'is no size; write 10M'],
    ['1.5G', 'is no size; write one like 64K, 10M or 2G'],
    ['9999999T', 'is more than can be counted; write `none` where there is no limit'],
  ])('%s %s', (text, problem) => expect(answer(parseSize(text))).toBe(problem));

  it('is the same after it was written out', () => {
    fc.assert(fc.property(fc.nat(), (bytes) => answer(parseSize(sizeText(bytes))) === bytes));
  });
});

describe('a rate', () => {
  it('is a number in a time', () => expect(answer(parseRate('10 in 5m'))).toEqual({ count: 10, within: 300_000 }));

  it.each([
    ['10', 'is no rate; write one like 10 in 5m'],
    ['10/5m', 'is no rate; write one like 10 in 5m'],
    ['0 in 5m', 'is no rate; the number is from 1 to 1000000'],
    ['3 in 0s', 'is no rate; the time is longer than 0s'],
  ])('is not %s', (text, problem) => expect(answer(parseRate(text))).toBe(problem));
});

describe('percentages and permission bits', () => {
  it('are read', () => {
    expect([parsePercent('10%'), parsePercent('2.5%'), parsePercent('100%')].map(answer)).toEqual([0.1, 0.025, 1]);
    expect([parseBits('022'), parseBits('0640'), parseBits('777')].map(answer)).toEqual([0o022, 0o640, 0o777]);
  });

  it.each(['101%', '10', '-1%', '%'])('are not percentages: %s', (text) => expect(parsePercent(text).type).toBe('bad'));
  it.each(['22', '088', '1777', '0o22', '-22', 'u=rw'])('are not bits: %s', (text) =>
    expect(parseBits(text).type).toBe('bad'),
  );
});
