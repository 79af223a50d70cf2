// The promise: `apply` changes just what changed, and a broken file changes nothing.

import { appendFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Home, newHome } from '../support/keeper.js';
import { isAlive, signal } from '../support/running.js';

const SLEEP = 'sleep 1000';

/** The configuration with a mistake in it that a person would make. */
function breakFile(home: Home): string {
  const text = 'services:\n  web:\n    run: sleep 1000\n    restrat: never\n';
  return home.write('upkeep.yaml', text);
}

describe('apply', () => {
  it('restarts nothing for a description and just that one for its environment; removed ones stop, added ones start (monitors 35)', async () => {
    const home = newHome();
    const env = (value: Record<string, string>) => ({
      run: ['sh', '-c', `env > '${home.at('env')}'; exec sleep 1000`],
      env: value,
    });
    home.configure({
      same: { run: SLEEP },
      told: { run: SLEEP, description: 'old' },
      warm: env({ A: '1', B: '1' }),
      gone: { run: SLEEP },
    });
    const keeper = await home.start();
    const names = ['same', 'told', 'warm', 'gone'];
    const [same, told, warm, gone] = await Promise.all(names.map((name) => home.running(name)));
    expect(home.read('env')).toMatch(/^B=1$/m);

    home.configure({
      same: { run: SLEEP },
      told: { run: SLEEP, description: 'new' },
      warm: env({ A: '1' }),
      fresh: { run: SLEEP },
    });
    const status = await home.upkeep('status', 'same');
    expect(status.stderr).toMatch(
      /has changed since it was applied; `upkeep plan` says what would change, `upkeep apply` does it/,
    );
    expect(JSON.parse((await home.upkeep('status', '--json')).stdout).keeper.pending).toBe(true);

    const plan = await home.upkeep('plan');
    expect(plan.code).toBe(0);
    const rows = plan.stdout.split('\n').map((line) => line.trim().split(/\s{2,}/));
    expect(rows).toEqual([
      ['NAME', 'ACTION', 'WHY'],
      ['gone', 'remove', 'stopped and forgotten'],
      ['told', 'update live', 'takes effect at once (changed: description)'],
      ['warm', 'restart', 'a new process is needed for env (changed: env)'],
      ['fresh', 'start', 'new'],
      ['no action: 1 service'],
      [''],
    ]);
    expect((await home.service('told')).description).toBe('old');

    const apply = await home.upkeep('apply');
    expect(apply).toMatchObject({ code: 0, stdout: plan.stdout, stderr: '' });
    const next = await home.running('warm', warm);
    await home.running('fresh');
    await home.until('an end of the removed one', () => !isAlive(gone ?? 0));
    expect([await home.running('same'), await home.running('told')]).toEqual([same, told]);
    expect([isAlive(next), isAlive(warm ?? 0)]).toEqual([true, false]);
    expect(home.read('env')).not.toMatch(/^B=/m);
    expect((await home.service('told')).description).toBe('new');
    const { services, keeper: about } = await home.status();
    expect(services.map(({ name }) => name).toSorted()).toEqual(['fresh', 'same', 'told', 'warm']);
    expect(about.pending).toBe(false);
    expect((await home.service('warm')).restarts.total).toBe(0);
    expect(await home.upkeep('apply')).toMatchObject({ code: 0, stdout: 'nothing changes\nno action: 4 services\n' });
    await expect.poll(() => keeper.said(), { timeout: 10_000 }).toMatch(/ warm: new definition: needs a restart\n/);
  });

  it('by SIGHUP does the same', async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP }, old: { run: SLEEP } });
    const keeper = await home.start();
    const web = await home.running('web');
    home.configure({ web: { run: SLEEP, tags: ['front'] }, fresh: { run: SLEEP } });
    signal(keeper.pid, 'SIGHUP');
    await home.until(
      'the new set',
      async () => (await home.status()).services.map(({ name }) => name).join() === 'web,fresh',
    );
    expect(await home.running('web')).toBe(web);
    await expect.poll(() => keeper.said(), { timeout: 10_000 }).toContain(`applied ${home.config}`);
  });

  it('of a broken file changes nothing and ends with 1, with file, line and column (monitors 36)', async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP } });
    const keeper = await home.start();
    const pid = await home.running('web');
    const file = breakFile(home);
    const mistake = `${file}:4:5: services.web: unknown key "restrat"; did you mean restart`;
    for (const command of ['check', 'plan', 'apply']) {
      const ran = await home.upkeep(command);
      expect([command, ran.code, ran.stderr]).toEqual([command, 1, expect.stringContaining(mistake)]);
    }
    const before = keeper.said().length;
    signal(keeper.pid, 'SIGHUP');
    await home.until('its word', () => keeper.said().slice(before).includes(`not applied: ${mistake}`));
    expect(await home.running('web')).toBe(pid);
    const status = await home.upkeep('status');
    expect(status.code).toBe(0);
    expect(status.stdout.split('\n').slice(0, 2)).toEqual([
      'the configuration is broken, the one applied before counts:',
      mistake,
    ]);
  });

  it('takes the operator’s word back only when `desired` itself changed', async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP }, db: { run: SLEEP } });
    await home.start();
    for (const name of ['web', 'db']) await home.running(name);
    expect((await home.upkeep('stop', 'web', 'db')).code).toBe(0);
    home.configure({ web: { run: 'sleep 2000' }, db: { run: SLEEP, desired: 'down' } });
    expect((await home.upkeep('apply')).code).toBe(0);
    expect(await home.service('web')).toMatchObject({ state: 'stopped', override: { desired: 'down' } });
    expect(await home.service('db')).toMatchObject({ state: 'stopped', override: null });
    home.configure({ web: { run: 'sleep 2000' }, db: { run: SLEEP } });
    expect((await home.upkeep('apply')).code).toBe(0);
    await home.running('db');
    expect((await home.service('web')).state).toBe('stopped');
  });
});

