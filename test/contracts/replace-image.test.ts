// The kernel's side of an upgrade: what execve through koffi keeps and what it does not.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../support/image-that-replaces-itself.mjs', import.meta.url));

const replaceBy = (program: string) =>
  spawnSync(process.execPath, [PROGRAM, program], { encoding: 'utf8', timeout: 30_000, killSignal: 'SIGKILL' });

it('a replaced program has the pid, the children, the standard descriptors and what was to be kept, and nothing else', () => {
  const { stdout, stderr, signal } = replaceBy('/bin/sh');
  expect(stderr).toBe('');
  const said = new Map(
    stdout.split('\n').map((line) => [line.split(' ')[0], line.split(' ').slice(1).join(' ').trim()]),
  );
  expect(said.get('pid')).toBe(said.get('was'));
  expect(said.get('parent')).toBe(said.get('was'));
  expect(said.get('args')).toBe('it ä b c');
  expect(said.get('env')).toBe('grüß');
  expect(said.get('files')).toBe('/proc/version');
  // Handled before, and at its default now.
  expect(signal).toBe('SIGHUP');
});

it.each([
  ['/nonexistent/node', 'ENOENT'],
  ['/etc', 'EACCES'],
])('a program that cannot be executed (%s) leaves everything as it was', (program, errno) => {
  const { stdout, status } = replaceBy(program);
  expect(stdout).toMatch(
    new RegExp(`^was \\d+\nexecve ${program}: ${errno}; 1 kept, close-on-exec 1 /proc/version\n$`),
  );
  expect(status).toBe(0);
});
