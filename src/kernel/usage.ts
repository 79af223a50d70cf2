// What all processes of a service take together: memory, processor, threads, descriptors, from /proc. The work is done in
// slices, one service after another, so that the loop has its turn however many processes and questions there are. It must
// not know how much is too much.
//
// Memory is what would be free without the service: its anonymous pages and what is swapped out of them, of each process, and
// the shared memory of the process that has most of it: processes of one service share it, and it is counted once. Programs
// and files that are mapped do not count. Pages that a child has not written since its fork count in both, which is at most
// too much: before that makes anything fail, the kernel is asked for the exact number, in a thousand times as long.

import { setImmediate } from 'node:timers/promises';
import { isSameProcess, type ProcessRef } from '../core/process.js';
import type { ProcessQuestion, Threshold } from '../core/question.js';
import type { ServiceSpec } from '../core/spec.js';
import { isMet } from '../core/threshold.js';
import type { Usage } from '../core/usage.js';
import { type CpuLook, type CpuTicks, cpuBetween } from './cpu-time.js';
import { exactMemoryOf } from './exact-memory.js';
import type { Exits } from './exits.js';
import { eachDescendant } from './family.js';
import type { Generations } from './generations.js';
import type { Groups } from './groups.js';
import { isDead, isThere, readStat } from './identity.js';
import { kinOf, withinGroupOf } from './kin.js';
import { openFilesOf } from './open-files.js';
import { readText } from './processes-of.js';
import { heldMemoryIn } from './status-text.js';

export interface UsageParts {
  readonly exits: Pick<Exits, 'isFollowedBeside'>;
  readonly generations: Pick<Generations, 'of'>;
  readonly groups: Pick<Groups, 'isPlaced' | 'members' | 'cpuTime'>;
}

export interface UsageAsked {
  readonly spec: ServiceSpec;
  readonly process: ProcessRef;
  /** Its name: processor time is counted since it was last asked. */
  readonly heartbeat: string;
  /** What is dear is measured only where it is asked for. */
  readonly question: ProcessQuestion;
}

interface Sample extends CpuLook {
  readonly process: ProcessRef;
  readonly at: number;
}

interface Sums {
  readonly cpu: Map<number, CpuTicks>;
  memory: number;
  shared: number;
  threads: number;
  openFiles: number | null;
}

/** Milliseconds of the loop at once. */
const SLICE = 2;
/** Processor time is counted in ticks of 10 ms: over less than a second that says little. */
const SHORTEST = 1000;

export class Usages {
  readonly #parts: UsageParts;
  /** By service and heartbeat: as many as have ever been asked for. */
  readonly #samples = new Map<string, Sample>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: UsageParts) {
    this.#parts = parts;
  }

  /** @throws SystemCallFailure: EMFILE */
  of(asked: UsageAsked): Promise<Usage> {
    const usage = this.#last.then(() => this.#measure(asked));
    this.#last = usage.then(() => setImmediate()).catch(() => {});
    return usage;
  }

  async #measure({ spec, process: main, heartbeat, question }: UsageAsked): Promise<Usage> {
    const { groups } = this.#parts;
    const sums: Sums = {
      cpu: new Map(),
      memory: 0,
      shared: 0,
      threads: 0,
      openFiles: question.openFiles === null ? null : 0,
    };
    const at = performance.now();
    if (!isThere(main)) return { type: 'unseen' };
    const inGroup = new Set(groups.isPlaced(spec.name, main) ? groups.members(spec.name, main) : []);
    let end = at + SLICE;
    for (const pid of this.#members(spec, main, inGroup)) {
      if (!sums.cpu.has(pid)) await add(pid, sums);
      if (performance.now() < end) continue;
      await setImmediate();
      end = performance.now() + SLICE;
    }
    // The group's own count is of no use where somebody is not in it: an orphan of the first moments that could not be moved.
    const isWhole = [...sums.cpu.keys()].every((pid) => inGroup.has(pid));
    const group = isWhole ? groups.cpuTime(spec.name, main) : null;
    return {
      type: 'measured',
      processes: sums.cpu.size,
      memory: await memoryOf(sums, question.memory),
      cpu: this.#cpu(`${spec.name}/${heartbeat}`, { process: main, at, group, members: sums.cpu }),
      threads: sums.threads,
      openFiles: sums.openFiles,
    };
  }

  /** Of all generations; some of them more than once, and some that have ended. */
  *#members(spec: ServiceSpec, main: ProcessRef, inGroup: ReadonlySet<number>): Generator<number, undefined> {
    yield* inGroup;
    yield* this.#around(spec, main);
    const { generations, groups } = this.#parts;
    for (const other of generations.of(spec.name)) {
      if (isSameProcess(other, main) || !isThere(other)) continue;
      if (groups.isPlaced(spec.name, other)) yield* groups.members(spec.name, other);
      yield* this.#around(spec, other);
    }
  }

  *#around(spec: ServiceSpec, main: ProcessRef): Generator<number, undefined> {
    yield main.pid;
    const kin = spec.kind.type === 'watched' ? withinGroupOf(main.pid) : kinOf(spec.name, null, this.#parts.exits);
    for (const { pid } of eachDescendant(main, kin)) yield pid;
  }

  /** In percent. */
  #cpu(name: string, now: Sample): number | null {
    const before = this.#samples.get(name);
    const isSame = before !== undefined && isSameProcess(before.process, now.process);
    const elapsed = isSame ? now.at - before.at : 0;
    if (!isSame || elapsed >= SHORTEST) this.#samples.set(name, now);
    return isSame && elapsed >= SHORTEST ? (100 * cpuBetween(before, now)) / elapsed : null;
  }
}

/** The sum is an upper bound; where that is not good enough, the exact number if it can be had. */
async function memoryOf({ cpu: members, memory, shared }: Sums, wanted: Threshold | null): Promise<number> {
  const atMost = memory + shared;
  if (wanted === null || members.size === 1) return atMost;
  const isSurelyGood = wanted.is.startsWith('<') && isMet(wanted, atMost);
  return isSurelyGood ? atMost : Math.min(atMost, (await exactMemoryOf(members.keys())) ?? atMost);
}

async function add(pid: number, sums: Sums): Promise<void> {
  const stat = readStat(pid);
  if (stat === null || isDead(stat)) return;
  const { own, shared } = heldMemoryIn(readText(`/proc/${pid}/status`));
  sums.cpu.set(pid, { startTicks: stat.startTicks, own: stat.cpuTicks, all: stat.cpuTicks + stat.childTicks });
  sums.memory += own;
  sums.shared = Math.max(sums.shared, shared);
  sums.threads += stat.threads;
  if (sums.openFiles === null) return;
  const files = await openFilesOf(pid);
  sums.openFiles = files === null ? null : sums.openFiles + files;
}