describe('a keeper that comes', () => {
  it('back to a changed file works under the old one, and says so until `apply`', async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP } });
    const first = await home.start();
    const pid = await home.running('web');
    await first.end('SIGKILL');
    home.configure({ web: { run: 'sleep 2000' }, fresh: { run: SLEEP } });
    await home.start();
    expect(await home.running('web')).toBe(pid);
    const { services, keeper } = await home.status();
    expect([services.length, keeper.pending]).toEqual([1, true]);
    expect((await home.upkeep('apply')).code).toBe(0);
    expect(await home.running('web', pid)).not.toBe(pid);
    await home.running('fresh');
  });

  it('to a broken file takes the last good configuration, and every status begins with that', async () => {
    const home = newHome();
    home.configure({ web: { run: SLEEP } });
    const first = await home.start();
    const pid = await home.running('web');
    await first.end('SIGKILL');
    const file = breakFile(home);
    const second = await home.start();
    expect(await home.running('web')).toBe(pid);
    const { stdout } = await home.upkeep('status');
    expect(stdout.split('\n')[0]).toBe('the configuration is broken, the last good one counts:');
    expect(stdout.split('\n')[1]).toContain(`${file}:4:5: `);
    await second.end('SIGKILL');
    const strict = await home.launch(['--strict']).ended;
    expect(strict.code).toBe(1);
    expect(strict.stderr).toContain(`${file}:4:5: `);
    expect(isAlive(pid)).toBe(true);
  });

  it('to a broken file and nothing else refuses', async () => {
    const home = newHome();
    const file = breakFile(home);
    appendFileSync(file, '    log: maybe\n');
    const { code, stderr } = await home.launch().ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /upkeep\.yaml:4:5: .*\n.*upkeep\.yaml:5:10: .*\n.*there is no configuration to run by; nothing was started\n$/,
    );
  });
});
