import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Piece, RuntimeWatch } from './runtime-watch.js';

let home: string;
let path: string;
let watch: RuntimeWatch;

const DEADLINE = { timeout: 20_000, interval: 10 };

/** Watches a journal that is made anew at once, and a lock of which the test decides how. */
function begin(renewLock: (make: () => void) => void | Promise<void>): string[] {
  const said: string[] = [];
  const piece = (name: string, renew: Piece['renew']): Piece => ({
    name,
    isInPlace: () => existsSync(join(path, name)),
    renew,
  });
  const make = (name: string): void => writeFileSync(join(path, name), '');
  for (const name of ['journal', 'lock']) make(name);
  watch = new RuntimeWatch({
    path,
    pieces: [piece('journal', () => make('journal')), piece('lock', () => renewLock(() => make('lock')))],
    makeDirectory: () => mkdirSync(path, { recursive: true }),
    say: (text) => said.push(text),
    report: (problem) => said.push(problem),
  });
  watch.begin();
  return said;
}

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'upkeep-watch-'));
  path = join(home, 'run');
  mkdirSync(path);
});

afterEach(() => {
  watch.close();
  rmSync(home, { recursive: true, force: true });
});

it('makes anew what somebody removes, the directory too, and says so once', async () => {
  const said = begin((make) => make());
  rmSync(path, { recursive: true });
  await vi.waitFor(() => expect(said).toHaveLength(1), DEADLINE);
  expect(said[0]).toContain('somebody removed the directory, journal, lock of');
  for (const name of ['journal', 'lock']) expect(existsSync(join(path, name))).toBe(true);
});

it('makes anew what somebody removes while it makes another piece', async () => {
  const steps: (() => void)[] = [];
  const said = begin(
    (make) =>
      new Promise((resolve) => {
        steps.push(() => {
          make();
          resolve();
        });
      }),
  );
  rmSync(join(path, 'lock'));
  await vi.waitFor(() => expect(steps).toHaveLength(1), DEADLINE);
  rmSync(join(path, 'journal'));
  // As long as it takes until it was told of that, whatever it makes of it.
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(said).toEqual([]);
  steps[0]?.();
  await vi.waitFor(() => expect(existsSync(join(path, 'journal'))).toBe(true), DEADLINE);
});

it('tells once of what cannot be made, and makes it when that is possible', async () => {
  let [tries, disk] = [0, 'full'];
  const said = begin((make) => {
    tries += 1;
    // As a journal that finds the disk full: it tells nobody, and leaves the directory changed.
    writeFileSync(join(path, 'lock.new'), '');
    rmSync(join(path, 'lock.new'));
    if (disk === 'free') make();
  });
  rmSync(join(path, 'lock'));
  await vi.waitFor(() => expect(said).toHaveLength(1), DEADLINE);
  expect(said[0]).toContain('somebody removed lock of');
  expect(said[0]).toContain('cannot be made anew');
  // Its own tries are not told to it as something new.
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(tries).toBe(1);
  disk = 'free';
  await vi.waitFor(() => expect(existsSync(join(path, 'lock'))).toBe(true), DEADLINE);
});
