// A real keeper from dist/ in a directory of its own, for the system tests: starts it, asks it by command and by socket,
// waits for what comes, and at the end leaves nothing behind. Knows nothing of what is tested.

import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';
import { realDisk } from '../../src/config/disk.js';
import { whyNotTrusted } from '../../src/config/ownership.js';
import { type Answer, call } from '../../src/control/client.js';
import type { ServiceStatus, Status } from '../../src/core/status.js';
import { findCgroupBase, findMemoryV1Base } from '../../src/kernel/cgroup-mounts.js';
import { type Ran, type Running, type RunOptions, readQuietly, signal, startProgram, within } from './running.js';

export const UPKEEP = fileURLToPath(new URL('../../bin/upkeep', import.meta.url));

/** A start counts soon, because a hundred starts are waited for. */
const READY = { alive: '200ms' };

/** Every process that a test starts carries it, whoever starts it for the test, so that the end finds all of them. */
const MARK = 'UPKEEP_TEST_HOME';

const homes: Home[] = [];

afterEach(async () => {
  for (const home of homes.splice(0)) await home.close();
});

export function newHome(): Home {
  const home = new Home();
  homes.push(home);
  return home;
}

/** The places of one keeper, and everything that happens in them. Closed by itself after the test. */
export class Home {
  readonly path: string;
  readonly config: string;
  readonly socket: string;
  readonly #mark = randomBytes(8).toString('hex');
  readonly #running = new Set<Running>();
  #said: () => string = () => '';

  constructor() {
    this.path = mkdtempSync(join(placeFor(userInfo()), 'upkeep-test-'));
    this.config = this.at('upkeep.yaml');
    this.socket = this.at('run/control.sock');
  }

  at(name: string): string {
    return join(this.path, name);
  }

  /** A file below this directory; `mode` 0o755 makes it a program. */
  write(name: string, text: string, mode = 0o644): string {
    const path = this.at(name);
    mkdirSync(join(path, '..'), { recursive: true, mode: 0o755 });
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  }

  read(name: string): string {
    return existsSync(this.at(name)) ? readFileSync(this.at(name), 'utf8') : '';
  }

