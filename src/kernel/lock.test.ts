import { spawnSync } from 'node:child_process';
import {
  chownSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { takeLock } from './lock.js';

let path: string;
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'upkeep-lock-')), 'lock');
});
afterEach(() => rmSync(join(path, '..'), { recursive: true }));

it('is had by one at a time; the second is told who, and touches nothing (supervisors 34)', () => {
  const lock = takeLock(path);
  const written = [readFileSync(path, 'utf8'), statSync(path).mtimeMs];
  expect(written[0]).toBe(`${process.pid}\n`);
  expect(() => takeLock(path)).toThrow(`(pid ${process.pid}); it holds ${path}`);
  expect([readFileSync(path, 'utf8'), statSync(path).mtimeMs]).toEqual(written);
  lock.release();
  takeLock(path).release();
});

it('is taken from who was killed, whatever its file says', () => {
  writeFileSync(path, '1\n');
  const lock = takeLock(path);
  expect(readFileSync(path, 'utf8')).toBe(`${process.pid}\n`);
  lock.release();
});

it('keeps out a process that is no child of ours', () => {
  const lock = takeLock(path);
  expect(spawnSync('/usr/bin/flock', ['-n', path, 'true']).status).toBe(1);
  lock.release();
  expect(spawnSync('/usr/bin/flock', ['-n', path, 'true']).status).toBe(0);
});

it('follows no link that somebody laid there', () => {
  symlinkSync('/dev/null', path);
  expect(() => takeLock(path)).toThrow(/ELOOP/);
});

it.skipIf(process.geteuid?.() !== 0)('refuses a file of somebody else’s, and says what would do', () => {
  writeFileSync(path, '');
  chownSync(path, 65534, 65534);
  expect(() => takeLock(path)).toThrow(`${path} belongs to uid 65534; remove it, or run as its owner`);
});

it('was free at no instant when its descriptor is handed on', () => {
  const lock = takeLock(path);
  const next = takeLock(path, lock.fd);
  expect(next.fd).toBe(lock.fd);
  expect(readFileSync(path, 'utf8')).toBe(`${process.pid}\n`);
  next.release();
});

it('is not believed to be held by a descriptor that is another file, another opening, or none', () => {
  const lock = takeLock(path);
  const [other, opened] = [openSync('/dev/null', 'r'), openSync(path, 'r')];
  for (const fd of [other, opened, 9999]) expect(() => takeLock(path, fd)).toThrow('another keeper runs already');
  lock.release();
  const taken = takeLock(path, other);
  expect(taken.fd).not.toBe(other);
  taken.release();
  closeSync(other);
  closeSync(opened);
});
