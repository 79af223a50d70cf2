// The promise: `upkeep why` says why a service is as it is and what changes that, and of its last end who, what, when and
// what was done about it, with the grade of the evidence.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { PostMortem, Why, WhyDocument } from '../../src/core/why.js';
import { type Home, newHome } from '../support/keeper.js';
import { signal } from '../support/running.js';
import { withTracefs } from '../support/tracefs.js';

const SLEEP = ['sleep', '1000'];

/** What `upkeep why NAME --json` says of it. */
async function whyOf(home: Home, name: string, ...more: readonly string[]): Promise<Why> {
  const { code, stdout, stderr } = await home.upkeep('why', name, '--json', ...more);
  expect([code, stderr]).toEqual([0, '']);
  const { services } = JSON.parse(stdout) as WhyDocument;
  const [why] = services;
  if (why === undefined) throw new Error(`nothing is said of ${name}`);
  return why;
}

/** The post-mortem of its last end once it is so: the history has it a moment later. */
async function postMortemOf(home: Home, name: string, isSo: (found: PostMortem) => boolean): Promise<PostMortem> {
  let found: PostMortem | undefined;
  await home.until(
    () => `a post-mortem of ${name} with ${isSo.toString()}; it is ${JSON.stringify(found)}`,
    async () => {
      found = (await whyOf(home, name)).postMortems[0];
      return found !== undefined && isSo(found);
    },
  );
  return found as PostMortem;
}

const isBack = ({ timeline }: PostMortem): boolean => timeline.some(({ what }) => what === 'ready');
const hasOutput = ({ output }: PostMortem): boolean => output !== null;

const textOf = ({ evidence }: PostMortem, about: string): string =>
  evidence.find((finding) => finding.about === about)?.text ?? '';