  /** The configuration, as JSON, which is YAML; every service gets the mark by which it is found at the end and counts as ready soon. */
  configure(services: Readonly<Record<string, unknown>>, rest: Readonly<Record<string, unknown>> = {}): void {
    this.write(
      'upkeep.yaml',
      JSON.stringify({ ...rest, defaults: { env: { [MARK]: this.#mark }, ready: READY }, services }, null, 1),
    );
  }

  get environment(): NodeJS.ProcessEnv {
    const { PATH, HOME } = process.env;
    return {
      ...{ PATH, HOME, LANG: 'C.UTF-8', [MARK]: this.#mark, UPKEEP_CONFIG: this.config },
      ...{ UPKEEP_RUNTIME_DIR: this.at('run'), UPKEEP_STATE_DIR: this.at('state'), UPKEEP_LOG_DIR: this.at('log') },
    };
  }

  /** Starts any program; its output is read all the time. */
  spawn(argv: readonly string[], { env = {}, before = [] }: RunOptions = {}): Running {
    const running = startProgram([...before, ...argv], { ...this.environment, ...env });
    this.#running.add(running);
    void running.ended.finally(() => this.#running.delete(running)).catch(() => {});
    return running;
  }

  /** A keeper in the foreground that answers. */
  async start(args: readonly string[] = [], options: RunOptions = {}): Promise<Running> {
    const keeper = this.launch(args, options);
    let life: 'goes on' | 'is over' = 'goes on';
    void keeper.ended.finally(() => {
      life = 'is over';
    });
    await this.until('the keeper answers', async () => {
      if (life === 'is over') throw new Error(`the keeper ended at once\n${keeper.said()}`);
      return (await this.get('/v1/status')).type === 'ok';
    });
    return keeper;
  }

  /** The history and the outbox were written once, so that what they hold open is open. */
  async recorded(): Promise<void> {
    await this.until('a state of the desk', () => this.read('state/outbox/desk.json') !== '');
  }

  /** The same as `start`, without waiting for it. */
  launch(args: readonly string[] = [], options: RunOptions = {}): Running {
    const keeper = this.spawn([process.execPath, UPKEEP, 'run', ...args], options);
    this.#said = keeper.said;
    return keeper;
  }

  /** Runs one command to its end. */
  upkeep(...args: readonly string[]): Promise<Ran> {
    const { ended, said } = this.spawn([process.execPath, UPKEEP, ...args]);
    return within(`the end of upkeep ${args.join(' ')}`, ended, said);
  }

  get(path: string): Promise<Answer> {
    return call({ socket: this.socket, method: 'GET', path, patience: 20_000 });
  }

  post(path: string, body: unknown = {}): Promise<Answer> {
    return call({ socket: this.socket, method: 'POST', path, body, patience: 40_000 });
  }

  async status(): Promise<Status> {
    const answer = await this.get('/v1/status');
    if (answer.type !== 'ok') throw new Error(`no status: ${JSON.stringify(answer)}`);
    return answer.body as Status;
  }

  async service(name: string): Promise<ServiceStatus> {
    const found = (await this.status()).services.find((service) => service.name === name);
    if (found === undefined) throw new Error(`there is no service ${name}`);
    return found;
  }

  /** The service once it is so. */
  async when(name: string, isSo: (service: ServiceStatus) => boolean): Promise<ServiceStatus> {
    let seen: ServiceStatus | null = null;
    const what = (): string => `${name} to be ${isSo.toString()}; it is ${JSON.stringify(seen)}`;
    await this.until(what, async () => {
      seen = await this.service(name);
      return isSo(seen);
    });
    return seen as unknown as ServiceStatus;
  }

  /** The pid of the service once it runs, as another process than `before`. */
  async running(name: string, before = 0): Promise<number> {
    const is = await this.when(
      name,
      ({ state, process }) => state === 'running' && (process?.pid ?? before) !== before,
    );
    return is.process?.pid ?? 0;
  }

  /** Polls until it is so. */
  async until(what: string | (() => string), isSo: () => boolean | Promise<boolean>, seconds = 60): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    while (!(await isSo())) {
      if (Date.now() > deadline)
        throw new Error(`waited for ${typeof what === 'string' ? what : what()}\n${this.#said()}`);
      await pause(20);
    }
  }

  /** The living processes that carry the mark of this home. */
  processes(): readonly number[] {
    const marked = (pid: string): boolean => readQuietly(`/proc/${pid}/environ`).includes(`${MARK}=${this.#mark}`);
    return readdirSync('/proc')
      .filter((entry) => /^\d+$/.test(entry) && marked(entry))
      .map(Number);
  }

  /** Ends what was started, the keepers first, so that nothing comes back; removes the directory. */
  async close(): Promise<void> {
    for (const { pid } of this.#running) signal(pid, 'SIGKILL');
    await this.until('an end of everything', () => {
      const left = [...this.processes(), ...this.#holders()];
      for (const pid of left) signal(pid, 'SIGKILL');
      return left.length === 0;
    });
    rmSync(this.path, { recursive: true, force: true });
    await this.#removeGroups();
  }

  /** A keeper that was killed leaves what holds its sockets for the next one of this directory. */
  #holders(): readonly number[] {
    const isOne = (pid: string): boolean =>
      readQuietly(`/proc/${pid}/environ`).includes(`UPKEEP_HOLDER=${this.at('run')}\0`);
    return readdirSync('/proc')
      .filter((entry) => /^\d+$/.test(entry) && isOne(entry))
      .map(Number);
  }

  /** A keeper that was killed leaves the control groups of its services for the next one of this directory. */
  async #removeGroups(): Promise<void> {
    const name = `upkeep.${createHash('sha256').update(this.at('run')).digest('hex').slice(0, 8)}`;
    for (const base of [findCgroupBase(), findMemoryV1Base()]) {
      const root = base === null ? '' : join(base, name);
      await this.until(`an end of ${root}`, () => isRemoved(root));
    }
  }
}

/** A process that has ended is in its group until it is reaped, which makes that EBUSY. */
function isRemoved(group: string): boolean {
  if (!existsSync(group)) return true;
  try {
    const entries = readdirSync(group, { withFileTypes: true });
    for (const { name } of entries.filter((entry) => entry.isDirectory())) rmdirSync(join(group, name));
    rmdirSync(group);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EBUSY') return false;
    throw error;
  }
}

/** Where a configuration is believed: a keeper of root's refuses what others could have put there. */
function placeFor({ uid, homedir }: { readonly uid: number; readonly homedir: string }): string {
  if (uid !== 0) return tmpdir();
  const place = [homedir, '/var/lib', '/run'].find((path) => whyNotTrusted(path, { uid }, realDisk) === null);
  if (place === undefined) throw new Error('there is no directory that root alone can write');
  return place;
}
