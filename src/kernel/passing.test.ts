import { expect, it } from 'vitest';
import { millis } from '../core/time.js';
import { passing } from './passing.js';

const given = [
  { fd: 40, name: 'http' },
  { fd: 12, name: 'admin' },
];

it('gives what is held from 3 on, by name, and the pid to whom it is meant', () => {
  expect(passing({ watchdog: null }, given, null)).toEqual({
    passed: [
      { fd: 40, as: 3 },
      { fd: 12, as: 4 },
    ],
    env: { LISTEN_FDS: '2', LISTEN_FDNAMES: 'http:admin' },
    ownPid: ['LISTEN_PID'],
  });
});

it('says nothing of descriptors where there are none, and of a watchdog where there is one', () => {
  expect(passing({ watchdog: null }, [], null)).toEqual({ passed: [], env: {}, ownPid: [] });
  expect(passing({ watchdog: millis(1000) }, [], { fd: 9, as: 3 })).toEqual({
    passed: [{ fd: 9, as: 3 }],
    env: {},
    ownPid: ['WATCHDOG_PID'],
  });
  expect(passing({ watchdog: millis(1000) }, given, null).ownPid).toEqual(['LISTEN_PID', 'WATCHDOG_PID']);
});

it('refuses a `ready: {fd}` that is a number of theirs', () => {
  expect(() => passing({ watchdog: null }, given, { fd: 9, as: 4 })).toThrow(
    'its `ready: {fd: 4}` is the number of a descriptor that is held for it: write 5, or one above',
  );
  expect(passing({ watchdog: null }, given, { fd: 9, as: 5 }).passed).toHaveLength(3);
});
