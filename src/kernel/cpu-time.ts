// How much processor a service has used between two looks at it. It must not know how it was looked at.

/** In ticks of 10 ms: of the process itself, and with all of its children that it has waited for. */
export interface CpuTicks {
  readonly startTicks: number;
  readonly own: number;
  readonly all: number;
}

export interface CpuLook {
  /** Milliseconds, counted by a control group; null: it has none. */
  readonly group: number | null;
  readonly members: ReadonlyMap<number, CpuTicks>;
}

const TICK = 10;

/** In milliseconds. The group's count where both looks have one; else as much as is certain. */
export function cpuBetween(before: CpuLook, after: CpuLook): number {
  if (before.group !== null && after.group !== null) return Math.max(0, after.group - before.group);
  return TICK * Math.max(0, grownTogether(before, after), grownEach(before, after));
}

/** Whoever has ended is in the count of who has waited for it; where nobody of the service has, its whole life is missing. */
const grownTogether = (before: CpuLook, after: CpuLook): number => sumOf(after) - sumOf(before);

const sumOf = ({ members }: CpuLook): number => [...members.values()].reduce((sum, { all }) => sum + all, 0);

/** Those that live by themselves: without anybody who has ended meanwhile. */
function grownEach(before: CpuLook, after: CpuLook): number {
  let sum = 0;
  for (const [pid, { own, startTicks }] of after.members) {
    const then = before.members.get(pid);
    sum += then?.startTicks === startTicks ? own - then.own : own;
  }
  return sum;
}
