// The promise: Debian's servers are replaced without a lost request, as they are: by a successor that they start themselves, which
// Upkeep follows; by their next generation on the sockets that Upkeep holds; and by a reload that they tell of.

import { chownSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, startLoad } from '../support/handing-over.js';
import {
  forgetEverything,
  inState,
  Keeper,
  runningAs,
  status,
  upkeep,
  writeConfig,
} from '../support/sandbox-keeper.js';
import { isAlive, processes, run, until } from '../support/sandbox-machine.js';
import { furnish, HAPROXY, REPLACING, successorOf, TAKING } from '../support/sandbox-servers.js';

const PROXY = { port: 8120, to: TAKING[0]?.port };
const CLUSTER = '/var/lib/graceful-postgres';
const RUN = '/run/graceful-postgres';
const POSTGRES = `/usr/lib/postgresql/${readdirSync('/usr/lib/postgresql').at(-1)}/bin`;

const CONFIG = `
services:
${[...REPLACING, ...TAKING, HAPROXY].map(({ name, service }) => `  ${name}: { ${service} }`).join('\n')}
  proxy:
    run: /usr/lib/systemd/systemd-socket-proxyd 127.0.0.1:${PROXY.to}
    sockets: { http: { listen: "127.0.0.1:${PROXY.port}", lazy: true } }
  postgres:
    run: ${POSTGRES}/postgres -D ${CLUSTER} -k ${RUN} -h ''
    user: postgres
    directories: ${RUN}
    ready: notify
    stop: SIGINT
    reload: SIGHUP
`;

let keeper: Keeper | null = null;

beforeAll(async () => {
  forgetEverything();
  furnish();
  makeCluster();
  writeConfig(CONFIG);
  keeper = await Keeper.start();
});

afterAll(async () => {
  await keeper?.stop();
  forgetEverything();
  rmSync(CLUSTER, { recursive: true, force: true });
});

const as = ['--reuid=postgres', '--regid=postgres', '--clear-groups'];

function makeCluster(): void {
  rmSync(CLUSTER, { recursive: true, force: true });
  mkdirSync(CLUSTER, { mode: 0o700 });
  chownSync(CLUSTER, Number(run('id', ['-u', 'postgres']).stdout), -1);
  const made = run('setpriv', [...as, `${POSTGRES}/initdb`, '--no-sync', '-A', 'trust', '-D', CLUSTER]);
  if (made.code !== 0) throw new Error(`initdb: ${made.stderr}`);
}

/** The main process of this service once it runs, as another than `old`. */
async function mainOf(name: string, old = 0): Promise<number> {
  const pid = await until(`${name} runs as another process than ${old}`, () => {
    const { state, process: main } = status(name);
    return state === 'running' && main?.pid !== old && main?.pid;
  });
  return pid;
}

const serves = (port: number): Promise<number> => until(`port ${port} answers`, async () => (await ask(port)).pid);

/** What clients lose while this is done. Each has a fresh connection for each request: an idle one may be closed at any time. */
async function lostDuring(port: number, what: () => Promise<void>): Promise<readonly string[]> {
  await serves(port);
  const load = startLoad(port, { kept: 0, fresh: 4 });
  const more = (): Promise<true> => {
    const before = load.answered();
    return until('it serves', () => load.answered() > before + 20);
  };
  await more();
  await what();
  await more();
  await load.end();
  return load.lost;
}

/** Who is watched instead leaves workers that nobody can tell from a stranger's, once its main process was born of another. */
const OURS = REPLACING.filter(({ service }) => service.startsWith('run: '));

const each = <T extends { readonly name: string }>(all: readonly T[]) => all.map((one) => [one.name, one] as const);
const history = (name: string): string => upkeep('history', name).stdout;

