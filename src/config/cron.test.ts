import { afterEach, describe, expect, it } from 'vitest';
import { wallTime } from '../core/time.js';
import { isCron, nextTime, parseCron } from './cron.js';

const ZONE = process.env.TZ;

/** The next times after that one, as they are in UTC. */
function times(zone: string, expression: string, after: string, count = 3): readonly string[] {
  process.env.TZ = zone;
  const found: string[] = [];
  let last = wallTime(Date.parse(after));
  while (found.length < count) {
    last = nextTime(expression, last) ?? wallTime(Number.NaN);
    found.push(new Date(last).toISOString().replace(':00.000Z', ''));
  }
  return found;
}

afterEach(() => {
  if (ZONE === undefined) delete process.env.TZ;
  else process.env.TZ = ZONE;
});

describe('a cron expression', () => {
  it('comes in local time', () => {
    expect(times('Europe/Berlin', '0 4 * * 0', '2026-11-20T00:00:00Z', 1)).toEqual(['2026-11-22T03:00']);
    expect(times('America/New_York', '0 4 * * 0', '2026-11-20T00:00:00Z', 1)).toEqual(['2026-11-22T09:00']);
  });

  it('comes once in the night in which its time is left out, at the end of the gap', () =>
    expect(times('Europe/Berlin', '30 2 * * *', '2026-03-28T12:00:00Z')).toEqual([
      '2026-03-29T01:00',
      '2026-03-30T00:30',
      '2026-03-31T00:30',
    ]));

  it('comes once in the night that has its time twice', () => {
    expect(times('Europe/Berlin', '30 2 * * *', '2026-10-24T12:00:00Z')).toEqual([
      '2026-10-25T00:30',
      '2026-10-26T01:30',
      '2026-10-27T01:30',
    ]);
    expect(times('Europe/Berlin', '30 2,14 * * *', '2026-10-24T12:30:00Z')).toEqual([
      '2026-10-25T00:30',
      '2026-10-25T13:30',
      '2026-10-26T01:30',
    ]);
  });

  it('that comes every so many minutes goes on through such a night', () =>
    expect(times('Europe/Berlin', '*/30 * * * *', '2026-10-25T00:15:00Z', 4)).toEqual([
      '2026-10-25T00:30',
      '2026-10-25T01:00',
      '2026-10-25T01:30',
      '2026-10-25T02:00',
    ]));

  it('of six fields has seconds, and the time that was asked for is not its own next', () => {
    expect(times('UTC', '30 0 * * * *', '2026-11-20T00:00:30Z', 1)).toEqual(['2026-11-20T01:00:30.000Z']);
    expect(times('UTC', '0 * * * *', '2026-11-20T00:00:00Z', 1)).toEqual(['2026-11-20T01:00']);
  });

  it('is told from a duration', () => {
    expect(['* * * * *', '@hourly', '61 * * *'].map(isCron)).toEqual([true, true, true]);
    expect(['30s', '1h30m', '30', 'none'].map(isCron)).toEqual([false, false, false, false]);
  });

  it('that is none never comes', () => {
    expect(nextTime('nonsense', wallTime(0))).toBeNull();
    expect(nextTime('0 0 30 2 *', wallTime(0))).toBeNull();
  });

  it.each([
    ['61 * * * *', 0, 'has "61" as its minute; it goes from 0 to 59, as in 5, 1-5, 1,3 or */2'],
    [
      '0 4 * * MOO',
      8,
      'has "MOO" as its day of the week; it goes from 0 to 7, or names like MON, as in 5, 1-5, 1,3 or */2',
    ],
    ['0 0 4 32 * *', 6, 'has "32" as its day of the month; it goes from 1 to 31, as in 5, 1-5, 1,3 or */2'],
    ['*/0 * * * *', 0, 'has "*/0" as its minute; it goes from 0 to 59, as in 5, 1-5, 1,3 or */2'],
  ])('names the field that is wrong in %s', (text, offset, problem) =>
    expect(parseCron(text)).toEqual({ type: 'bad', problem, offset }),
  );

  it.each([
    ['* * * *', /^has 4 fields; write five \(minute, /],
    ['@reboot', /^is unknown; write @hourly/],
    ['0 0 30 2 *', /^never comes/],
  ])('says what is wrong with %s', (text, problem) =>
    expect(parseCron(text)).toEqual({ type: 'bad', problem: expect.stringMatching(problem) }),
  );

  it.each(['0 4 * * 0', '*/5 8-18 * * MON-FRI', '@hourly', '0 0 29 2 *', '30 */5 * * * *', '0 0 L * *'])(
    'is right: %s',
    (text) => expect(parseCron(text)).toEqual({ type: 'ok', value: text }),
  );
});
