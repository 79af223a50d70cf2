import { describe, expect, it } from 'vitest';
import type { Channel } from '../core/notice-spec.js';
import { millis } from '../core/time.js';
import { deadlineOf } from './letter-deadline.js';

const command = (timeout: number | null): Channel => ({
  type: 'exec',
  command: { argv: ['/bin/page'], timeout: timeout === null ? null : millis(timeout), user: null },
});

describe('the deadline of a letter', () => {
  it('is a minute, and for a command a little more than its own', () => {
    expect(deadlineOf({ type: 'file', path: '/a' })).toBe(60_000);
    expect(deadlineOf(undefined)).toBe(60_000);
    expect(deadlineOf(command(10_000))).toBe(60_000);
    expect(deadlineOf(command(120_000))).toBe(125_000);
  });

  it('is bounded also for a command without one', () => {
    expect(deadlineOf(command(null))).toBe(605_000);
    expect(deadlineOf(command(86_400_000))).toBe(605_000);
  });
});
