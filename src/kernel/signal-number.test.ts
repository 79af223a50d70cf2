import { expect, it } from 'vitest';
import { exitStatus, signalName, signalNumber } from './signal-number.js';

it('knows the signals of Linux by name and number, real-time ones from both ends', () => {
  const names = ['SIGTERM', 'SIGKILL', 'SIGRTMIN', 'SIGRTMIN+3', 'SIGRTMAX', 'SIGRTMAX-1'] as const;
  expect(names.map(signalNumber)).toEqual([15, 9, 34, 37, 64, 63]);
  expect([15, 9, 6, 34, 37, 64].map(signalName)).toEqual([
    'SIGTERM',
    'SIGKILL',
    'SIGABRT',
    'SIGRTMIN',
    'SIGRTMIN+3',
    'SIGRTMIN+30',
  ]);
});

it('knows no others', () => {
  const names = ['SIGFOO', 'SIGRTMIN+31', 'SIGRTMAX-31', 'SIGRTMIN-1', 'SIGRTMAX+1', 'SIG'] as const;
  for (const name of names) expect([name, signalNumber(name)]).toEqual([name, null]);
});

it('gives every number one name, which leads back to it', () => {
  for (let number = 1; number <= 64; number++) {
    if (number === 32 || number === 33) continue; // glibc's own
    expect([number, signalNumber(signalName(number))]).toEqual([number, number]);
  }
});

it('reads what wait(2) packs', () => {
  expect(exitStatus(0)).toEqual({ type: 'exited', code: 0 });
  expect(exitStatus(7 << 8)).toEqual({ type: 'exited', code: 7 });
  expect(exitStatus(255 << 8)).toEqual({ type: 'exited', code: 255 });
  expect(exitStatus(9)).toEqual({ type: 'signaled', signal: 'SIGKILL', coreDumped: false });
  expect(exitStatus(11 | 0x80)).toEqual({ type: 'signaled', signal: 'SIGSEGV', coreDumped: true });
  // 137 is a code, and never called a signal.
  expect(exitStatus(137 << 8)).toEqual({ type: 'exited', code: 137 });
});
