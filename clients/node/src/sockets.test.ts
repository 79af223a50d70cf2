import { expect, it } from 'vitest';
import { socketsIn } from './sockets.js';

const env = (more: Record<string, string>): NodeJS.ProcessEnv => ({ LISTEN_FDS: '2', LISTEN_PID: '7', ...more });

it('sockets are the descriptors from 3 on, by their names (1.6, B1)', () => {
  expect(socketsIn(env({ LISTEN_FDNAMES: 'http:admin' }), 7)).toEqual([
    { name: 'http', fd: 3 },
    { name: 'admin', fd: 4 },
  ]);
});

it('sockets without names are called unknown; names may repeat and be empty', () => {
  expect(socketsIn(env({}), 7).map(({ name }) => name)).toEqual(['unknown', 'unknown']);
  expect(socketsIn(env({ LISTEN_FDNAMES: 'a:a' }), 7).map(({ name }) => name)).toEqual(['a', 'a']);
  expect(socketsIn(env({ LISTEN_FDNAMES: ':' }), 7).map(({ name }) => name)).toEqual(['', '']);
});

it('sockets that are meant for another process are none (B2)', () => {
  expect(socketsIn(env({}), 8)).toEqual([]);
  expect(socketsIn({ LISTEN_FDS: '2' }, 7)).toEqual([]);
  for (const number of ['', '-1', '2x', '1e3']) expect(socketsIn(env({ LISTEN_FDS: number }), 7)).toEqual([]);
  expect(socketsIn(env({ LISTEN_FDS: '0' }), 7)).toEqual([]);
});

it('another number of names than of sockets is an error, and not the wrong sockets (B2)', () => {
  expect(() => socketsIn(env({ LISTEN_FDNAMES: 'http' }), 7)).toThrow(/1 names and LISTEN_FDS says 2/);
  expect(() => socketsIn(env({ LISTEN_FDNAMES: 'a:b:c' }), 7)).toThrow(/3 names/);
});
