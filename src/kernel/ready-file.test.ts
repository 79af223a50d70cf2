import { appendFileSync, closeSync, mkdtempSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { serviceName } from '../core/spec.js';
import { ReadyFiles } from './ready-file.js';

const [web, db] = [serviceName('web'), serviceName('db')];

let home: string;
let directory: string;
let files: ReadyFiles;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'upkeep-ready-'));
  directory = join(home, 'ready');
  files = new ReadyFiles(directory);
});

afterEach(() => {
  files.close();
  rmSync(home, { recursive: true, force: true });
});

it('hears of a newline that is written while it waits, and of no other byte', async () => {
  const fd = files.make(web);
  const ready = vi.fn();
  files.await(web, ready);
  writeSync(fd, 'loading');
  // Another service's word shows that what was written before it has been looked at.
  closeSync(files.make(db));
  const other = vi.fn();
  files.await(db, other);
  appendFileSync(join(directory, 'db'), '\n');
  await vi.waitFor(() => expect(other).toHaveBeenCalledOnce(), { timeout: 20_000 });
  expect(ready).not.toHaveBeenCalled();
  writeSync(fd, '\n');
  await vi.waitFor(() => expect(ready).toHaveBeenCalledOnce(), { timeout: 20_000 });
  closeSync(fd);
});

it('hears of it in a directory that was made anew while somebody waited in the old one', async () => {
  closeSync(files.make(web));
  files.await(web, () => {});
  rmSync(directory, { recursive: true });
  const fd = files.make(db);
  const ready = vi.fn();
  files.await(db, ready);
  // The look that follows the call at once is over: from here on only a watch can tell.
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  writeSync(fd, '\n');
  await vi.waitFor(() => expect(ready).toHaveBeenCalledOnce(), { timeout: 20_000 });
  closeSync(fd);
});
