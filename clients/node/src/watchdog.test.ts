import { expect, it } from 'vitest';
import { watchdogIn } from './watchdog.js';

it('the watchdog is told twice in its period (1.7)', () => {
  expect(watchdogIn({ WATCHDOG_USEC: '3000000' }, 7)).toBe(1500);
  expect(watchdogIn({ WATCHDOG_USEC: '3000000', WATCHDOG_PID: '7' }, 7)).toBe(1500);
  expect(watchdogIn({ WATCHDOG_USEC: '1000' }, 7)).toBe(1);
});

it('the watchdog of another process, and one that waits for ever, is none', () => {
  expect(watchdogIn({ WATCHDOG_USEC: '3000000', WATCHDOG_PID: '8' }, 7)).toBeNull();
  for (const usec of ['0', '18446744073709551615', '', '1s', '-5'])
    expect(watchdogIn({ WATCHDOG_USEC: usec }, 7)).toBeNull();
  expect(watchdogIn({}, 7)).toBeNull();
});
