// The keeper's own directories, read-only or full, at the worst moment: services come back, are not started twice, and what
// could not be written is told and written later.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { forgetEverything, inState, Keeper, status, upkeep, writeConfig } from '../support/sandbox-keeper.js';
import { isAlive, run, until } from '../support/sandbox-machine.js';

const CONFIG = `
defaults: { ready: { alive: 200ms } }
services:
  a: { run: /usr/bin/sleep infinity }
  b: { run: /usr/bin/sleep infinity }
`;

let keeper: Keeper | null = null;
let mounted: string[] = [];

function mountSmall(directory: string): void {
  mkdirSync(directory, { recursive: true });
  const done = run('mount', ['-t', 'tmpfs', '-o', 'size=2m,mode=755', 'tmpfs', directory]);
  expect(done.code, done.stderr).toBe(0);
  mounted.push(directory);
}

/** As a kernel does it after an error of the disk: also under a file that is open to be written, as the history is. */
function makeReadOnly(directory: string): void {
  const bound = run('mount', ['--bind', '-o', 'ro', directory, directory]);
  expect(bound.code, bound.stderr).toBe(0);
}

function makeWritable(directory: string): void {
  const done = run('mount', ['-o', 'remount,bind,rw', directory]);
  expect(done.code, done.stderr).toBe(0);
}

const pidOf = async (name: string): Promise<number> => (await inState(name, 'running')).process?.pid ?? 0;

async function killed(name: string): Promise<number> {
  const old = await pidOf(name);
  process.kill(old, 'SIGKILL');
  await until(`${name} is another process`, () => {
    const now = status(name);
    return now.state === 'running' && now.process !== null && now.process.pid !== old && isAlive(now.process.pid);
  });
  return pidOf(name);
}

const sleepers = (): number => Number(run('pgrep', ['-fcx', '/usr/bin/sleep infinity']).stdout);

beforeEach(() => {
  forgetEverything();
  writeConfig(CONFIG);
});

afterEach(async () => {
  try {
    await keeper?.stop();
  } finally {
    keeper = null;
    for (const directory of mounted) spawnSync('umount', ['-l', directory]);
    mounted = [];
    forgetEverything();
  }
});

describe('a read-only state directory', () => {
  it('costs no service anything, over a death of the keeper too, and operators’ words are written when they can be', async () => {
    mountSmall('/var/lib/upkeep');
    keeper = await Keeper.start();
    const a = await pidOf('a');
    await pidOf('b');
    makeReadOnly('/var/lib/upkeep');
    expect(upkeep('stop', 'b', '--reason', 'disk').code).toBe(0);
    await keeper.stop('SIGKILL');
    keeper = await Keeper.start();
    expect(await pidOf('a')).toBe(a);
    expect((await inState('b', 'stopped')).desired).toBe('down');
    await killed('a');
    expect(upkeep('stop', 'b').code).toBe(0);
    makeWritable('/var/lib/upkeep');
    expect(upkeep('hold', 'a', '--reason', 'so that there is a word to write').code).toBe(0);
    await until(
      'the words are on the disk',
      () =>
        existsSync('/var/lib/upkeep/words.json') &&
        /"a":.*"b":|"b":.*"a":/s.test(readFileSync('/var/lib/upkeep/words.json', 'utf8')),
    );
  });
});

describe('a runtime directory that is full when the keeper is killed', () => {
  it('leaves what was recorded before: nothing is started twice, and what died meanwhile comes back', async () => {
    mountSmall('/run/upkeep');
    keeper = await Keeper.start();
    await pidOf('a');
    const b = await pidOf('b');
    run('dd', ['if=/dev/zero', 'of=/run/upkeep/filler', 'bs=4096', 'status=none']);
    // Recorded in memory only: the file has room for some of it, or for nothing.
    for (let round = 0; round < 3; round += 1) await killed('a');
    const now = await pidOf('a');
    expect(upkeep('status', '--keeper').stdout).toMatch(/journal cannot be written/);
    await keeper.stop('SIGKILL');
    keeper = await Keeper.start();
    expect(await pidOf('b')).toBe(b);
    await pidOf('a');
    // The newest life of `a` is not in the journal: it is found by what it carries, and not started beside.
    expect(await pidOf('a')).toBe(now);
    expect(sleepers()).toBe(2);
    rmSync('/run/upkeep/filler');
    await killed('a');
    await until('the journal is whole again', () => !/journal cannot/.test(upkeep('status', '--keeper').stdout));
    expect(sleepers()).toBe(2);
  });
});
