// What must be right before a start: the directories of a service are there, nothing of an earlier life is in its way, and
// its sockets are open.
// Asks off the loop, a few services at a time, and waits for no file system for ever. It must not know why somebody is
// started, nor what becomes of a start that cannot go on.

import { errorCode } from '../core/error-text.js';
import type { ServiceName, ServiceSpec } from '../core/spec.js';
import type { Post, Report } from '../keeper/ports.js';
import { mountPointOf } from './cgroup-mounts.js';
import { cleanPath } from './clean-path.js';
import { type FileCalls, realCalls } from './file-calls.js';
import { Refusal, Walk } from './held-path.js';
import type { Holder } from './holders.js';
import { makeDirectory } from './make-directory.js';
import { ownerOf } from './owner.js';

export interface PreparationParts {
  readonly post: Post;
  readonly report: Report;
  /** The processes of a service that live. */
  readonly living: (service: ServiceName) => Promise<readonly number[]>;
  /** Opens the sockets of a service. @throws Refusal */
  readonly open: (spec: ServiceSpec, walk: Walk) => Promise<void>;
  readonly calls?: FileCalls;
  /** How long a file system may take for one service, in ms. */
  readonly patience?: number;
}

// Longer than a disk that sleeps takes to spin up, shorter than a start is given as a rule (`ready` has 30 s).
const PATIENCE = 10_000;

const LANES = 2;
// A call that does not return holds its thread of libuv's four, and the keeper needs one of them.
const THREADS = 3;

interface Order {
  readonly spec: ServiceSpec;
  readonly generation: number;
}

export class Preparations {
  readonly #parts: PreparationParts;
  readonly #calls: FileCalls;
  readonly #queue: Order[] = [];
  readonly #walking = new Map<Walk, NodeJS.Timeout>();
  /** Those that nobody waits for any more, though their call has not returned, by the mount point of what does not answer. */
  readonly #lost = new Map<Walk, string>();
  /** Who has what, as it was reported. */
  readonly #told = new Map<string, string>();
  #life: 'open' | 'closed' = 'open';

  constructor(parts: PreparationParts) {
    this.#parts = parts;
    this.#calls = parts.calls ?? realCalls;
  }

  /** `yes`: a file system has not answered yet. */
  get isUnderWay(): 'yes' | 'no' {
    return this.#walking.size + this.#lost.size > 0 ? 'yes' : 'no';
  }

  /** Answers with `prepared`: at once where there is nothing to do. */
  begin(spec: ServiceSpec, generation: number): void {
    const order = { spec, generation };
    if (spec.directories.length === 0 && spec.clean.length === 0 && spec.sockets.length === 0) {
      this.#answer(order, null);
      return;
    }
    this.#queue.push(order);
    this.#next();
  }

  close(): void {
    this.#life = 'closed';
    this.#queue.length = 0;
    for (const [walk, timer] of this.#walking) {
      clearTimeout(timer);
      walk.giveUp();
    }
  }

  #next(): void {
    while (this.#queue.length > 0) {
      if (this.#walking.size >= LANES) return;
      const isFull = this.#walking.size + this.#lost.size >= THREADS;
      if (isFull && this.#lost.size < THREADS) return;
      const order = this.#queue.shift();
      if (order === undefined) return;
      const silent = isFull ? [...this.#lost.values()].join(' and ') : this.#silentMount(order.spec);
      if (silent === null) this.#start(order);
      else this.#answer(order, `the file system at ${silent} does not answer: look at its disk or server`);
    }
  }

  #start(order: Order): void {
    const walk = new Walk(process.geteuid?.() ?? 0, this.#calls);
    const patience = this.#parts.patience ?? PATIENCE;
    const timer = setTimeout(() => this.#lose(order, walk, patience), patience);
    this.#walking.set(walk, timer);
    this.#prepare(order.spec, walk)
      .then(
        () => null,
        (error: unknown) => this.#problemOf(error, walk),
      )
      .then((problem) => {
        walk.close();
        this.#lost.delete(walk);
        clearTimeout(timer);
        // If it is not there, its order was answered.
        if (this.#walking.delete(walk)) this.#answer(order, problem);
        this.#next();
      })
      .catch((error: unknown) => this.#parts.report(`the start of ${order.spec.name} was prepared for nobody`, error));
  }

  async #prepare(spec: ServiceSpec, walk: Walk): Promise<void> {
    const owner = ownerOf(spec.settings, walk.self);
    for (const directory of spec.directories) await makeDirectory(directory, owner, walk);
    let living: Promise<readonly number[]> | null = null;
    const ask = (): Promise<readonly number[]> => {
      living ??= this.#parts.living(spec.name);
      return living;
    };
    for (const path of spec.clean) this.#tell(spec.name, path, await cleanPath(path, walk, ask));
    if (spec.sockets.length > 0) await this.#parts.open(spec, walk);
  }

  /** Its file system does not answer: the start fails, and the call is left to return when it likes. */
  #lose({ spec, generation }: Order, walk: Walk, patience: number): void {
    walk.giveUp();
    this.#walking.delete(walk);
    this.#lost.set(walk, mountPointOf(walk.at));
    const problem = `${walk.at} does not answer: nothing has come from its file system for ${patience / 1000} s`;
    this.#answer({ spec, generation }, `${problem}; look at its disk or server`);
    this.#next();
  }

  /** The mount point of a path of this service from which an earlier question is not answered yet. */
  #silentMount({ directories, clean }: ServiceSpec): string | null {
    if (this.#lost.size === 0) return null;
    const silent = new Set(this.#lost.values());
    const paths = [...directories.map(({ path }) => path), ...clean];
    return paths.map(mountPointOf).find((mount) => silent.has(mount)) ?? null;
  }

  #problemOf(error: unknown, walk: Walk): string {
    if (error instanceof Refusal) return error.message;
    const code = errorCode(error);
    return `${walk.at} cannot be prepared: ${MEANINGS[code] ?? code}`;
  }

  #tell(service: ServiceName, path: string, holder: Holder | null): void {
    const key = `${service} ${path}`;
    if (holder === null) {
      this.#told.delete(key);
      return;
    }
    const said = `${path} is left there before the start of ${service}: its process ${holder.pid} ${DOES[holder.how]}`;
    if (this.#told.get(key) !== said) this.#parts.report(said, null);
    this.#told.set(key, said);
  }

  #answer({ spec, generation }: Order, problem: string | null): void {
    if (this.#life === 'open') this.#parts.post({ type: 'prepared', service: spec.name, generation, problem });
  }
}

const DOES: Readonly<Record<Holder['how'], string>> = {
  open: 'has it open',
  bound: 'is bound to it',
  hidden: 'may have it, and may not be looked into',
};

const MEANINGS: Readonly<Record<string, string>> = {
  EACCES: 'the user of the keeper has no right to it (EACCES)',
  EPERM: 'the user of the keeper has no right to it (EPERM)',
  EROFS: 'its file system is read-only (EROFS)',
  ENOSPC: 'its file system is full (ENOSPC)',
  EMFILE: 'the keeper has no descriptor left (EMFILE)',
};
