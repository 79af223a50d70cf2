// How each resource limit of a service is put into force: worn by the keeper itself for the microseconds of the spawn
// (no hop, no moment without it), by a `prlimit` hop where that would hurt the keeper, or from outside after the start.
// It must not know how a process is started.

import type { Limit, LimitName } from '../core/spec.js';
import { isCapable } from './capability.js';
import { prlimit, type RawLimit } from './syscalls.js';

// getrlimit(2): the numbers of x86_64 and arm64 agree.
const RESOURCES: Readonly<Record<LimitName, number>> = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
  locks: 10,
  sigpending: 11,
  msgqueue: 12,
  nice: 13,
  rtprio: 14,
  rttime: 15,
};

/** Even for a moment these would end the keeper, a thread of it, or the spawn: SIGXCPU, SIGXFSZ, a failing mmap or fork. */
const HURTING: ReadonlySet<string> = new Set<LimitName>(['as', 'cpu', 'data', 'fsize', 'nproc', 'rttime', 'stack']);

/** Descriptors that other threads of the keeper may open during the spawn. */
const MARGIN = 64;

/** May a hard limit that was lowered be raised again? */
const mayRaise = isCapable('sysResource');

/**
 * Node raises its own soft limit of descriptors to the hard one at start, and what was before is not kept anywhere but
 * with our parent. systemd as PID 1 has raised its own as well, and gives 1024 to what it starts: the default of Linux.
 */
const originalNofile = ((): RawLimit => {
  const { hard } = prlimit(0, RESOURCES.nofile, null);
  return { soft: Math.min(parentSoft() ?? 1024, hard ?? Number.POSITIVE_INFINITY), hard };
})();

function parentSoft(): number | null {
  if (process.ppid <= 1) return null;
  try {
    return prlimit(process.ppid, RESOURCES.nofile, null).soft;
  } catch {
    return null; // another user's
  }
}

/** The keeper's own limits, asked for once: nobody but itself changes them, and it wears others for moments only. */
const ownLimits = new Map<number, RawLimit>();
function ownLimit(resource: number): RawLimit {
  const known = ownLimits.get(resource) ?? prlimit(0, resource, null);
  ownLimits.set(resource, known);
  return known;
}

export type ResourceLimit = readonly [resource: number, value: RawLimit];

export interface LimitPlan {
  readonly type: 'plan';
  readonly worn: readonly ResourceLimit[];
  /** Words for prlimit(1); empty: no hop. */
  readonly hop: readonly string[];
  readonly after: readonly ResourceLimit[];
}

export interface LimitRefused {
  readonly type: 'refused';
  readonly errno: string;
  readonly detail: string;
}

/** `lowestFree`: the number that a descriptor opened now would get. Lowering the limit under it would make every thread of the keeper fail to open anything meanwhile. */
export function planLimits(
  limits: Readonly<Partial<Record<LimitName, Limit>>>,
  lowestFree: number,
): LimitPlan | LimitRefused {
  const worn: ResourceLimit[] = [];
  const hop: string[] = [];
  const after: ResourceLimit[] = [];
  const wanted: Readonly<Partial<Record<LimitName, Limit>>> = { nofile: originalNofile, ...limits };
  for (const name of Object.keys(wanted) as LimitName[]) {
    const limit = wanted[name];
    if (limit === undefined) continue;
    const own = ownLimit(RESOURCES[name]);
    if (limit.soft === own.soft && limit.hard === own.hard) continue;
    if (isAbove(limit.soft, limit.hard))
      return refuse('EINVAL', `limits.${name}: its soft value is above its hard one`);
    if (isAbove(limit.hard, own.hard) && !mayRaise)
      return refuse('EPERM', `limits.${name}: only root may go over ${own.hard}, the keeper's own hard limit`);
    const lowersForEver = isAbove(own.hard, limit.hard) && !mayRaise;
    const isTight = name === 'nofile' && isAbove(lowestFree + MARGIN, limit.soft);
    if (isTight && limits.nofile === undefined) after.push([RESOURCES.nofile, limit]);
    else if (HURTING.has(name) || lowersForEver || isTight)
      hop.push(`--${name}=${word(limit.soft)}:${word(limit.hard)}`);
    else worn.push([RESOURCES[name], limit]);
  }
  return { type: 'plan', worn, hop, after };
}

const refuse = (errno: string, detail: string): LimitRefused => ({ type: 'refused', errno, detail });

const word = (value: number | null): string => (value === null ? 'unlimited' : String(value));

/** null is no limit, which nothing is above. */
const isAbove = (a: number | null, b: number | null): boolean => b !== null && (a === null || a > b);
