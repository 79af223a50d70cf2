// The promise: what has to be done before, after and around a service is done, in order, by its own settings, and the end of
// a keeper in the middle of it costs nothing.

import { describe, expect, it } from 'vitest';
import { type Home, newHome } from '../support/keeper.js';
import { isAlive } from '../support/running.js';

const sh = (line: string): readonly string[] => ['sh', '-c', line];

/** Says its name and what it was told, in the log of the service. */
const says = (name: string): readonly string[] =>
  sh(
    `echo "${name} $UPKEEP_SERVICE $UPKEEP_CAUSE \${SERVICE_RESULT:--} \${EXIT_CODE:--} \${EXIT_STATUS:--} \${MAINPID:--}"`,
  );

const all = {
  condition: says('condition'),
  beforeStart: [says('before-1'), says('before-2')],
  afterStart: [says('after')],
  beforeStop: [says('leave')],
  afterStop: [says('tidy')],
};

const linesOf = (home: Home): readonly string[] => home.read('log/web.log').split('\n').slice(0, -1);

/** A port of this process's own, below the range from which the kernel takes the others. */
const port = 20_000 + ((process.pid + 4_500) % 9_000);

describe('hooks', () => {
  it('run in order, with what they are told, and say in the log of the service what they have to say', async () => {
    const home = newHome();
    home.configure({ web: { run: sh('echo main; exec sleep 1000'), hooks: all } });
    await home.start();
    const first = await home.running('web');
    const up = (cause: string, last: string, pid: number): readonly string[] => [
      `condition web ${cause} ${last} -`,
      `before-1 web ${cause} ${last} -`,
      `before-2 web ${cause} ${last} -`,
      'main',
      `after web ${cause} - - - ${pid}`,
    ];
    expect(linesOf(home)).toEqual(up('first', '- - -', first));

    expect((await home.upkeep('restart', 'web')).code).toBe(0);
    const second = await home.running('web', first);
    const stopped = 'success killed TERM';
    const restarted = [
      `leave web requested - - - ${first}`,
      `tidy web requested ${stopped} -`,
      ...up('requested', stopped, second),
    ];
    expect(linesOf(home).slice(5)).toEqual(restarted);

    process.kill(second, 'SIGKILL');
    const third = await home.running('web', second);
    const killed = 'signal killed KILL';
    expect(linesOf(home).slice(12)).toEqual([`tidy web signal ${killed} -`, ...up('signal', killed, third)]);
    expect((await home.service('web')).restarts.total).toBe(1);
  });

  it.runIf(process.getuid?.() === 0)('run as the user of the service, or as their own', async () => {
    const home = newHome();
    const hooks = {
      beforeStart: [sh('echo "before $(id -un) $(pwd)"'), { exec: sh('echo "own $(id -un)"'), user: 'root' }],
    };
    home.configure({ web: { run: 'sleep 1000', user: 'nobody', cwd: '/tmp', hooks } });
    await home.start();
    await home.running('web');
    expect(linesOf(home)).toEqual(['before nobody /tmp', 'own root']);
  });

  it('that hang are ended with what they started, and the start has failed', async () => {
    const home = newHome();
    const beforeStart = { exec: sh('sleep 1001 & echo $! $$; wait'), timeout: '300ms' };
    home.configure({
      web: { run: 'sleep 1000', hooks: { beforeStart }, restart: { delay: '1h', backoff: { max: '1h' } } },
    });
    await home.start();
    const { lastDeath } = await home.when('web', ({ state }) => state === 'backoff');
    expect(lastDeath).toMatchObject({
      cause: 'start-timeout',
      text: 'its beforeStart command did not end in time, ended by us',
    });
    const pids = linesOf(home)[0]?.split(' ').map(Number) ?? [];
    expect(pids).toHaveLength(2);
    await home.until('both have ended', () => pids.every((pid) => !isAlive(pid)));
  });

  it('that say no before a start skip the service, which is fine, until they say yes', async () => {
    const home = newHome();
    const condition = ['test', '-e', home.at('go')];
    home.configure({ web: { run: 'sleep 1000', hooks: { condition } } });
    const keeper = await home.start();
    const skipped = await home.when('web', ({ state }) => state === 'skipped');
    expect(skipped).toMatchObject({ generation: 0, restarts: { total: 0 }, lastDeath: null });
    expect((await home.upkeep('status')).code).toBe(0);
    await expect
      .poll(() => keeper.said(), { timeout: 10_000 })
      .toMatch(/web is skipped: its condition exited with code 1/);
    home.write('go', '');
    expect((await home.upkeep('start', 'web')).code).toBe(0);
    await home.running('web');
  });

  it('that say no are asked again at each apply, also where nothing of the service has changed', async () => {
    const home = newHome();
    const services = { web: { run: 'sleep 1000', hooks: { condition: ['test', '-e', home.at('go')] } } };
    home.configure(services);
    await home.start();
    await home.when('web', ({ state }) => state === 'skipped');
    home.write('go', '');
    expect((await home.upkeep('apply', '--yes')).code).toBe(0);
    await home.running('web');
  });
});

