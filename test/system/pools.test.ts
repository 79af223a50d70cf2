// The promise: a pool is restarted one member at a time, and no further than the first that does not come back.

import { describe, expect, it } from 'vitest';
import { type Home, newHome } from '../support/keeper.js';

const names = (of: number): readonly string[] => Array.from({ length: of }, (_, at) => `web@${at + 1}`);

/** A member tells its story, and is ready when it has told that it is up; in `broken` it never is. */
const MEMBER = `
[ -e "$1/broken" ] && { echo "cannot serve" >&2; exit 7; }
trap 'echo "down $2" >> "$1/story"; exit 0' TERM
echo "up $2 $3" >> "$1/story"
echo >&3
sleep 1000 & wait
`;

function configure(home: Home, instances: number, word = 'one'): void {
  home.write('member.sh', MEMBER);
  const run = ['sh', home.at('member.sh'), home.path, '%i', word];
  home.configure({ web: { run, instances, ready: { fd: 3 } } });
}

const story = (home: Home): readonly string[] =>
  home
    .read('story')
    .split('\n')
    .filter((line) => line !== '');

async function pids(home: Home, of: number): Promise<readonly number[]> {
  return Promise.all(names(of).map((name) => home.running(name)));
}

async function begun(instances: number): Promise<Home> {
  const home = newHome();
  configure(home, instances);
  await home.start();
  await pids(home, instances);
  return home;
}

const rolled = (of: number, word = 'one'): readonly string[] =>
  names(of).flatMap((_, at) => [`down ${at + 1}`, `up ${at + 1} ${word}`]);

describe('a pool', () => {
  it('is restarted by its plain name, one member after the other, each once the one before is ready', async () => {
    const home = await begun(4);
    const before = story(home).length;
    const { code, stdout } = await home.upkeep('restart', 'web');
    expect(stdout).toMatch(/^web@1 +running \(pid \d+\)\nweb@2 .*\nweb@3 .*\nweb@4 .*\n$/);
    expect(code).toBe(0);
    expect(story(home).slice(before)).toEqual(rolled(4));
  });

  it('is not restarted further than the first that does not come back, and says so with 1', async () => {
    const home = await begun(4);
    const old = await pids(home, 4);
    home.write('broken', '');
    const { code, stderr } = await home.upkeep('restart', 'web');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^upkeep: web@1: restart failed: .*code 7/m);
    expect(stderr).toMatch(/^upkeep: web@4: restart failed: web@1 did not start: .*code 7/m);
    for (const [at, name] of names(4).entries()) {
      const { process } = await home.service(name);
      if (at > 0) expect(process?.pid).toBe(old[at]);
      else expect(process?.pid).not.toBe(old[at]);
    }
  });

  it('takes a new definition in the same way, and keeps the old one where the first member fails under it', async () => {
    const home = await begun(3);
    const before = story(home).length;
    configure(home, 3, 'two');
    expect((await home.upkeep('apply')).code).toBe(0);
    await home.until('the last of them to be restarted', () => story(home).includes('up 3 two'));
    expect(story(home).slice(before)).toEqual(rolled(3, 'two'));

    const old = await pids(home, 3);
    home.write('broken', '');
    configure(home, 3, 'three');
    expect((await home.upkeep('apply')).code).toBe(0);
    await home.until('the roll to end', async () =>
      /web@3 is not restarted: web@1 did not start/.test((await home.upkeep('history', 'web')).stdout),
    );
    for (const name of ['web@2', 'web@3']) {
      const { process } = await home.service(name);
      expect(old).toContain(process?.pid);
    }
  });

  it('goes on where it was when the keeper is killed in the middle', async () => {
    const home = newHome();
    configure(home, 3);
    const first = await home.start();
    await pids(home, 3);
    const before = story(home).length;
    const asked = home.upkeep('restart', 'web', '--no-wait');
    await home.until('the second to be on its way', () => story(home).slice(before).includes('down 1'));
    process.kill(first.pid, 'SIGKILL');
    await asked;
    await first.ended.catch(() => {});
    await home.start();
    await home.until('the last of them to be restarted', () => story(home).slice(before).includes('up 3 one'));
    expect(story(home).slice(before)).toEqual(rolled(3));
  });

  it('of another size touches only the members that come or go', async () => {
    const home = await begun(4);
    const first = await pids(home, 4);
    configure(home, 6);
    const plan = await home.upkeep('plan');
    expect(plan.stdout).toMatch(/web@5 +start +new\n *web@6 +start +new\n *no action: 4 services/);
    expect((await home.upkeep('apply')).code).toBe(0);
    expect((await pids(home, 6)).slice(0, 4)).toEqual(first);
    configure(home, 3);
    expect((await home.upkeep('apply')).code).toBe(0);
    await home.until('those that go to be gone', async () => (await home.status()).services.length === 3);
    expect(await pids(home, 3)).toEqual(first.slice(0, 3));
    expect(
      story(home)
        .filter((line) => line.startsWith('down'))
        .sort(),
    ).toEqual(['down 4', 'down 5', 'down 6']);
  });

  it('has a log for each member, and one NAME for all of them', async () => {
    const home = await begun(2);
    home.write('broken', '');
    await home.upkeep('restart', 'web');
    expect(home.read('log/web@1.log')).toMatch(/cannot serve/);
    expect((await home.upkeep('logs', 'web@2')).stdout).not.toMatch(/cannot serve/);
    expect((await home.upkeep('logs', 'web')).stdout).toMatch(/web@1.*cannot serve/);
    const card = await home.upkeep('status', 'web@2');
    expect(card.stdout).toMatch(/^web@2 +running/);
    const table = await home.upkeep('status', 'web');
    expect(table.stdout).toMatch(/web@1 [\s\S]*web@2 /);
    expect((await home.upkeep('why', 'web', '--json')).code).toBe(0);
    const held = await home.upkeep('hold', 'web', '--reason', 'a look');
    expect(held.stdout).toMatch(/web@1 +on hold\nweb@2 +on hold/);
  });
});
