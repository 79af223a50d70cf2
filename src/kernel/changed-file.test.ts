import { closeSync, mkdtempSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { whenChanged } from './changed-file.js';
import { prlimit } from './syscalls.js';

let path: string;
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'upkeep-changed-')), 'file');
});
afterEach(() => rmSync(join(path, '..'), { recursive: true }));

it('reads a file again only when it has changed, or is another one', () => {
  const parsed: string[] = [];
  const read = whenChanged(path, (text) => parsed.push(text) && text);
  expect(read()).toBe('');
  writeFileSync(path, 'one');
  expect([read(), read()]).toEqual(['one', 'one']);
  writeFileSync(`${path}.new`, 'two');
  renameSync(`${path}.new`, path);
  expect(read()).toBe('two');
  rmSync(path);
  expect(read()).toBe('');
  expect(parsed).toEqual(['', '', 'one', 'two', '']);
});

it('keeps what it knew while there is no descriptor to read with', () => {
  writeFileSync(path, 'one');
  const read = whenChanged(path, (text) => text);
  expect(read()).toBe('one');
  writeFileSync(path, 'another');
  const own = prlimit(0, 7, null);
  const hoard: number[] = [];
  prlimit(0, 7, { soft: 128, hard: own.hard });
  try {
    for (;;) hoard.push(openSync('/dev/null', 'r'));
  } catch {
    expect(read()).toBe('one');
  } finally {
    for (const fd of hoard) closeSync(fd);
    prlimit(0, 7, own);
  }
  expect(read()).toBe('another');
});
