// The records of the kernel's log → who was ended for want of memory, and who by a fault of its own. Pure. The names in it
// are chosen by whoever runs a program; what programs write into the log themselves is not believed.

import type { Fault, OomKill } from '../core/process.js';
import { bytesIn } from './kilobytes.js';
import { printable } from './printable.js';

interface Told {
  /** Milliseconds on the kernel's log clock, which is near CLOCK_MONOTONIC. */
  readonly at: number;
  /** A thread's number, in the initial PID namespace, whatever ours is. */
  readonly pid: number;
}

export interface OomNews extends Told {
  readonly type: 'oom';
  /** Null in the line before, which names the group. */
  readonly name: string | null;
  /** The group that it was in, from the root of all groups; null where the kernel did not say. */
  readonly group: string | null;
  readonly kill: OomKill;
}

export interface FaultNews extends Told {
  readonly type: 'fault';
  readonly fault: Fault;
}

export type KernelNews = OomNews | FaultNews;

/** What the lines before said of an end: the kernel writes several, and the last may come after the end. */
export interface Dump {
  /** Of the group that is being told of, in bytes. */
  limit: number | null;
  readonly causes: Map<number, { readonly group: string; readonly kill: OomKill }>;
}

export const newDump = (): Dump => ({ limit: null, causes: new Map() });

/** The records of /dev/kmsg that tell of such an end, oldest first (Documentation/ABI/testing/dev-kmsg). */
export function newsOf(records: readonly string[], dump: Dump = newDump()): readonly KernelNews[] {
  const news: KernelNews[] = [];
  for (const record of records) {
    const [, priority, time, text] = /^(\d+),\d+,(\d+),[^;]*;(.*)$/m.exec(record) ?? [];
    // Facility 0 is the kernel; whatever else may write to the log has another.
    if (priority === undefined || time === undefined || text === undefined || Number(priority) > 7) continue;
    const found = oomIn(text, Number(time) / 1000, dump) ?? faultIn(text, Number(time) / 1000);
    if (found !== null) news.push(found);
  }
  return news;
}

/** An end for want of memory, as far as the whole line tells. */
export interface KernelKill extends Told {
  readonly name: string;
  readonly group: string | null;
  /** Bytes of anonymous memory. */
  readonly memory: number | null;
}

export const oomKillsOf = (records: readonly string[]): readonly KernelKill[] =>
  newsOf(records).flatMap((one) =>
    one.type === 'oom' && one.name !== null
      ? [{ at: one.at, pid: one.pid, name: one.name, group: one.group, memory: one.kill.held }]
      : [],
  );

// Names of groups and tasks may hold commas: what follows them is taken from the end.
const CONSTRAINT = /^oom-kill:constraint=.*,(?:oom_memcg=(.*)|global_oom),task_memcg=(.*),task=.*,pid=(\d+),uid=\d+$/s;
const LIMIT = /^memory: usage \d+kB, limit (\d+)kB, failcnt \d+$/;
const KILLED = /(?:^|: )Killed process (\d+) \((.*)\),? (?:.*?total-vm:(\d+)kB)?(?:.*?anon-rss:(\d+)kB|.*$)/;
/** How the kernel writes that a group has no limit: just under 8 EiB. */
const UNLIMITED_KB = 2 ** 52;
const MOST_CAUSES = 64;

function oomIn(text: string, at: number, dump: Dump): OomNews | null {
  const limit = LIMIT.exec(text)?.[1];
  if (limit !== undefined) dump.limit = Number(limit) < UNLIMITED_KB ? Number(limit) * 1024 : null;
  return causeIn(text, at, dump) ?? killIn(text, at, dump);
}

function causeIn(text: string, at: number, dump: Dump): OomNews | null {
  const [, limited, group, chosen] = CONSTRAINT.exec(text) ?? [];
  if (group === undefined) return null;
  const kill: OomKill = {
    ...{ group: limited === undefined ? null : printable(limited), scope: limited === undefined ? 'machine' : 'group' },
    ...{ held: null, mapped: null, limit: limited === undefined ? null : dump.limit, source: 'kernel-log' },
  };
  const pid = Number(chosen);
  dump.limit = null;
  if (dump.causes.size >= MOST_CAUSES) dump.causes.clear();
  dump.causes.set(pid, { group, kill });
  return { type: 'oom', at, pid, name: null, group, kill };
}

function killIn(text: string, at: number, dump: Dump): OomNews | null {
  const [, victim, name, mapped, held] = KILLED.exec(text) ?? [];
  if (victim === undefined || name === undefined) return null;
  const pid = Number(victim);
  const cause = dump.causes.get(pid);
  dump.causes.delete(pid);
  const bare: OomKill = {
    ...{ group: null, scope: text.startsWith('Memory cgroup') ? 'group' : 'machine' },
    ...{ held: null, mapped: null, limit: null, source: 'kernel-log' },
  };
  const kill: OomKill = { ...(cause?.kill ?? bare), held: bytesIn(held), mapped: bytesIn(mapped) };
  return { type: 'oom', at, pid, name, group: cause?.group ?? null, kill };
}

// `perl[812]: segfault at 0 ip 00007f… sp 00007f… error 4 in libc.so.6[16d85a,7f…+156000]`
const SEGFAULT =
  /\[(\d+)\]: segfault at ([0-9a-f]+) ip ([0-9a-f]+) sp [0-9a-f]+ error [0-9a-f]+(?: in (.+?)\[[0-9a-f,+]+\].*)?/;
// `traps: perl[812] general protection fault ip:7f… sp:7f… error:0 in libc.so.6[…]`, `traps: a[1] trap divide error ip:…`
const TRAP =
  /^traps: .*\[(\d+)\] (?:trap )?([a-z0-9][a-z0-9 -]*) ip:([0-9a-f]+) sp:[0-9a-f]+ error:[0-9a-f]+(?: in (.+?)\[[0-9a-f,+]+\].*)?/;
// arm64, where it is switched on: `a[1]: unhandled exception: DABT (lower EL), ESR 0x…, level 1 translation fault in a[…]`
const UNHANDLED = /\[(\d+)\]: unhandled exception: (?:.*, ESR 0x[0-9a-f]+, )?(.+?)(?: in (.+?)\[[0-9a-f,+]+\].*)?$/;

function faultIn(text: string, at: number): FaultNews | null {
  const segfault = SEGFAULT.exec(text);
  if (segfault !== null) {
    const [, pid, address, instruction, inside] = segfault;
    return faultOf(at, Number(pid), 'segfault', { address, instruction, inside });
  }
  const trap = TRAP.exec(text);
  if (trap !== null) {
    const [, pid, kind = '', instruction, inside] = trap;
    return faultOf(at, Number(pid), kind, { address: undefined, instruction, inside });
  }
  const unhandled = UNHANDLED.exec(text);
  if (unhandled === null) return null;
  const [, pid, kind = '', inside] = unhandled;
  return faultOf(at, Number(pid), kind, { address: undefined, instruction: undefined, inside });
}

interface Places {
  readonly address: string | undefined;
  readonly instruction: string | undefined;
  readonly inside: string | undefined;
}

function faultOf(at: number, pid: number, kind: string, places: Places): FaultNews {
  const { address, instruction, inside } = places;
  const fault: Fault = {
    kind,
    address: hexadecimal(address),
    instruction: hexadecimal(instruction),
    inside: inside === undefined ? null : printable(inside),
    source: 'kernel-log',
  };
  return { type: 'fault', at, pid, fault };
}

const hexadecimal = (digits: string | undefined): string | null =>
  digits === undefined ? null : `0x${digits.replace(/^0+(?=.)/, '')}`;