describe('a program that starts its own successor', () => {
  it.each(each(REPLACING))('%s, is followed to it, and no restart is counted (graceful D17)', async (name, one) => {
    let old = await mainOf(name);
    const lost = await lostDuring(one.port, async () => {
      for (let i = 0; i < 3; i++) {
        process.kill(old, 'SIGUSR2');
        const next = await successorOf(old);
        process.kill(old, 'SIGWINCH');
        process.kill(old, one.end);
        await runningAs(name, next);
        expect(history(name)).toContain(`handed over from pid ${old} to pid ${next}`);
        old = next;
      }
    });
    expect(lost).toEqual([]);
    expect(status(name)).toMatchObject({ state: 'running', restarts: { total: 0 } });
  });

  it.each(each(OURS))('%s, is started again when the successor is killed', async (name, { port }) => {
    const old = await mainOf(name);
    process.kill(old, 'SIGKILL');
    await mainOf(name, old);
    await serves(port);
    expect(status(name)).toMatchObject({ restarts: { total: 1 }, lastDeath: { pid: old, signal: 'SIGKILL' } });
  });

  it.each(each(OURS))('%s, has ended when it leaves none', async (name, { port, end }) => {
    const old = await mainOf(name);
    process.kill(old, end);
    await mainOf(name, old);
    await serves(port);
    expect(status(name)).toMatchObject({ restarts: { total: 2 }, lastDeath: { pid: old, text: 'exited with code 0' } });
  });
});

describe('a server on a socket that Upkeep holds', () => {
  it.each(each(TAKING))(
    '%s, is restarted five times without a lost request (graceful B9, D16)',
    async (name, { port }) => {
      let old = await mainOf(name);
      const lost = await lostDuring(port, async () => {
        for (let i = 0; i < 5; i++) {
          expect(upkeep('restart', name)).toMatchObject({ code: 0, stderr: '' });
          const next = await mainOf(name, old);
          await until('the old one has finished', () => !isAlive(old));
          old = next;
        }
      });
      expect(lost).toEqual([]);
      expect(status(name)).toMatchObject({ state: 'running', restarts: { total: 0 } });
      expect(history(name)).not.toContain('was ended');
    },
  );

  it.each(each(TAKING))('%s, is started again when it is killed, and nothing of it is left', async (name, { port }) => {
    const old = await mainOf(name);
    const workers = processes().filter(({ ppid }) => ppid === old);
    process.kill(old, 'SIGKILL');
    await mainOf(name, old);
    await serves(port);
    expect(workers.filter(({ pid }) => isAlive(pid))).toEqual([]);
    expect(status(name)).toMatchObject({ restarts: { total: 1 }, lastDeath: { pid: old, signal: 'SIGKILL' } });
  });

  it('is systemd’s own proxy, which is started by the first who connects', async () => {
    expect(status('proxy')).toMatchObject({ state: 'waiting', process: null });
    await mainOf('gunicorn-passed');
    expect(await ask(PROXY.port)).toHaveProperty('pid');
    const old = await mainOf('proxy');
    expect(upkeep('restart', 'proxy').code).toBe(0);
    await mainOf('proxy', old);
    expect(await ask(PROXY.port)).toHaveProperty('pid');
  });
});

describe('a daemon of systemd’s type notify', () => {
  it('shows what it says of itself', async () => {
    await mainOf('gunicorn');
    await until('it says so', () => JSON.stringify(status('gunicorn')).includes('Gunicorn arbiter booted'));
  });

  it('may be HAProxy, which is reloaded without a lost request', async () => {
    const main = await mainOf('haproxy');
    const lost = await lostDuring(HAPROXY.port, async () => {
      for (let i = 0; i < 5; i++) {
        const before = (await ask(HAPROXY.port)).pid;
        expect(upkeep('reload', 'haproxy')).toMatchObject({ code: 0, stderr: '' });
        await until('the old worker has ended', () => !isAlive(before));
      }
    });
    expect(lost).toEqual([]);
    expect(status('haproxy')).toMatchObject({ process: { pid: main }, restarts: { total: 0 } });
  });

  it('may be PostgreSQL, which reloads, and is stopped fast with a client that stays', async () => {
    const main = await mainOf('postgres');
    const sql = (text: string): string => {
      const { code, stdout, stderr } = run('psql', ['-X', '-A', '-t', '-h', RUN, '-U', 'postgres', '-c', text]);
      if (code !== 0) throw new Error(stderr);
      return stdout.trim();
    };
    // Ready, as it has said itself: the first question is answered.
    expect(sql('show work_mem')).toBe('4MB');
    sql("alter system set work_mem = '5MB'");
    expect(upkeep('reload', 'postgres').code).toBe(0);
    await until('it has read them', () => sql('show work_mem') === '5MB');
    expect(status('postgres').process?.pid).toBe(main);
    expect(upkeep('stop', 'postgres').code).toBe(0);
    await inState('postgres', 'stopped');
    expect(upkeep('logs', 'postgres').stdout).toContain('received fast shutdown request');
  });
});
