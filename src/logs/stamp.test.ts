import { describe, expect, it } from 'vitest';
import { stampOf } from './stamp.js';

const now = Date.parse('2026-01-15T12:00:00Z');
const stamp = (line: string): string | null => {
  const time = stampOf(Buffer.from(line), now);
  return time === null ? null : new Date(time).toISOString();
};
const local = (text: string): string => new Date(text).toISOString();

describe('the time that a daemon wrote before a line', () => {
  it('is read from ISO dates with and without zone', () => {
    expect(stamp('2026-01-10T10:00:00.123456+01:00 host sshd[1]: hello')).toBe('2026-01-10T09:00:00.123Z');
    expect(stamp('2026-01-10 10:00:00,5 INFO hello')).toBe(local('2026-01-10T10:00:00.500'));
    expect(stamp('2026/01/10 10:00:00 [error] 5#5: hello')).toBe(local('2026-01-10T10:00:00'));
  });

  it('is read from syslog and apache', () => {
    expect(stamp('Jan  9 10:00:00 host sshd[1]: hello')).toBe(local('2026-01-09T10:00:00'));
    expect(stamp('[Sat Jan 10 10:00:00.123456 2026] [mpm_event:notice] hello')).toBe(local('2026-01-10T10:00:00.123'));
    expect(stamp('192.0.2.1 - - [10/Jan/2026:10:00:00 +0200] "GET / HTTP/1.1" 200')).toBe('2026-01-10T08:00:00.000Z');
  });

  it('is of last year where this year it would lie in the future', () => {
    expect(stamp('Dec 31 23:59:59 host x: hello')).toBe(local('2025-12-31T23:59:59'));
  });

  it('is unknown where there is none', () => {
    expect(stamp('hello at 10:00')).toBeNull();
    expect(stamp('2026-99-99 10:00:00 hello')).toBeNull();
    expect(stamp('Foo 10 10:00:00 hello')).toBeNull();
    expect(stampOf(Buffer.from([0xff, 0xfe, 0]), now)).toBeNull();
  });
});