describe('upkeep why NAME', () => {
  it('of a service that ends with a code: the code, its last lines, and what changes that (monitors 33)', async () => {
    const home = newHome();
    const script = 'echo opening; printf "\\033[31mcannot open /srv/data\\n" >&2; exit 3';
    home.configure({ flaky: { run: ['sh', '-c', script], restart: { limit: '1 in 5m', then: 'give-up' } } });
    await home.start();
    await home.when('flaky', ({ state }) => state === 'failed');
    const { sentence, output, evidence, timeline } = await postMortemOf(home, 'flaky', hasOutput);
    expect(sentence).toMatch(/^flaky failed to start: exited with code 3, after /);
    expect(output).toEqual(['opening', 'cannot open /srv/data']);
    expect(evidence[0]).toEqual({ about: 'status', text: 'code 3', grade: 'seen', source: 'wait status' });
    expect(timeline[0]).toMatchObject({ what: 'failed', after: 0 });
    const { stdout } = await home.upkeep('why', 'flaky');
    expect(stdout).toContain('flaky has failed: 1 restart within 5 min did not help');
    expect(stdout).toContain('upkeep reset flaky');
    expect(stdout).toContain('| cannot open /srv/data');
    expect(await whyOf(home, 'flaky', '--all')).toMatchObject({
      postMortems: [{ service: 'flaky' }, { service: 'flaky' }],
    });
  });

  it('of one that cannot be started at all: the error of the system', async () => {
    const home = newHome();
    home.configure({ lost: { run: '/nonexistent/program', restart: { limit: '1 in 5m', then: 'give-up' } } });
    await home.start();
    await home.when('lost', ({ state }) => state === 'failed');
    const found = await postMortemOf(home, 'lost', () => true);
    expect(found.evidence).toMatchObject([{ about: 'exec', grade: 'seen' }]);
    expect(textOf(found, 'exec')).toMatch(/^ENOENT: /);
  });

  it('of one that somebody stopped: by whom, why, and how it is started', async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP } });
    await home.start();
    await home.running('web');
    await home.upkeep('stop', 'web', '--reason', 'moving it');
    const { standing, commands, postMortems } = await whyOf(home, 'web');
    expect(standing).toMatchObject({ asWanted: 'yes' });
    expect(standing.sentences[0]).toMatch(/^web was stopped by \S+ .* ago: moving it$/);
    expect(commands).toEqual([{ command: 'upkeep start web', does: 'starts it now' }]);
    expect(postMortems[0]).toMatchObject({
      sentence: expect.stringMatching(/^web was stopped on request \(SIGTERM\)/),
    });
  });

  it('of one on hold that died: whose hold keeps it down, and what ends that', async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP }, other: { run: SLEEP } });
    await home.start();
    const pid = await home.running('web');
    await home.running('other');
    expect((await home.upkeep('why')).stdout).toBe('all 2 services are as wanted\n');
    await home.upkeep('hold', 'web', '--for', '2h', '--reason', 'upgrade');
    signal(pid, 'SIGKILL');
    await home.when('web', ({ state }) => state === 'waiting');
    const { stdout } = await home.upkeep('why');
    expect(stdout).toMatch(/^web {2}waiting\n {2}why +web has been on hold by \S+ for .*: upgrade;/);
    expect(stdout).toContain('upkeep unhold web');
    expect(stdout).not.toContain('other  running');
  });

  it('of one that was killed: what happened in milliseconds, its last lines but not the next one’s, and who ended with it', async () => {
    const home = newHome();
    const run = ['sh', '-c', 'echo I am $$; exec sleep 1000'];
    home.configure({ web: { run }, db: { run: SLEEP } });
    await home.start();
    const pid = await home.running('web');
    const other = await home.running('db');
    spawnSync('sh', ['-c', `kill -9 ${pid} ${other}`]);
    await home.running('web', pid);
    const found = await postMortemOf(home, 'web', (one) => isBack(one) && hasOutput(one) && one.neighbours.length > 0);
    expect(found.sentence).toMatch(/^web was killed by SIGKILL.*, and was ready again .* later$/);
    expect(found.timeline.map(({ what }) => what).filter((what) => what !== 'sent')).toEqual([
      'died',
      'stopped',
      'started',
      'ready',
    ]);
    const after = found.timeline.map((mark) => mark.after);
    expect(after).toEqual([...after].sort((a, b) => a - b));
    expect(found.output).toEqual([`I am ${pid}`]);
    expect(found.neighbours).toMatchObject([{ service: 'db' }]);
    expect((await home.service('web')).lastDeath?.incident).toBe(found.incident);
  });

  it('still answers when the keeper was killed meanwhile, and the next one found the end', async () => {
    const home = newHome();
    home.configure({ web: { run: ['sh', '-c', 'echo here; exec sleep 1000'] } });
    const keeper = await home.start();
    const pid = await home.running('web');
    signal(keeper.pid, 'SIGKILL');
    await keeper.ended;
    signal(pid, 'SIGKILL');
    await home.start();
    await home.running('web', pid);
    const found = await postMortemOf(home, 'web', isBack);
    expect(found.sentence).toContain('while the keeper was away');
    expect(found.timeline[0]).toMatchObject({ what: 'noticed' });
  });
});

const traces = ['test', '-w', '/sys/kernel/tracing/instances'];
const canTrace = spawnSync(withTracefs()[0] ?? '', [...withTracefs().slice(1), ...traces]).status === 0;
if (!canTrace) console.warn('skipped: who sends a signal cannot be tested here (needs root and tracefs)');

describe.runIf(canTrace)('upkeep why, where the kernel tells who sent a signal', () => {
  it('names another user who killed it, what that ran and when the signal was sent', async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP, user: 'nobody' } });
    const keeper = await home.start([], { before: withTracefs() });
    const pid = await home.running('web');
    const nobody = ['--reuid=nobody', '--regid=nogroup', '--clear-groups'];
    const killer = spawn('setpriv', [...nobody, 'bash', '-c', 'kill -9 "$1"; sleep 1; :', 'bash', String(pid)]);
    await home.running('web', pid);
    const found = await postMortemOf(home, 'web', isBack);
    expect(found.sentence).toContain(`killed by SIGKILL from bash (pid ${killer.pid}, `);
    expect(found.timeline[0]).toMatchObject({ what: 'sent', after: 0 });
    expect(found.evidence).toContainEqual(
      expect.objectContaining({ about: 'sender', grade: 'seen', source: 'tracefs' }),
    );
    expect(textOf(found, 'command')).toContain('kill -9');
    await once(killer, 'exit');
    await home.upkeep('shutdown');
    await keeper.ended;
  });
});
