// A thread that may wait for a disk. Owns its life: started with the first job, started again when it breaks, never
// waited for but in `flush`. It must not know what the jobs are; worker.ts (logs) and recorder.ts (history, outbox) compose
// what is done with them.

import { Worker } from 'node:worker_threads';
import type { Report } from '../keeper/ports.js';

/** Something for the disk thread to do. A later job with the same key replaces one that has not been begun. */
export interface DiskJob {
  readonly key: string;
  /** `standing`: it holds until a job of the same key replaces it, and is given again to a new thread. */
  readonly lasts: 'once' | 'standing';
}

/** What the thread is sent, and what it answers. `news` may come at any time. */
export interface JobForThread<Job> {
  readonly number: number;
  readonly job: Job;
}
export type FromThread<News> =
  | { readonly type: 'done'; readonly number: number }
  | { readonly type: 'news'; readonly news: News };

export interface DiskThreadOptions<Job, News> {
  /** For messages, like `disk thread`. */
  readonly name: string;
  readonly program: URL;
  /** Given to the thread as its workerData. */
  readonly setting: unknown;
  readonly onNews: (news: News) => void;
  /** This job was thrown away: too many waited, or the thread broke over it twice. */
  readonly onDropped?: (job: Job) => void;
  readonly report: Report;
}

// As many keys as there can sensibly be services with a log, twice. Over it the oldest job that is no standing one goes.
const CAPACITY = 20_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 30_000;
// A job that broke the thread may have been innocent; twice is no accident.
const CHANCES = 2;

interface InFlight<Job> {
  readonly number: number;
  readonly job: Job;
  /** On the clock of `performance.now`. */
  readonly since: number;
}

export class DiskThread<Job extends DiskJob, News> {
  readonly #options: DiskThreadOptions<Job, News>;
  readonly #pending = new Map<string, Job>();
  readonly #standing = new Map<string, Job>();
  readonly #broken = new Map<Job, number>();
  #worker: Worker | null = null;
  #inFlight: InFlight<Job> | null = null;
  #number = 0;
  #pause = FIRST_PAUSE_MS;
  #restart: NodeJS.Timeout | null = null;
  #dropped = 0;
  #life: 'open' | 'closed' = 'open';
  #waiting: Array<() => void> = [];

  constructor(options: DiskThreadOptions<Job, News>) {
    this.#options = options;
  }

  /** Jobs that were thrown away because too many waited, or because the thread broke over them. */
  get dropped(): number {
    return this.#dropped;
  }

  /** For how many milliseconds the disk has been busy with one job; 0: it waits for us. */
  get late(): number {
    return this.#inFlight === null ? 0 : performance.now() - this.#inFlight.since;
  }

  /** Hands a job over and returns at once, however the disk fares. Jobs are done one at a time, oldest key first. */
  send(job: Job): void {
    if (this.#life === 'closed') return;
    if (job.lasts === 'standing') this.#standing.set(job.key, job);
    else this.#standing.delete(job.key);
    this.#pending.set(job.key, job);
    if (this.#pending.size > CAPACITY) this.#dropOne();
    this.#next();
  }

  /** Resolves when everything handed over is done, or after `within` milliseconds: the disk may hang. */
  flush(within: number): Promise<'done' | 'late'> {
    if (this.#isIdle()) return Promise.resolve('done');
    return new Promise((resolve) => {
      // This timer is what keeps the process alive meanwhile: the thread does not.
      const timer = setTimeout(() => resolve('late'), within);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve('done');
      });
    });
  }

  /** Ends the thread without waiting for it. */
  close(): void {
    this.#life = 'closed';
    if (this.#restart !== null) clearTimeout(this.#restart);
    this.#pending.clear();
    this.#inFlight = null;
    this.#settle();
    this.#worker?.terminate().catch(() => {});
    this.#worker = null;
  }

  #isIdle(): boolean {
    return this.#pending.size === 0 && this.#inFlight === null;
  }

  #settle(): void {
    if (!this.#isIdle()) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #dropOne(): void {
    for (const job of this.#pending.values()) {
      if (job.lasts === 'standing') continue;
      this.#pending.delete(job.key);
      this.#countDrop(job, `the ${this.#options.name} is slow and too much waits for it`);
      return;
    }
  }

  #countDrop(job: Job, why: string): void {
    this.#dropped += 1;
    this.#options.report(`${why}; ${this.#dropped} jobs for it were dropped so far`, null);
    this.#options.onDropped?.(job);
  }

  #next(): void {
    if (this.#inFlight !== null || this.#restart !== null || this.#life === 'closed') return;
    for (const job of this.#pending.values()) {
      this.#pending.delete(job.key);
      this.#number += 1;
      this.#inFlight = { number: this.#number, job, since: performance.now() };
      try {
        this.#worker ??= this.#start();
        this.#worker.postMessage({ number: this.#number, job } satisfies JobForThread<Job>);
      } catch (error) {
        // No thread to be had (EAGAIN): the same as one that broke.
        this.#breaks(this.#worker, error);
      }
      return;
    }
    this.#settle();
  }

  #start(): Worker {
    const worker = new Worker(this.#options.program, {
      workerData: this.#options.setting,
      execArgv: [],
      // It holds a few chunks at a time. A small nursery keeps what the thread costs near 5 MB; running over the limit
      // ends the thread, not the process.
      resourceLimits: { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 128 },
    });
    worker.on('message', (message: FromThread<News>) => this.#hear(worker, message));
    worker.on('error', (error) => this.#breaks(worker, error));
    worker.on('exit', (code) => this.#breaks(worker, new Error(`it exited with code ${code}`)));
    // Last, because listening for messages takes the reference back.
    worker.unref();
    return worker;
  }

  #hear(worker: Worker, message: FromThread<News>): void {
    if (worker !== this.#worker) return;
    switch (message.type) {
      case 'news':
        this.#options.onNews(message.news);
        return;
      case 'done': {
        if (this.#inFlight?.number !== message.number) return;
        this.#broken.delete(this.#inFlight.job);
        this.#inFlight = null;
        this.#pause = FIRST_PAUSE_MS;
        this.#next();
        return;
      }
    }
  }

  /** Both `error` and `exit` come here; the first of them counts. */
  #breaks(worker: Worker | null, error: unknown): void {
    if (worker !== this.#worker) return;
    this.#worker = null;
    this.#options.report(`the ${this.#options.name} broke and is started again`, error);
    const unfinished = this.#inFlight?.job ?? null;
    this.#inFlight = null;
    const again = [...this.#standing.values()].filter((job) => job !== unfinished);
    const newer = [...this.#pending.values()].filter((job) => this.#standing.get(job.key) !== job);
    this.#pending.clear();
    for (const job of again) this.#pending.set(job.key, job);
    if (unfinished !== null) this.#giveChance(unfinished);
    for (const job of newer) this.#pending.set(job.key, job);
    this.#restart = setTimeout(() => {
      this.#restart = null;
      this.#next();
    }, this.#pause);
    this.#restart.unref();
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
  }

  #giveChance(job: Job): void {
    const times = (this.#broken.get(job) ?? 0) + 1;
    if (times < CHANCES) {
      this.#broken.set(job, times);
      this.#pending.set(job.key, job);
      return;
    }
    this.#broken.delete(job);
    if (this.#standing.get(job.key) === job) this.#standing.delete(job.key);
    this.#countDrop(job, `the ${this.#options.name} broke twice over the same job`);
  }
}
