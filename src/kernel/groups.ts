// A control group for each supervised service: who belongs to it even after double forks and new sessions, killing
// them all at once, and a memory limit where a controller is to be had. Every write that moves a process waits for a
// grace period of the kernel (7 ms measured), so none is made on the loop. It must not know why somebody is killed.

import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../core/error-text.js';
import type { OomKill, ProcessRef } from '../core/process.js';
import type { ServiceName } from '../core/spec.js';
import type { Report } from '../keeper/ports.js';
import { groupAt } from './cgroup-mounts.js';
import { oomKillsCounted } from './memory-group.js';
import { type Newcomer, Newcomers, type Orphan, type WriteOffLoop } from './newcomers.js';
import { OomWatch } from './oom-watch.js';
import { readText } from './processes-of.js';
import type { Pump } from './pump.js';

export interface GroupPlaces {
  /** Where groups may be made, from cgroup-mounts.ts; null: none. */
  readonly base: string | null;
  readonly memoryV1: string | null;
  /** Tells keepers of one host apart and is the same when a keeper comes back: a word made from its runtime directory. */
  readonly instance: string;
}

export class Groups {
  readonly #root: string | null;
  readonly #memoryRoot: string | null;
  readonly #memory: 'v2' | 'v1' | 'no';
  readonly #write: WriteOffLoop;
  readonly #report: Report;
  readonly #newcomers: Newcomers;
  readonly #placed = new Map<ServiceName, ProcessRef>();
  #oomWatch: OomWatch | null = null;

