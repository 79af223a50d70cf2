// The kernel's own log: who was ended for want of memory, and when. Reads what is there and never waits; a pure parser
// makes sense of it. It must not know who asks.

import { closeSync, constants, openSync, readlinkSync, readSync } from 'node:fs';

export interface OomKill {
  /** Milliseconds on the kernel's log clock, which is near CLOCK_MONOTONIC. */
  readonly at: number;
  /** In the initial PID namespace, whatever ours is. */
  readonly pid: number;
  readonly name: string;
  /** From the root of all groups; null where the kernel did not say. */
  readonly group: string | null;
  /** Bytes of anonymous memory. */
  readonly memory: number | null;
}

/** The records of /dev/kmsg that tell of such an end, oldest first (Documentation/ABI/testing/dev-kmsg). */
export function oomKillsOf(records: readonly string[]): readonly OomKill[] {
  const groups = new Map<number, string>();
  const kills: OomKill[] = [];
  for (const record of records) {
    const [, time, text] = /^\d+,\d+,(\d+),[^;]*;(.*)$/m.exec(record) ?? [];
    if (time === undefined || text === undefined) continue;
    // Group and task names may hold commas: what follows them is taken from the end.
    const [, group, victim] = /^oom-kill:.*,task_memcg=(.*),task=.*,pid=(\d+),uid=\d+$/.exec(text) ?? [];
    if (group !== undefined) groups.set(Number(victim), group);
    const [, pid, name, kilobytes] =
      /(?:^|: )Killed process (\d+) \((.*)\),? .*?(?:anon-rss:(\d+)kB|$)/.exec(text) ?? [];
    if (pid === undefined || name === undefined) continue;
    const memory = kilobytes === undefined ? null : Number(kilobytes) * 1024;
    kills.push({ at: Number(time) / 1000, pid: Number(pid), name, group: groups.get(Number(pid)) ?? null, memory });
  }
  return kills;
}

/** More than the largest record. */
const recordSize = 8192;
/** What a large ring holds; the rest of one that is written faster than we read is left. */
const mostRecords = 100_000;

/** Every record that the kernel still has; null where it may not be read (dmesg_restrict, a container). */
export function readKernelLog(path = '/dev/kmsg'): readonly string[] | null {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  const records: string[] = [];
  const buffer = Buffer.alloc(recordSize);
  try {
    for (let i = 0; i < mostRecords; i += 1) {
      try {
        const length = readSync(fd, buffer);
        if (length === 0) break;
        records.push(buffer.toString('utf8', 0, length));
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? error.code : '';
        if (code === 'EPIPE') continue; // overwritten meanwhile: the next read goes on behind it
        if (code === 'EAGAIN') break; // the end
        return records.length === 0 ? null : records;
      }
    }
  } finally {
    closeSync(fd);
  }
  return records;
}

/** Does the log name processes as we do? It has the pids of the initial namespace, whose inode is the same on every host. */
export function namesOurPids(namespace = '/proc/self/ns/pid'): boolean {
  try {
    return readlinkSync(namespace) === 'pid:[4026531836]'; // PROC_PID_INIT_INO
  } catch {
    return false;
  }
}
