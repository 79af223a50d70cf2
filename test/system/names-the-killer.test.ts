// The promise: a death says who did it, where the kernel tells, and says nothing of it where the kernel does not.

import { spawn, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { newHome } from '../support/keeper.js';
import { withTracefs } from '../support/tracefs.js';

const SLEEP = ['sleep', '1000'];
const words = (before: readonly string[], ...command: readonly string[]): readonly string[] => [...before, ...command];
const works = (before: readonly string[]): boolean => {
  const [program = '', ...rest] = words(before, 'test', '-w', '/sys/kernel/tracing/instances');
  return spawnSync(program, rest).status === 0;
};
const canTrace = works(withTracefs());
if (!canTrace) console.warn('skipped: who sends a signal cannot be tested here (needs root and tracefs)');

describe.skipIf(!canTrace)('a service that somebody killed', () => {
  it('names the killer in the log, in status and in the JSON (monitors 33)', async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP } });
    const keeper = await home.start([], { before: withTracefs() });
    expect((await home.status()).keeper.without).not.toContain('tracefs');
    const before = await home.running('web');
    const killer = spawn('/bin/bash', ['-c', 'kill -9 "$1"; sleep 1; :', 'bash', String(before)], { stdio: 'ignore' });
    await home.running('web', before);
    const death = (await home.service('web')).lastDeath;
    expect(death?.by).toMatchObject({ pid: killer.pid, name: 'bash', grade: 'seen' });
    expect(Object.keys(death?.by ?? {})).toEqual(['pid', 'name', 'uid', 'user', 'grade']);
    const said = `killed by SIGKILL from bash (pid ${killer.pid}, ${death?.by?.user})`;
    expect(death?.text).toBe(said);
    await home.until('the log says it', () => keeper.said().includes(said));
    expect((await home.upkeep('status', 'web')).stdout).toContain(said);
    // In good order: the instance of a keeper that is killed waits in the kernel for the next one.
    await home.upkeep('shutdown');
    await keeper.ended;
  });

  it('names nobody for a stop that was asked of us', async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP } });
    const keeper = await home.start([], { before: withTracefs() });
    await home.running('web');
    await home.upkeep('stop', 'web');
    expect((await home.service('web')).lastDeath).toMatchObject({ cause: 'requested', by: null });
    await home.upkeep('shutdown');
    await keeper.ended;
  });
});

const container = withTracefs('--pid', '--fork', '--kill-child', '--mount-proc');

describe.skipIf(!works(container))('a keeper in a container', () => {
  it('does not believe the numbers of the host, and says what is missing', async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP } });
    await home.start([], { before: container });
    expect((await home.status()).keeper.without).toContain('tracefs');
  });
});