  /** `orphans`: those of all services that have come to us. */
  constructor(
    places: GroupPlaces,
    report: Report,
    orphans: () => readonly Orphan[],
    write: WriteOffLoop = writeInPool,
  ) {
    this.#newcomers = new Newcomers({
      ...{ orphans, write, report },
      prepare: (newcomer) => this.#prepare(newcomer),
      onMoved: ({ service, process }) => this.#placed.set(service, process),
    });
    this.#write = write;
    this.#report = report;
    this.#root = places.base === null ? null : rootIn(places.base, places.instance);
    const v2 = this.#root !== null && places.base !== null && delegatesMemory(places.base);
    this.#memoryRoot = v2 || places.memoryV1 === null ? null : rootIn(places.memoryV1, places.instance);
    this.#memory = v2 ? 'v2' : this.#memoryRoot !== null ? 'v1' : 'no';
    if (v2 && this.#root !== null) {
      mkdirSync(this.#root, { recursive: true });
      void this.#try(`${this.#root}/cgroup.subtree_control`, '+memory');
    }
  }

  /** Can `memory` of a service be enforced here? */
  get enforcesMemory(): 'yes' | 'no' {
    return this.#memory === 'no' ? 'no' : 'yes';
  }

  /** Where the kernel itself ends only one process of a group that is over its limit, the others are ended with it. */
  endWholeGroups(pump: Pump): void {
    if (this.#memory === 'v1') this.#oomWatch = new OomWatch(pump, this.#report);
  }

  /** Moves a new main process, and what it has forked meanwhile, into the group of its service, soon. */
  place(service: ServiceName, process: ProcessRef, memory: number | null): void {
    if (this.#root === null && (memory === null || this.#memoryRoot === null)) return;
    this.#newcomers.add({ service, process, memory });
  }

  /** Is all that this process has started surely in the group? Not within the first milliseconds of its life. */
  isPlaced(service: ServiceName, process: ProcessRef): boolean {
    const placed = this.#placed.get(service);
    return placed?.pid === process.pid && placed.startTicks === process.startTicks;
  }

  /** A process of an earlier keeper: is it, and so all that it has started, in its group already? */
  recognize(service: ServiceName, process: ProcessRef): void {
    if (this.members(service).includes(process.pid)) this.#placed.set(service, process);
    const limited = this.#memoryRoot === null ? null : this.#dir(this.#memoryRoot, service);
    if (limited !== null && pidsIn(limited).includes(process.pid)) this.#oomWatch?.watch(limited);
  }

  /** Pids in the group, zombies not among them; empty where there is none. */
  members(service: ServiceName): readonly number[] {
    return this.#root === null ? [] : pidsIn(this.#dir(this.#root, service));
  }

  /**
   * SIGKILL to every member at once, also to those that are being forked (5.14); elsewhere nothing happens. Settles when the
   * kernel has done it: whoever joined the group before that would be killed too. Never rejects.
   */
  async kill(service: ServiceName): Promise<void> {
    if (this.#root !== null) await this.#try(`${this.#dir(this.#root, service)}/cgroup.kill`, '1');
  }

  /** From now on: asks whether the kernel has killed somebody in the group for want of memory since. Its counter does not say whom. */
  oomKillSince(service: ServiceName): () => OomKill | null {
    const group = this.#memoryGroup(service);
    const before = group === null ? null : (oomKillsCounted(group.counter) ?? 0);
    return () => {
      const now = group === null ? null : oomKillsCounted(group.counter);
      if (group === null || before === null || now === null || now <= before) return null;
      const limit = Number(readText(group.limit));
      return {
        ...{ group: groupAt(group.directory), scope: 'group', limit: Number.isSafeInteger(limit) ? limit : null },
        ...{ held: null, mapped: null, source: 'counter' },
      };
    };
  }

  /** Milliseconds of processor that the group has used since it was made, by whoever was in it; null where that is not counted. */
  cpuTime(service: ServiceName): number | null {
    if (this.#root === null) return null;
    const used = /^usage_usec (\d+)$/m.exec(readText(`${this.#dir(this.#root, service)}/cpu.stat`))?.[1];
    return used === undefined ? null : Number(used) / 1000;
  }

  /** What the service has held at most since its main process was started, in bytes; null where the group does not tell: the newer hierarchy counts over all generations. */
  peakMemory(service: ServiceName): number | null {
    if (this.#memoryRoot === null) return null;
    const peak = readText(`${this.#dir(this.#memoryRoot, service)}/memory.max_usage_in_bytes`);
    return peak === '' ? null : Number(peak);
  }

  /** Where its memory is counted; it need not be there yet. */
  #memoryGroup(
    service: ServiceName,
  ): { readonly directory: string; readonly counter: string; readonly limit: string } | null {
    const root = this.#memoryRoot ?? (this.#memory === 'v2' ? this.#root : null);
    if (root === null) return null;
    const directory = this.#dir(root, service);
    const [counter, limit] =
      this.#memoryRoot === null ? ['memory.events', 'memory.max'] : ['memory.oom_control', 'memory.limit_in_bytes'];
    return { directory, counter: `${directory}/${counter}`, limit: `${directory}/${limit}` };
  }

  /** Removes the groups that are empty; living services keep theirs. */
  close(): void {
    this.#newcomers.close();
    this.#oomWatch?.close();
    for (const root of [this.#root, this.#memoryRoot]) {
      if (root === null || !existsSync(root)) continue;
      for (const entry of readdirSync(root, { withFileTypes: true }))
        if (entry.isDirectory()) removeIfEmpty(join(root, entry.name));
      removeIfEmpty(root);
    }
  }

  /** The files that take its pid. */
  async #prepare({ service, memory }: Newcomer): Promise<readonly string[]> {
    const targets: string[] = [];
    if (this.#memoryRoot !== null && memory !== null) {
      const dir = this.#dir(this.#memoryRoot, service);
      await mkdir(dir, { recursive: true });
      await this.#write(`${dir}/memory.limit_in_bytes`, String(memory));
      await this.#write(`${dir}/memory.max_usage_in_bytes`, '0'); // of this generation
      this.#oomWatch?.watch(dir);
      targets.push(`${dir}/cgroup.procs`);
    }
    if (this.#root !== null) {
      const dir = this.#dir(this.#root, service);
      await mkdir(dir, { recursive: true });
      if (this.#memory === 'v2') await this.#write(`${dir}/memory.max`, memory === null ? 'max' : String(memory));
      if (this.#memory === 'v2') await this.#write(`${dir}/memory.oom.group`, memory === null ? '0' : '1');
      targets.push(`${dir}/cgroup.procs`);
    }
    return targets;
  }

  async #try(path: string, text: string): Promise<void> {
    try {
      await this.#write(path, text);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') this.#report(`${path} could not be written`, error);
    }
  }

  /** With a suffix, so that no service can be called like a file of the kernel's. */
  #dir(root: string, service: ServiceName): string {
    return join(root, `${encodeURIComponent(service)}.service`);
  }
}

const pidsIn = (directory: string): readonly number[] =>
  readText(`${directory}/cgroup.procs`).split('\n').filter(Boolean).map(Number);

const writeInPool: WriteOffLoop = (path, text) => writeFile(path, text, { flag: 'r+' });

/** Where ours are to be. Made with the first of them: a keeper that is killed leaves no empty group behind. */
const rootIn = (base: string, instance: string): string => join(base, `upkeep.${instance}`);

/** Does our own group hand the memory controller on to groups below? Switching that on is for whoever set the group up: we ourselves live in it. */
const delegatesMemory = (base: string): boolean =>
  readText(`${base}/cgroup.subtree_control`).split(/\s/).includes('memory');

function removeIfEmpty(dir: string): void {
  try {
    rmdirSync(dir);
  } catch {
    // EBUSY: somebody lives there
  }
}