describe('a start check', () => {
  /** Listens, and says on request whether it reaches what it needs, and what two and two are. */
  const SERVER = `
    const { existsSync } = require('node:fs');
    const [port, need, sums] = process.argv.slice(2);
    require('node:http').createServer((request, response) => {
      const isWell = request.url === '/need' ? existsSync(need) : existsSync(sums);
      response.statusCode = isWell ? 200 : 503;
      response.end(request.url === '/sum' && isWell ? '4' : '');
    }).listen(Number(port), '127.0.0.1');
  `;
  const CHECK = `
    const [port, path, expected] = process.argv.slice(2);
    fetch('http://127.0.0.1:' + port + path).then(async (answer) => {
      const text = await answer.text();
      if (!answer.ok || text !== (expected ?? text)) throw new Error(path + ': ' + answer.status + ' ' + text);
      console.log(path + ' is well');
    }).catch((error) => { console.log(error.message); process.exit(1); });
  `;

  it('that it listens, reaches what it needs and does its work decides whether it counts as started', async () => {
    const home = newHome();
    home.write('server.cjs', SERVER);
    home.write('check.cjs', CHECK);
    home.write('need', '');
    const check = (...args: readonly string[]) => [process.execPath, home.at('check.cjs'), String(port), ...args];
    home.configure({
      web: {
        run: [process.execPath, home.at('server.cjs'), String(port), home.at('need'), home.at('sums')],
        ready: { port },
        hooks: { afterStart: [check('/need'), check('/sum', '4')] },
        restart: { delay: '200ms', backoff: { max: '200ms' }, limit: 'none' },
      },
    });
    const keeper = await home.start();
    // It listens and reaches what it needs, but its work it cannot do.
    await home.when('web', ({ restarts }) => restarts.total >= 1);
    expect((await home.service('web')).lastDeath?.text).toBe('its 2nd afterStart command exited with code 1');
    await expect
      .poll(() => keeper.said(), { timeout: 10_000 })
      .toMatch(/web failed to start: its 2nd afterStart command exited with code 1; trying again/);
    expect(keeper.said()).not.toMatch(/web is running/);
    home.write('sums', '');
    await home.running('web');
    const log = linesOf(home);
    expect(log).toContain('/sum: 503 ');
    expect(log.slice(-2)).toEqual(['/need is well', '/sum is well']);
  });
});

describe('a keeper that is killed in the middle of', () => {
  it.each(['condition', 'beforeStart', 'afterStart', 'beforeStop', 'afterStop'] as const)(
    '%s leaves it to the next one, and nothing is run twice',
    async (role) => {
      const home = newHome();
      const done = home.at('done');
      const waits = sh(`echo ${role}; while ! [ -e ${done} ]; do sleep 0.05; done`);
      home.configure({
        web: { run: sh('echo main; exec sleep 1000'), hooks: { [role]: role === 'condition' ? waits : [waits] } },
      });
      const keeper = await home.start();
      const isStop = role === 'beforeStop' || role === 'afterStop';
      if (isStop) {
        await home.running('web');
        await home.post('/v1/services/web/restart');
      }
      await home.until(`${role} to run`, () => linesOf(home).includes(role));
      await keeper.end('SIGKILL');
      await home.start();
      await home.when('web', ({ state }) => state === (isStop ? 'stopping' : 'starting'));
      home.write('done', '');
      await home.running('web');
      const count = (line: string): number => linesOf(home).filter((one) => one === line).length;
      // Where the end of what another keeper started cannot be seen, what a start builds on is run again.
      expect(count(role)).toBeLessThanOrEqual(isStop ? 1 : 2);
      expect(count('main')).toBe(isStop ? 2 : 1);
      expect((await home.service('web')).restarts.total).toBe(0);
    },
  );
});

describe('a oneshot', () => {
  it('has what needs it wait, is done, and outlives its keeper', async () => {
    const home = newHome();
    home.configure({
      migrate: { run: sh(`echo migrated; while ! [ -e ${home.at('go')} ]; do sleep 0.05; done`), oneshot: true },
      web: { run: 'sleep 1000', needs: ['migrate'] },
    });
    const keeper = await home.start();
    await home.until('the migration to run', () => home.read('log/migrate.log') === 'migrated\n');
    expect((await home.service('web')).state).toBe('waiting');
    home.write('go', '');
    const web = await home.running('web');
    expect((await home.service('migrate')).state).toBe('done');
    await keeper.end('SIGKILL');
    await home.start();
    expect(await home.running('web')).toBe(web);
    expect((await home.service('migrate')).state).toBe('done');
    expect(home.read('log/migrate.log')).toBe('migrated\n');
    const again = await home.upkeep('start', 'migrate');
    expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('did its work before')]);
    expect((await home.upkeep('restart', 'migrate')).code).toBe(0);
    expect(home.read('log/migrate.log')).toBe('migrated\nmigrated\n');
  });
});
