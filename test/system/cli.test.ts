// The commands against a keeper of the built program, as a script or a person at a terminal uses them.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { KeeperProcess } from '../support/keeper-process.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const keepers: KeeperProcess[] = [];

async function keep(configuration: string): Promise<KeeperProcess> {
  const keeper = new KeeperProcess(configuration);
  keepers.push(keeper);
  await keeper.start();
  return keeper;
}

afterEach(async () => {
  for (const keeper of keepers.splice(0)) await keeper.close();
});

describe('status', () => {
  it('ends with 0, 3, 4 or 5, also for what is wanted off and what is starting (monitors 37)', async () => {
    const keeper = await keep(`services:
  web: { run: sleep 1000, ready: { alive: 0s } }
  off: { run: sleep 1000, desired: down }
  slow: { run: sleep 1000, ready: { alive: 1h } }
  broken: { run: /nonexistent/program, restart: { delay: 1h } }
`);
    await keeper.until('web', 'running');
    await keeper.until('broken', 'backoff');
    expect((await keeper.run('status', 'web', 'off')).code).toBe(0);
    expect((await keeper.run('status', 'slow', 'web')).code).toBe(5);
    expect((await keeper.run('status')).code).toBe(3);
    expect(await keeper.run('status', 'wbe')).toMatchObject({
      code: 2,
      out: '',
      err: 'upkeep: there is no service wbe; did you mean web\n',
    });
    expect(await keeper.run('shutdown')).toMatchObject({ code: 0 });
    expect(await keeper.run('status', '--json')).toMatchObject({ code: 4, out: '' });
  });

  it('prints JSON that is the document of the manual, and nothing else (monitors 37)', async () => {
    const keeper = await keep('services: { web: { run: sleep 1000, ready: { alive: 0s } } }\n');
    await keeper.until('web', 'running');
    // A changed file makes every command warn, on stderr.
    keeper.write('services: { web: { run: sleep 1000, ready: { alive: 0s }, description: The shop } }\n');
    const { out, err } = await keeper.run('status', '--json');
    expect(JSON.parse(out)).toMatchObject({
      version: 1,
      keeper: { config: keeper.file, pending: true },
      services: [
        {
          name: 'web',
          kind: 'supervised',
          desired: 'up',
          state: 'running',
          override: null,
          hold: null,
          lastDeath: null,
          next: null,
        },
      ],
    });
    expect(err).toMatch(/^upkeep: .*upkeep\.yaml has changed since it was applied/);
  });

  it('loads neither a parser of YAML nor the kernel layer, so that it is quick', () => {
    const loaded = new Set<string>();
    const load = (file: string): void => {
      if (loaded.has(file) || !existsSync(file)) return;
      loaded.add(file);
      const text = readFileSync(file, 'utf8');
      for (const [, path = ''] of text.matchAll(/^(?:import|export) .*from '(\.[^']+)';$/gm))
        load(join(dirname(file), path));
    };
    for (const file of ['main.js', 'cli/program.js', 'cli/terminal.js', 'cli/parser.js', 'cli/status.js'])
      load(join(ROOT, 'dist', file));
    const files = [...loaded].map((file) => relative(join(ROOT, 'dist'), file));
    expect(files).toContain('cli/status-view.js');
    expect(
      files.filter(
        (file) =>
          !/^(main\.js|cli\/|core\/|control\/client(-document)?\.js|daemon\/early-signals\.js|config\/(glob|quantity|suggest)\.js)/.test(
            file,
          ),
      ),
    ).toEqual([]);
  });
});

describe('acts', () => {
  it('restarts, stops and starts, and waits for each', async () => {
    const keeper = await keep('services: { web: { run: sleep 1000, ready: { alive: 0s } } }\n');
    const before = (await keeper.until('web', 'running')).process?.pid;
    const { code, out } = await keeper.run('restart', 'web');
    const after = (await keeper.service('web')).process?.pid;
    expect(code).toBe(0);
    expect(out).toBe(`web  running (pid ${String(after)})\n`);
    expect(after).not.toBe(before);
    expect(await keeper.run('stop', 'web', '--reason', 'a test')).toEqual({ code: 0, out: 'web  stopped\n', err: '' });
    expect(await keeper.service('web')).toMatchObject({
      state: 'stopped',
      desired: 'down',
      override: { reason: 'a test' },
    });
    expect((await keeper.run('start', 'web')).code).toBe(0);
  });

  it('ends the watching at Ctrl-C and not the act, and says so', async () => {
    const keeper = await keep(`services:
  tough: { run: [sh, -c, "trap : TERM; while :; do sleep 0.1; done"], ready: { alive: 0s }, stop: { signal: SIGTERM, wait: 3s } }
`);
    await keeper.until('tough', 'running');
    const { child, ended } = keeper.begin('stop', 'tough');
    await keeper.until('tough', 'stopping');
    child.kill('SIGINT');
    expect(await ended).toEqual({
      code: 5,
      out: '',
      err: 'upkeep: no longer watching; stop of tough goes on, see `upkeep status`\n',
    });
    expect((await keeper.run('wait', 'tough', '--for', 'stopped', '--timeout', '30s')).code).toBe(0);
  });

  it('says on stderr why a start failed, and ends with 1', async () => {
    const keeper = await keep('services: { web: { run: /nonexistent/program, desired: down } }\n');
    const { code, out, err } = await keeper.run('start', 'web');
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/^upkeep: web: start failed: .*\/nonexistent\/program/);
  });
});

