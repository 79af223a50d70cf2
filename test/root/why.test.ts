// What `upkeep why` says of ends that only root can bring about: by another user, for want of memory in a control group, and by
// a fault. In a PID namespace of its own nobody tells who sent a signal, and then it says so.

import { spawnSync } from 'node:child_process';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PostMortem, WhyDocument } from '../../src/core/why.js';
import { findMemoryV1Base } from '../../src/kernel/cgroup-mounts.js';
import { forgetEverything, inState, Keeper, status, upkeep, writeConfig } from '../support/sandbox-keeper.js';
import { run, until } from '../support/sandbox-machine.js';

const HIERARCHY = '/sys/fs/cgroup/memory';
run('mkdir', ['-p', HIERARCHY]);
const isMounted =
  findMemoryV1Base() === null && run('mount', ['-t', 'cgroup', '-o', 'memory', 'memory', HIERARCHY]).code === 0;

let keeper: Keeper | null = null;

beforeEach(() => forgetEverything());
afterEach(async () => {
  await keeper?.stop();
  keeper = null;
  forgetEverything();
});
afterAll(() => {
  if (isMounted) spawnSync('umount', [HIERARCHY]);
});

/** The post-mortem of the last end of this service, once the history has all of it; and the card for people. */
async function endOf(name: string): Promise<{ readonly postMortem: PostMortem; readonly card: string }> {
  const postMortem = await until(`what is known of the end of ${name}`, () => {
    const { services } = JSON.parse(upkeep('why', name, '--json').stdout) as WhyDocument;
    const [found] = services[0]?.postMortems ?? [];
    return found !== undefined && found.output !== null ? found : undefined;
  });
  return { postMortem, card: upkeep('why', name).stdout };
}

const gradesOf = ({ evidence }: PostMortem): ReadonlyMap<string, string> =>
  new Map(evidence.map(({ about, grade }) => [about, grade]));

describe('upkeep why', () => {
  it('of one that another user killed: the signal, and why nobody knows whose it was (monitors 33)', async () => {
    writeConfig('services:\n  web: { run: [sh, -c, "echo here; exec sleep infinity"], user: nobody }\n');
    keeper = await Keeper.start();
    const pid = (await inState('web', 'running')).process?.pid ?? 0;
    run('setpriv', ['--reuid=nobody', '--regid=nogroup', '--clear-groups', 'sh', '-c', `kill -9 ${pid}`]);
    await until('another process', () => status('web').process?.pid !== pid && status('web').state === 'running');
    const { postMortem, card } = await endOf('web');
    expect(postMortem.sentence).toMatch(/^web was killed by SIGKILL/);
    expect(postMortem.output).toEqual(['here']);
    expect(gradesOf(postMortem)).toEqual(new Map([...gradesOf(postMortem), ['status', 'seen'], ['sender', 'unknown']]));
    expect(card).toContain('who sent it is not known: without tracefs (needs root');
  });

  it('of one that took more memory than its group may: that it was memory, and whose word that is', async (context) => {
    const hog = 'my @all; for (1 .. 200) { push @all, "x" x 1_000_000 } sleep 1000';
    const run = ['sh', '-c', `echo hungry; sleep 1; exec /usr/bin/perl -e '${hog}'`];
    const restart = { limit: '1 in 5m', then: 'give-up' };
    writeConfig(JSON.stringify({ services: { hog: { run, memory: '48M', ready: { alive: '100ms' }, restart } } }));
    keeper = await Keeper.start();
    if ((JSON.parse(upkeep('status', '--json').stdout).services[0]?.notEnforced ?? []).length > 0)
      context.skip('no memory controller here');
    await inState('hog', 'failed', 60);
    const { postMortem, card } = await endOf('hog');
    expect(postMortem.sentence).toMatch(/^hog was killed by the kernel: out of memory/);
    expect([...gradesOf(postMortem).keys()]).toContain('oom');
    expect(card).toMatch(/out of memory: .* \[(tracefs|kernel log|cgroup|kernel)\]/);
    expect(card).toContain('| hungry');
    expect(card).toContain('upkeep reset hog');
  });

  it('of one with a fault of its own: the signal, and that the kernel answered a fault', async () => {
    const fault = 'print unpack q(p), pack q(J), 8';
    const run = ['sh', '-c', `echo before; exec /usr/bin/perl -e '${fault}'`];
    const restart = { limit: '1 in 5m', then: 'give-up' };
    writeConfig(JSON.stringify({ services: { buggy: { run, limits: { core: 'none' }, restart } } }));
    keeper = await Keeper.start();
    await inState('buggy', 'failed');
    const { postMortem, card } = await endOf('buggy');
    expect(postMortem.sentence).toMatch(/^buggy failed to start: killed by SIGSEGV/);
    const abouts = [...gradesOf(postMortem).keys()];
    expect(abouts.includes('fault') || gradesOf(postMortem).get('sender') === 'inferred').toBe(true);
    expect(card).toContain('ended by SIGSEGV');
    expect(card).toContain('| before');
  });
});
