import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { claimDirectory } from './claim.js';

let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'upkeep-claim-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

it('one holds a directory, the next is told who, and it is free again at the end', () => {
  const claim = claimDirectory(directory);
  expect(() => claimDirectory(directory)).toThrow(
    `another keeper runs already (pid ${process.pid}); it holds ${directory}`,
  );
  claim.release();
  claimDirectory(directory).release();
});

it('a directory that was removed and made again is another one, and can be held', () => {
  const path = join(directory, 'state');
  mkdirSync(path);
  const claim = claimDirectory(path);
  expect(claim.isInPlace()).toBe(true);
  rmSync(path, { recursive: true });
  expect(claim.isInPlace()).toBe(false);
  mkdirSync(path);
  const next = claimDirectory(path);
  expect(next.isInPlace()).toBe(true);
  next.release();
  claim.release();
});
