import { expect, it } from 'vitest';
import { coreDumpIn, type Dumped } from './core-dump.js';

const dumped: Dumped = {
  ...{ pid: 812, signal: 'SIGSEGV', name: 'node', uid: 33, gid: 34 },
  ...{ exe: '/usr/bin/node', cwd: '/srv/web', seconds: 1_790_000_000 },
};
const gone: Dumped = { ...dumped, name: null, uid: null, gid: null, exe: null, cwd: null, seconds: null };
const path = (pattern: string, usesPid = false, who = dumped) => coreDumpIn(pattern, usesPid, 'web1', who)?.path;

it('is in the directory where the process worked, with its number where the kernel adds it', () => {
  expect(path('core')).toBe('/srv/web/core');
  expect(path('core', true)).toBe('/srv/web/core.812');
  expect(path('core.%p', true)).toBe('/srv/web/core.812');
  expect(path('core.%%p', true)).toBe('/srv/web/core.%p.812');
  expect(path('core', false, { ...dumped, cwd: '/' })).toBe('/core');
});

it('has the name that the pattern gives it', () => {
  expect(path('/var/crash/%e-%f.%p.%u.%g.%s.%t.%h%x%')).toBe('/var/crash/node-node.812.33.34.11.1790000000.web1');
  expect(path('/c/%E')).toBe('/c/!usr!bin!node');
  expect(path('/c/%e', false, { ...dumped, name: '../x' })).toBe('/c/..!x');
  expect(path('/c/%e', false, { ...dumped, name: '..' })).toBe('/c/!.');
});

it('has a star for what nobody knows, and no directory that nobody saw', () => {
  expect(path('core.%e.%p', false, gone)).toBe('core.*.812');
  expect(path('/c/%u.%t.%i', false, gone)).toBe('/c/*.*.*');
});

it('was given to a program, or was not written at all', () => {
  const handler = coreDumpIn('|/usr/lib/systemd/systemd-coredump %P %u', false, 'web1', dumped);
  expect(handler).toEqual({ path: null, handler: 'systemd-coredump' });
  expect(coreDumpIn('@/run/coredump.socket', false, 'web1', dumped)).toEqual({
    path: null,
    handler: 'coredump.socket',
  });
  expect(coreDumpIn('', true, 'web1', dumped)).toBeNull();
});
