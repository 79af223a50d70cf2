// A control group for each generation of a supervised service: who belongs to it even after double forks and new sessions, killing
// them all at once, and a memory limit where a controller is to be had. Every write that moves a process waits for a
// grace period of the kernel (7 ms measured), so none is made on the loop. It must not know why somebody is killed.

import { existsSync, mkdirSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { mkdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../core/error-text.js';
import type { OomKill, ProcessRef } from '../core/process.js';
import type { ServiceName } from '../core/spec.js';
import type { Report } from '../keeper/ports.js';
import { groupAt } from './cgroup-mounts.js';
import { Homes, isNameOf, plainName } from './homes.js';
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
  readonly #homes: Homes;
  /** Groups whose members the kernel was told to kill, and has not said yet that it did. */
  readonly #doomed = new Set<string>();
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
      onMoved: ({ service, process }) => this.#homes.settle(service, process),
    });
    this.#homes = new Homes({
      membersOf: (name) => this.#pidsIn(name),
      isDoomed: (name) => this.#doomed.has(name),
      onLeft: (name) => void this.#remove(name),
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

  /** The group of a new main process is found: to be done before anything else is asked about it. */
  assign(service: ServiceName, process: ProcessRef, generation: number): void {
    this.#homes.assign(service, process, generation);
  }

  /** Moves a new main process, and what it has forked meanwhile, into the group of its generation, soon. */
  place(service: ServiceName, process: ProcessRef, generation: number, memory: number | null): void {
    if (this.#root === null && (memory === null || this.#memoryRoot === null)) return;
    this.assign(service, process, generation);
    this.#newcomers.add({ service, process, generation, memory });
  }

  /** Is all that this process has started surely in the group? Not within the first milliseconds of its life. */
  isPlaced(service: ServiceName, process: ProcessRef): boolean {
    return this.#homes.isSettled(service, process);
  }

  /** A process of an earlier keeper: is it, and so all that it has started, in its group already? */
  recognize(service: ServiceName, process: ProcessRef): void {
    this.#homes.recognize(service, process);
    if (this.#memoryRoot === null) return;
    const limited = join(this.#memoryRoot, this.#nameOf(service, process));
    if (pidsIn(limited).includes(process.pid)) this.#oomWatch?.watch(limited);
  }

  /** Pids in the group of the generation of this main process, or in those of all; zombies not among them. Empty where there is none. */
  members(service: ServiceName, process: ProcessRef | 'all' = 'all'): readonly number[] {
    const names = process === 'all' ? this.#namesOfAll(service) : this.#namesFor(service, process);
    return names.flatMap((name) => this.#pidsIn(name));
  }

  /** Is this the inode of the group of its generation? */
  hasInode(service: ServiceName, process: ProcessRef, inode: bigint): boolean {
    if (this.#root === null) return false;
    const directory = join(this.#root, this.#nameOf(service, process));
    return statSync(directory, { bigint: true, throwIfNoEntry: false })?.ino === inode;
  }

  /**
   * SIGKILL to every member of the generation at once, also to those that are being forked (5.14); elsewhere nothing happens.
   * Settles when the kernel has done it: whoever joined the group before that would be killed too. Never rejects.
   */
  async kill(service: ServiceName, process: ProcessRef): Promise<void> {
    const root = this.#root;
    if (root === null) return;
    const names = this.#namesFor(service, process);
    for (const name of names) this.#doomed.add(name);
    await Promise.all(names.map((name) => this.#try(`${join(root, name)}/cgroup.kill`, '1')));
    for (const name of names) this.#doomed.delete(name);
  }

  /** From now on: asks whether the kernel has killed somebody in the group for want of memory since. Its counter does not say whom. */
  oomKillSince(service: ServiceName, process: ProcessRef): () => OomKill | null {
    const group = this.#memoryGroup(service, process);
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

  /** Milliseconds of processor that the group of this generation has used since it was made, by whoever was in it; null where that is not counted. */
  cpuTime(service: ServiceName, process: ProcessRef): number | null {
    if (this.#root === null) return null;
    const used = /^usage_usec (\d+)$/m.exec(
      readText(`${join(this.#root, this.#nameOf(service, process))}/cpu.stat`),
    )?.[1];
    return used === undefined ? null : Number(used) / 1000;
  }

  /** What the generation has held at most since its main process was started, in bytes; null where the group does not tell: the newer hierarchy counts over all that were in a group. */
  peakMemory(service: ServiceName, process: ProcessRef): number | null {
    if (this.#memoryRoot === null) return null;
    const directory = join(this.#memoryRoot, this.#nameOf(service, process));
    const peak = readText(`${directory}/memory.max_usage_in_bytes`);
    return peak === '' ? null : Number(peak);
  }

  /** Where its memory is counted; it need not be there yet. */
  #memoryGroup(
    service: ServiceName,
    process: ProcessRef,
  ): { readonly directory: string; readonly counter: string; readonly limit: string } | null {
    const root = this.#memoryRoot ?? (this.#memory === 'v2' ? this.#root : null);
    if (root === null) return null;
    const directory = join(root, this.#nameOf(service, process));
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
  async #prepare({ service, process, generation, memory }: Newcomer): Promise<readonly string[]> {
    const targets: string[] = [];
    const name = this.#homes.assign(service, process, generation);
    if (this.#memoryRoot !== null && memory !== null) {
      const dir = join(this.#memoryRoot, name);
      await mkdir(dir, { recursive: true });
      await this.#write(`${dir}/memory.limit_in_bytes`, String(memory));
      await this.#write(`${dir}/memory.max_usage_in_bytes`, '0'); // of this generation
      this.#oomWatch?.watch(dir);
      targets.push(`${dir}/cgroup.procs`);
    }
    if (this.#root !== null) {
      const dir = join(this.#root, name);
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

  #nameOf(service: ServiceName, process: ProcessRef): string {
    return this.#homes.nameOf(service, process) ?? plainName(service);
  }

  /** Of a generation that nobody has told us of, as one that ended while no keeper was there, it is all that is no other's. */
  #namesFor(service: ServiceName, process: ProcessRef): readonly string[] {
    const name = this.#homes.nameOf(service, process);
    if (name !== null) return [name];
    const taken = new Set(this.#homes.namesOf(service));
    return this.#namesOfAll(service).filter((one) => !taken.has(one));
  }

  #namesOfAll(service: ServiceName): readonly string[] {
    if (this.#root === null || !existsSync(this.#root)) return [];
    return readdirSync(this.#root).filter((name) => isNameOf(service, name));
  }

  #pidsIn(name: string): readonly number[] {
    return this.#root === null ? [] : pidsIn(join(this.#root, name));
  }

  /** A generation has left for good. Off the loop: the kernel may take its time. */
  async #remove(name: string): Promise<void> {
    for (const root of [this.#root, this.#memoryRoot]) if (root !== null) await rmdir(join(root, name)).catch(() => {}); // EBUSY: somebody lives there; ENOENT
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
