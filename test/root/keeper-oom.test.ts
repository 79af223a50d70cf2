// The keeper itself is what the kernel ends for want of memory, in a small memory group: no service notices, and the next
// keeper says what happened to the one before. With the kernel's log, and without.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { copies, freshGround, keeperAfter, keeperNow, servicePids } from '../support/sandbox-installs.js';
import { CONFIG, Keeper, upkeep } from '../support/sandbox-keeper.js';
import { endAll, isAlive, run, until } from '../support/sandbox-machine.js';

const HIERARCHY = '/mnt/memory';
const GROUP = `${HIERARCHY}/upkeep-keeper-oom-${process.pid}`;
const KMSG = '/dev/kmsg';
/** Words in front of a keeper that is to live in the group. */
const INSIDE = ['sh', '-c', `echo $$ >${GROUP}/cgroup.procs && exec "$@"`, 'sh'];

mkdirSync(HIERARCHY, { recursive: true });
const hasMemory = run('mount', ['-t', 'cgroup', '-o', 'memory', 'memory', HIERARCHY]).code === 0;
// The sandbox has none of its own: it is the log of the whole machine.
const hasLog = run('sh', ['-c', `mknod ${KMSG} c 1 11 && dd if=${KMSG} of=/dev/null bs=8192 count=1`]).code === 0;
rmSync(KMSG, { force: true });

let keeper: Keeper | null = null;

/** A request whose body the keeper has to hold. */
function burden(): void {
  const asked = request({ socketPath: '/run/upkeep/control.sock', method: 'POST', path: '/v1/plan' });
  asked.on('error', () => {});
  asked.on('response', (answer) => answer.resume());
  asked.end(JSON.stringify({ file: 'x'.repeat(1_000_000) }));
}

/** Leaves it one mebibyte, and asks for more until the kernel ends it. */
async function starve(pid: number): Promise<void> {
  const usage = Number(readFileSync(`${GROUP}/memory.usage_in_bytes`, 'utf8'));
  writeFileSync(`${GROUP}/memory.limit_in_bytes`, String(usage + (1 << 20)));
  try {
    await until('the kernel ends the keeper', () => {
      for (let i = 0; i < 8; i += 1) burden();
      return !isAlive(pid);
    });
  } finally {
    writeFileSync(`${GROUP}/memory.limit_in_bytes`, '-1');
  }
}

/** What the keeper now says of the one before. */
function before(): { readonly pid: number; readonly cause: string; readonly grade: string; readonly text: string } {
  return JSON.parse(upkeep('status', '--keeper', '--json').stdout).before;
}

beforeAll(() => {
  if (hasMemory) mkdirSync(GROUP);
});

afterEach(async () => {
  rmSync(KMSG, { force: true });
  upkeep('stop', '--all');
  await keeper?.stop();
  keeper = null;
  await endAll('/usr/bin/sleep');
});

afterAll(async () => {
  if (existsSync(GROUP))
    await until('an empty group', () => {
      // The keeper makes groups of its own below the one it lives in.
      run('find', [GROUP, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', ';']);
      return !existsSync(GROUP);
    });
  spawnSync('umount', [HIERARCHY]);
});

describe.runIf(hasMemory)('a keeper that is ended for want of memory', () => {
  it('is known for that by the counter of its group, where the log of the kernel is not for our eyes', async () => {
    await freshGround();
    keeper = await Keeper.start({ before: INSIDE });
    const services = await servicePids();
    const old = keeperNow()?.pid ?? 0;
    await starve(old);
    keeper = await Keeper.start();
    expect(await servicePids()).toEqual(services);
    expect(copies()).toBe(2);
    const text = new RegExp(
      `the keeper before \\(pid ${old}\\) was probably killed by the kernel: its memory group /\\S*upkeep-keeper-oom-\\d+ ran out of memory; nobody was here for at most `,
    );
    expect(before()).toMatchObject({ pid: old, cause: 'oom', grade: 'inferred', text: expect.stringMatching(text) });
    await until('the word of it', () => text.test(keeper?.text ?? ''));
    expect(upkeep('status', '--keeper').stdout).toMatch(text);
  });

  it.runIf(hasLog)('is known for that by the log of the kernel, and its guard has brought it back', async () => {
    await freshGround();
    writeFileSync(CONFIG, `keeper: { guard: true }\n${readFileSync(CONFIG, 'utf8')}`);
    run('mknod', [KMSG, 'c', '1', '11']);
    keeper = await Keeper.start({ before: INSIDE });
    const services = await servicePids();
    const old = keeperNow()?.pid ?? 0;
    expect(old).not.toBe(keeper.pid);
    await starve(old);
    await keeperAfter(old, 60);
    expect(await servicePids()).toEqual(services);
    expect(copies()).toBe(2);
    const text = new RegExp(
      `the keeper before \\(pid ${old}\\) was killed by the kernel: out of memory \\(group /\\S*upkeep-keeper-oom-\\d+, \\d+ MB\\); nobody was here for about `,
    );
    expect(before()).toMatchObject({ pid: old, cause: 'oom', text: expect.stringMatching(text) });
    await until('the word of it', () => text.test(keeper?.text ?? ''));
  });
});
