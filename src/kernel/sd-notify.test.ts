import { describe, expect, it } from 'vitest';
import { notifyAddress, SdNotify, watchdogPeriod } from './sd-notify.js';

describe('the address in NOTIFY_SOCKET', () => {
  it('is a path with a zero byte at its end', () => {
    expect(notifyAddress('/run/n')?.toString('latin1')).toBe('\x01\0/run/n\0');
  });

  it('is abstract behind an @, exactly as long as its name', () => {
    expect(notifyAddress('@n/1')?.toString('latin1')).toBe('\x01\0\0n/1');
  });

  it.each(['', '@', 'relative', 'vsock:2:1', `/${'x'.repeat(107)}`])('is none in %s', (text) => {
    expect(notifyAddress(text)).toBeNull();
  });
});

describe('the watchdog of whoever started us', () => {
  it('is told twice in each of its periods', () => {
    expect(watchdogPeriod({ WATCHDOG_USEC: '30000000' }, 7)).toBe(15_000);
    expect(watchdogPeriod({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '7' }, 7)).toBe(15_000);
  });

  it.each([
    ['is for another process', { WATCHDOG_USEC: '30000000', WATCHDOG_PID: '8' }],
    ['is off', {}],
    ['is 0', { WATCHDOG_USEC: '0' }],
    ['is infinite', { WATCHDOG_USEC: '18446744073709551615' }],
    ['is no number', { WATCHDOG_USEC: '30s' }],
  ])('is not told anything when it %s', (_what, environment) => {
    expect(watchdogPeriod(environment, 7)).toBeNull();
  });
});

it('nobody is told anything where there is no socket', () => {
  const notify = new SdNotify({});
  notify.ready();
  notify.status('keeping 1 service');
  expect(notify.isHeard).toBe(false);
});
