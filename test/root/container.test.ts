// Upkeep as PID 1 of a container: a PID namespace with a /proc of its own, and nothing above that would reap or clean up.

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { UPKEEP } from '../support/sandbox-keeper.js';
import { pause, processes, run, until } from '../support/sandbox-machine.js';

const directories: string[] = [];
const containers: Container[] = [];

afterEach(async () => {
  for (const container of containers.splice(0)) await container.kill();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function volume(): string {
  const path = mkdtempSync('/root/container-');
  directories.push(path);
  return path;
}

/** One life of a container. What it says is kept. */
class Container {
  readonly #outer: number;
  readonly ended: Promise<number | null>;
  readonly #env: NodeJS.ProcessEnv;
  text = '';

  /** `command`: what PID 1 is. */
  constructor(path: string, command: readonly string[]) {
    this.#env = {
      ...{ PATH: process.env.PATH, LANG: 'C.UTF-8', UPKEEP_CONFIG: join(path, 'upkeep.yaml'), GREETING: 'hello' },
      ...{
        UPKEEP_RUNTIME_DIR: join(path, 'run'),
        UPKEEP_STATE_DIR: join(path, 'state'),
        UPKEEP_LOG_DIR: join(path, 'log'),
      },
    };
    const args = ['--pid', '--fork', '--kill-child', '--mount-proc', '--', ...command];
    const child = spawn('unshare', args, { stdio: ['ignore', 'pipe', 'pipe'], env: this.#env, detached: true });
    const keep = (chunk: Buffer): void => {
      this.text += chunk.toString('utf8');
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    this.#outer = child.pid ?? 0;
    this.ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
    containers.push(this);
  }

  /** PID 1 as it is seen from outside. */
  async first(): Promise<number> {
    return until('its PID 1', () => processes().find(({ ppid }) => ppid === this.#outer)?.pid);
  }

  async signal(signal: NodeJS.Signals): Promise<void> {
    process.kill(await this.first(), signal);
  }

  /** Runs a command inside. */
  async inside(...command: readonly string[]): Promise<ReturnType<typeof run>> {
    const args = ['-t', String(await this.first()), '-p', '-m', '--', ...command];
    return run('nsenter', args, { env: this.#env });
  }

  upkeep(...args: readonly string[]): Promise<ReturnType<typeof run>> {
    return this.inside(process.execPath, UPKEEP, ...args);
  }

  async status(): Promise<{
    keeper: { pid: number };
    services: { name: string; state: string; process: { pid: number } | null }[];
  }> {
    return JSON.parse((await this.upkeep('status', '--json')).stdout);
  }

  /** The pid, inside, of this service once it runs as another than `old`. */
  running(name: string, old = 0): Promise<number> {
    return until(`${name} runs\n${this.text}`, async () => {
      const service = (await this.status()).services.find((one) => one.name === name);
      return service?.state === 'running' && service.process?.pid !== old ? service.process?.pid : undefined;
    });
  }

  async kill(): Promise<void> {
    try {
      process.kill(this.#outer, 'SIGKILL');
    } catch {
      // It has ended already.
    }
    await this.ended;
  }
}

const keeper = (...args: readonly string[]): readonly string[] => [process.execPath, UPKEEP, 'run', ...args];

function configure(path: string, services: unknown, rest: object = {}): void {
  mkdirSync(path, { recursive: true });
  const defaults = { ready: { alive: '100ms' } };
  writeFileSync(join(path, 'upkeep.yaml'), JSON.stringify({ ...rest, defaults, services }));
}

const zombies = async (container: Container): Promise<string> =>
  (await container.inside('ps', '-eo', 'stat=,pid=,args=')).stdout
    .split('\n')
    .filter((line) => line.startsWith('Z'))
    .join('\n');

describe.each([
  ['the keeper', false],
  ['the guard', true],
])('a container with %s as PID 1', (_who, guard) => {
  it('stops its services in order at SIGTERM, and exits 0', async () => {
    const path = volume();
    const note = (name: string): string =>
      `trap 'echo ${name} >>${path}/order; exit 0' TERM; while :; do sleep 0.1; done`;
    configure(
      path,
      { web: { run: ['sh', '-c', note('web')] }, db: { run: ['sh', '-c', note('db')] } },
      { keeper: { guard } },
    );
    const container = new Container(path, keeper());
    await container.running('web');
    await container.running('db');
    await container.signal('SIGTERM');
    expect(await container.ended).toBe(0);
    expect(readFileSync(join(path, 'order'), 'utf8').trim().split('\n').toSorted()).toEqual(['db', 'web']);
  });

  it('reaps what nobody else does, and signals that no program expects do not end it', async () => {
    const path = volume();
    // Each child of its own dies as an orphan, a hundred of them.
    const orphans = 'for i in $(seq 100); do (sleep 0.2 &) ; done; exec sleep 1000';
    configure(path, { web: { run: ['sh', '-c', orphans] } }, { keeper: { guard } });
    const container = new Container(path, keeper());
    const pid = await container.running('web');
    for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGQUIT', 'SIGPIPE', 'SIGALRM', 'SIGWINCH'] as const) {
      if (!(guard && signal === 'SIGUSR1')) await container.signal(signal);
    }
    await until('no zombie is left', async () => (await zombies(container)) === '');
    expect(await container.running('web')).toBe(pid);
    await container.signal('SIGINT');
    expect(await container.ended).toBe(0);
  });

  it('ends with --exit-with as that service did', async () => {
    const path = volume();
    configure(
      path,
      { job: { run: ['sh', '-c', 'sleep 0.5; kill -SEGV $$'], restart: 'never' }, web: { run: 'sleep 1000' } },
      { keeper: { guard } },
    );
    const container = new Container(path, keeper('--exit-with', 'job'));
    expect(await container.ended).toBe(139);
  });

  it('is not deceived by a runtime directory of the container before it', async () => {
    const path = volume();
    configure(path, { web: { run: 'sleep 1000' } }, { keeper: { guard } });
    const first = new Container(path, keeper());
    await first.running('web');
    await first.kill();
    // A stranger has the same pids now.
    const second = new Container(path, [
      'sh',
      '-c',
      `for i in $(seq 60); do sleep 2000 & done; exec "$@"`,
      'sh',
      ...keeper(),
    ]);
    await second.running('web');
    const strangers = (await second.inside('pgrep', '-fc', 'sleep 2000')).stdout.trim();
    expect(strangers).toBe('60');
    await second.signal('SIGTERM');
    expect(await second.ended).toBe(0);
  });

  it('that cannot read its configuration ends at once, and says why', async () => {
    const path = volume();
    configure(path, { web: { run: 'sleep 1000', nonsense: 1 } }, { keeper: { guard } });
    const container = new Container(path, keeper());
    expect(await container.ended).toBe(1);
    expect(container.text).toMatch(/nonsense/);
  });
});

describe('a guarded container', () => {
  it('survives the death of its keeper', async () => {
    const path = volume();
    configure(path, { web: { run: 'sleep 1000' } }, { keeper: { guard: true } });
    const container = new Container(path, keeper());
    const pid = await container.running('web');
    for (let life = 0; life < 3; life += 1) {
      const old = (await container.status()).keeper.pid;
      expect(old).not.toBe(1);
      await container.inside('kill', '-9', String(old));
      await until('another keeper', async () => (await container.status()).keeper.pid !== old);
    }
    expect(await container.running('web')).toBe(pid);
    // Its parent is the guard now, who is not its keeper: the death is seen, and it is started again.
    await container.inside('kill', '-9', String(pid));
    await container.running('web', pid);
    await until('no zombie is left', async () => (await zombies(container)) === '');
    await container.signal('SIGTERM');
    expect(await container.ended).toBe(0);
  });
});

describe('a container of one command', () => {
  it('keeps it without a file, and prints what it prints', async () => {
    const path = volume();
    const container = new Container(path, keeper('--', 'sh', '-c', 'echo "$GREETING from $$"; exec sleep 1000'));
    const pid = await container.running('sh');
    await container.inside('kill', '-9', String(pid));
    const next = await container.running('sh', pid);
    await until('its words', () => container.text.includes(`hello from ${next}`));
    expect(container.text).toContain(`hello from ${pid}`);
    await container.signal('SIGTERM');
    expect(await container.ended).toBe(0);
    await pause(0);
  });
});