describe('plan and apply', () => {
  const service = (more: string): string => `services:\n  web: { run: sleep 1000, ready: { alive: 0s }${more} }\n`;

  it('restart nothing for a changed description, touch only a new service, and forget a variable that is gone (monitors 35)', async () => {
    const keeper = await keep(service(', env: { GREETING: hello }'));
    const before = await keeper.until('web', 'running');

    keeper.write(
      `${service(', env: { GREETING: hello }, description: The shop')}  db: { run: sleep 1000, ready: { alive: 0s } }\n`,
    );
    const plan = await keeper.run('plan');
    expect(plan.code).toBe(0);
    expect(plan.out).toMatch(/^web +update live +.*description/m);
    expect(plan.out).toMatch(/^db +start +new$/m);
    expect((await keeper.run('apply')).code).toBe(0);
    await keeper.until('db', 'running');
    expect(await keeper.service('web')).toMatchObject({
      description: 'The shop',
      process: before.process,
      generation: before.generation,
    });

    keeper.write(service(', description: The shop'));
    expect((await keeper.run('plan')).out).toMatch(/^web +restart +.*env/m);
    expect((await keeper.run('apply')).code).toBe(0);
    await expect
      .poll(async () => (await keeper.service('web')).generation, { timeout: 30_000 })
      .toBe(before.generation + 1);
    const { process: fresh } = await keeper.until('web', 'running');
    expect(readFileSync(`/proc/${String(fresh?.pid)}/environ`, 'latin1')).not.toContain('GREETING');
    expect((await keeper.status()).services.map(({ name }) => name)).toEqual(['web']);
  });

  it('keep what runs when the file is broken, and say where, as check does (monitors 36)', async () => {
    const keeper = await keep(service(''));
    const before = await keeper.until('web', 'running');
    keeper.write(service(', restrt: always'));
    const checked = await keeper.run('check');
    const applied = await keeper.run('apply');
    for (const { code, out, err } of [checked, applied]) {
      expect([code, out]).toEqual([1, '']);
      expect(err).toMatch(/^.*upkeep\.yaml:2:\d+: .*did you mean restart/);
    }
    expect((await keeper.service('web')).process).toEqual(before.process);
    expect((await keeper.run('status')).out).toMatch(/^the configuration is broken/);
  });
});

describe('logs', () => {
  it('end quietly when the reader goes away: logs -f | head -1 (monitors 38)', async () => {
    const keeper = await keep(
      'services: { ticker: { run: [sh, -c, "while :; do echo tick; sleep 0.1; done"], ready: { alive: 0s } } }\n',
    );
    await expect.poll(() => keeper.log('ticker'), { timeout: 30_000 }).toMatch(/tick/);
    const script = `"$1" "$2" logs -f ticker 2>&1 | head -1; echo "ends with \${PIPESTATUS[0]}"`;
    const out = execFileSync('bash', ['-c', script, 'bash', process.execPath, join(ROOT, 'bin/upkeep')], {
      env: keeper.environment,
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect(out).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}tick\nends with 0\n$/);
  });

  it('carry invalid UTF-8 and lines of 64 kB through unchanged (monitors 38)', async () => {
    const keeper = await keep(`services:
  odd: { run: [sh, -c, 'head -c 65536 /dev/zero | tr "\\0" x; printf "\\nbad \\377\\376 bytes\\n"; exec sleep 1000'], ready: { alive: 0s } }
`);
    await expect.poll(() => keeper.log('odd'), { timeout: 30_000 }).toMatch(/bytes\n$/);
    const raw = execFileSync(process.execPath, [join(ROOT, 'bin/upkeep'), 'logs', 'odd', '--raw'], {
      env: keeper.environment,
    });
    expect(
      raw.equals(Buffer.concat([Buffer.alloc(65_536, 'x'), Buffer.from('\nbad \xff\xfe bytes\n', 'latin1')])),
    ).toBe(true);
    expect((await keeper.run('status', 'odd')).code).toBe(0);
  });

  it('interleave several services by time, with their names', async () => {
    const keeper = await keep(`services:
  a: { run: [sh, -c, "echo from a; exec sleep 1000"], ready: { alive: 0s } }
  b: { run: [sh, -c, "sleep 0.6; echo from b; exec sleep 1000"], ready: { alive: 0s } }
`);
    await expect.poll(() => keeper.log('b'), { timeout: 30_000 }).toMatch(/from b/);
    const texts = async (): Promise<readonly string[]> =>
      (await keeper.run('logs', '--all')).out.split('\n').map((line) => line.replace(/^\S+ \S+ {2}/, ''));
    await expect.poll(texts, { timeout: 30_000 }).toEqual(['a  from a', 'b  from b', '']);
  });
});
