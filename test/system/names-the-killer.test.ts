// The promise: a death says who did it, where the kernel tells, and says nothing of it where the kernel does not.

import { spawn, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { type Home, newHome } from '../support/keeper.js';
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

/** Those of this keeper, and how many there are: the machine has others. */
const instancesOf = (home: Home): readonly string[] => {
  const [program = '', ...rest] = words(withTracefs(), 'ls', '/sys/kernel/tracing/instances');
  const { stdout } = spawnSync(program, rest, { encoding: 'utf8' });
  return stdout.split('\n').filter((name) => name.startsWith(`upkeep.${encodeURIComponent(home.at('run'))}`));
};

describe.skipIf(!canTrace)('the place of a keeper in the kernel', () => {
  it('is found by the next one when it was killed, with the killer of what died meanwhile, and is gone at the end', async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP } });
    const first = await home.start([], { before: withTracefs() });
    const before = await home.running('web');
    expect(instancesOf(home)).toHaveLength(1);
    process.kill((await home.status()).keeper.pid, 'SIGKILL');
    await first.ended;
    expect(instancesOf(home)).toHaveLength(1);
    const killer = spawn('/bin/bash', ['-c', 'kill -9 "$1"; sleep 1; :', 'bash', String(before)], { stdio: 'ignore' });
    await new Promise((resolve) => killer.once('exit', resolve));
    const second = await home.start([], { before: withTracefs() });
    await home.running('web', before);
    expect((await home.service('web')).lastDeath?.by).toMatchObject({
      pid: killer.pid,
      name: 'bash',
      // Seen, if whoever reaps orphans has not taken the end away yet.
      grade: expect.stringMatching(/^(inferred|seen)$/),
    });
    expect(instancesOf(home)).toHaveLength(1);
    await home.upkeep('shutdown');
    await second.ended;
    expect(instancesOf(home)).toEqual([]);
  });
});

describe('a service that ended by a fault of its own', () => {
  it('says what fault and, where the kernel’s log is for us, in what; a code is no signal (monitors 33)', async () => {
    const home = newHome();
    const faulty = `sleep 0.5; ulimit -c 0; exec perl -e 'my $x = unpack("P1", pack("J", 1))'`;
    const restart = { when: 'never' };
    home.configure({
      faulty: { run: ['sh', '-c', faulty], restart },
      coded: { run: ['sh', '-c', 'sleep 0.5; exit 139'], restart },
    });
    await home.start([], { before: canTrace ? withTracefs() : [] });
    const textOf = async (name: string): Promise<string> => (await home.service(name)).lastDeath?.text ?? '';
    await home.until('both are dead', async () => (await textOf('faulty')) !== '' && (await textOf('coded')) !== '');
    expect(await textOf('faulty')).toMatch(/^killed by SIGSEGV(: segfault( at 0x1 in \S+)?)?$/);
    if (canTrace) expect(await textOf('faulty')).toContain(': segfault');
    expect(await textOf('coded')).toBe('exited with code 139');
    await home.upkeep('shutdown');
  });

  it('is told without what the kernel’s log would have said, where that is switched off', async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP } });
    await home.start([], { env: { UPKEEP_WITHOUT: 'tracefs,kmsg' } });
    expect((await home.status()).keeper.without).toEqual(expect.arrayContaining(['tracefs', 'kmsg']));
    await home.upkeep('shutdown');
  });
});

const container = withTracefs('--pid', '--fork', '--kill-child', '--mount-proc');

describe.skipIf(!works(container))('a keeper in a container', () => {
  it('does not believe the numbers of the host, and says what is missing', async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP } });
    await home.start([], { before: container });
    expect((await home.status()).keeper.without).toEqual(expect.arrayContaining(['tracefs', 'kmsg']));
  });
});
