// The promise: whoever waits says for whom and why, down to the root cause; what a stop, a restart or a new configuration does
// to others is said before it is done.

import { closeSync, openSync, writeSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { GraphDocument } from '../../src/core/graph-view.js';
import type { WhyDocument } from '../../src/core/why.js';
import { type Home, newHome, UPKEEP } from '../support/keeper.js';
import { isAlive, signal } from '../support/running.js';

const SLEEP = 'sleep 1000';

/** web needs api, api needs db; `db` fails to start as long as the file `broken` is there. */
function configure(home: Home, more: Readonly<Record<string, unknown>> = {}): void {
  const db = `[ -e '${home.at('broken')}' ] && exit 7; exec sleep 1000`;
  home.configure({
    web: { run: SLEEP, needs: ['api'] },
    api: { run: SLEEP, needs: ['db'] },
    db: { run: ['sh', '-c', db], restart: { delay: '1h', backoff: { factor: 1, max: '1h' } } },
    agent: { run: SLEEP, restartWith: ['web'] },
    ...more,
  });
}

async function shop(): Promise<Home> {
  const home = newHome();
  configure(home);
  await home.start();
  for (const name of ['db', 'api', 'web', 'agent']) await home.running(name);
  return home;
}

describe('a service that waits', () => {
  it('says for whom and why, and what helps, and comes up by itself (issue 5, item 5)', async () => {
    const home = newHome();
    configure(home);
    home.write('broken', '');
    await home.start();
    const db = await home.when('db', ({ state }) => state === 'backoff');
    expect(db.next).toMatchObject({ what: 'start', why: 'backoff' });

    const api = await home.when('api', ({ state }) => state === 'waiting');
    expect(api.reason).toMatch(/^waiting for db: backoff, next try in \d/);
    expect(api.next).toEqual({ what: 'start', at: null, why: 'others', waitsFor: ['db'] });
    const web = await home.service('web');
    expect(web.reason).toBe('waiting for api: waiting for db');

    const status = await home.upkeep('status');
    expect(status.code).toBe(3);
    expect(status.stdout).toMatch(/^api +waiting .*waiting for db: backoff, next try in \d+ (s|min|h)/m);

    const { stdout } = await home.upkeep('why', 'web', '--json');
    const [why] = (JSON.parse(stdout) as WhyDocument).services;
    expect(why?.standing.sentences[0]).toBe('web waits for api, which waits for db');
    expect(why?.standing.sentences[1]).toMatch(/^db ended, and waits for its next start .*; it is started in \d/);
    expect(why?.commands.map(({ command }) => command)).toContain('upkeep reset db');

    home.spawn(['rm', home.at('broken')]);
    await home.until('a mended program', () => home.read('broken') === '');
    expect((await home.upkeep('reset', 'db')).code).toBe(0);
    await home.running('web');
    expect((await home.upkeep('status', '--quiet')).code).toBe(0);
  });

  it('is told of an operator’s stop, ends the command that started it, and goes on waiting (supervisors 29)', async () => {
    const home = await shop();
    const stop = await home.upkeep('stop', 'db');
    expect(stop.code).toBe(0);
    expect(stop.stderr).toBe(
      'upkeep: web, api go down too, and stop, in this order, before db does\nupkeep: agent is restarted too\n',
    );
    const api = await home.when('api', ({ state }) => state === 'waiting');
    expect(api.reason).toMatch(/^waiting for db: stopped by \S+; `upkeep start db`$/);
    expect(api.blockedBy).toEqual(['db']);
    expect((await home.service('web')).blockedBy).toEqual(['db']);
    expect((await home.upkeep('status', 'web', '--quiet')).code).toBe(3);

    const start = await home.upkeep('start', 'web');
    expect(start.code).toBe(1);
    expect(start.stderr).toMatch(/^upkeep: web: start failed: it waits for api[ :].*db.*; it goes on waiting/m);
    expect(await home.upkeep('wait', 'web')).toMatchObject({ code: 3 });

    expect((await home.upkeep('start', 'db')).code).toBe(0);
    await home.running('web');
  });

  it('is left alone when a person answers the question of a stop with no, Ctrl-C, Ctrl-D or nothing', async () => {
    const home = await shop();
    const keys = home.at('keys');
    await home.spawn(['mkfifo', keys]).ended;
    const fingers = openSync(keys, 'r+');
    for (const key of ['n\r', '\x03', '\x04', '\r']) {
      const stop = `'${process.execPath}' '${UPKEEP}' stop db`;
      const terminal = home.spawn(['sh', '-c', `exec script -qec "${stop}" /dev/null < '${keys}'`]);
      await home.until('the question', () => terminal.said().includes('Stop them too? [y/N]'));
      writeSync(fingers, key);
      expect((await terminal.ended).code).toBe(1);
      expect(terminal.said()).toMatch(/\nupkeep: nothing was stopped\r?\n$/);
    }
    closeSync(fingers);
    expect((await home.service('db')).state).toBe('running');
  });

  it('or is patient with what it needs says so, and until when', async () => {
    const home = newHome();
    home.configure({
      db: { run: SLEEP, restart: { delay: '1h', backoff: { factor: 1, max: '1h' } } },
      web: { run: SLEEP, needs: { db: { grace: '10m' } } },
    });
    await home.start();
    const web = await home.running('web');
    signal(await home.running('db'), 'SIGKILL');
    const patient = await home.when('web', ({ next }) => next?.why === 'missing');
    expect(patient.reason).toMatch(/^running for .*; db is away: it stops in 10 min unless it is back$/);
    expect(patient.next).toMatchObject({ what: 'stop', waitsFor: ['db'] });
    expect((await home.upkeep('why', 'web')).stdout).toMatch(/next +it is stopped in 10 min, unless db is back/);
    expect((await home.upkeep('reset', 'db')).code).toBe(0);
    await home.running('db');
    expect(await home.running('web')).toBe(web);
    expect((await home.service('web')).next).toBeNull();
  });

  it('may be started in one command with what it waits for, whichever is named first', async () => {
    const home = await shop();
    expect((await home.upkeep('stop', '--all')).code).toBe(0);
    const start = await home.upkeep('start', 'web', 'api', 'db', 'agent');
    expect(start).toMatchObject({ code: 0, stderr: '' });
    expect(start.stdout.split('\n').filter((line) => /running/.test(line))).toHaveLength(4);
  });
});

describe('what is done to others', () => {
  it('stops those that need it before it, and leaves down what it took down (supervisors 25, monitors 25)', async () => {
    const home = newHome();
    const told = (name: string): readonly string[] => [
      'sh',
      '-c',
      `trap 'echo ${name} >> "${home.at('story')}"; exit 0' TERM; echo >&3; sleep 1000 & wait`,
    ];
    const ready = { fd: 3 };
    home.configure({
      db: { run: told('db'), ready },
      api: { run: told('api'), ready, needs: ['db'] },
      web: { run: told('web'), ready, needs: ['api'] },
    });
    await home.start();
    await home.running('web');
    expect((await home.upkeep('stop', 'db', '--yes')).code).toBe(0);
    expect(home.read('story')).toBe('web\napi\ndb\n');
    expect((await home.status()).services.map(({ state }) => state)).toEqual(['stopped', 'waiting', 'waiting']);
  });

  it('says what a restart moves along', async () => {
    const home = await shop();
    const before = await home.running('web');
    const restart = await home.upkeep('restart', 'api');
    expect(restart).toMatchObject({ code: 0, stderr: 'upkeep: web, agent are restarted too\n' });
    await home.running('web', before);
    expect(isAlive(before)).toBe(false);
    // The history is written a moment later.
    await home.until('the cause of it', async () =>
      (await home.upkeep('why', 'web')).stdout.includes('api, with which it is coupled, moved it'),
    );
    expect((await home.upkeep('why', 'web')).stdout).toMatch(/moved it \d+\.\d s ago: restart by \S+\n/);
  });

  it('stands in the plan, in the order in which it is done', async () => {
    const home = await shop();
    configure(home, {
      db: { run: 'sleep 2000' },
      first: { run: SLEEP, needs: ['second'] },
      second: { run: SLEEP },
    });
    const plan = await home.upkeep('plan');
    const rows = plan.stdout.split('\n').map((line) => line.trim().split(/\s{2,}/));
    expect(rows).toEqual([
      ['NAME', 'ACTION', 'WHY'],
      ['db', 'restart', expect.stringMatching(/^a new process is needed for run/)],
      ['api', 'restart', 'needs db'],
      ['web', 'restart', 'needs api'],
      ['agent', 'restart', 'restarts with web'],
      ['second', 'start', 'new'],
      ['first', 'start', 'new'],
      [''],
    ]);
    const pids = await Promise.all(['db', 'api', 'web', 'agent'].map((name) => home.running(name)));
    expect((await home.upkeep('apply')).code).toBe(0);
    await home.running('first');
    await home.running('web', pids[2]);
    expect(pids.map((pid) => isAlive(pid))).toEqual([false, false, false, false]);
    expect((await home.upkeep('plan')).stdout).toBe('nothing changes\nno action: 6 services\n');
  });
});

describe('graph', () => {
  it('shows who needs whom, of the keeper and of a file, and says 4 without a keeper', async () => {
    const home = newHome();
    configure(home);
    expect((await home.upkeep('graph')).code).toBe(4);
    const written = await home.upkeep('graph', '--config', home.config);
    expect(written.stdout).toBe(
      'web  supervised\n  needs api  supervised\n    needs db  supervised\nagent  supervised\n  restarts with web  (above)\n',
    );
    await home.start();
    await home.running('web');
    await home.running('agent');
    const kept = await home.upkeep('graph');
    expect(kept.stdout).toBe(written.stdout.replaceAll('supervised', 'running'));
    const { version, services }: GraphDocument = JSON.parse((await home.upkeep('graph', 'db', '--json')).stdout);
    expect([version, services.map(({ name }) => name)]).toEqual([1, ['web', 'api', 'db', 'agent']]);
    expect((await home.upkeep('graph', '--dot')).stdout).toContain('  "web" -> "api";\n');
  });
});
