// The memory control group of this process, and how often the kernel has ended somebody in it for want of memory. Of the
// newer hierarchy or the older; null where neither is mounted. It must not know what it is asked for.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface MemoryGroup {
  /** As /proc/self/cgroup has it: from the root of our cgroup namespace. */
  readonly path: string;
  /** The file with the line `oom_kill N`. */
  readonly counter: string;
}

export const ownMemoryGroup = (): MemoryGroup | null =>
  memoryGroupIn(read('/proc/self/cgroup'), read('/proc/self/mountinfo'));

/** By the texts of these two files. */
export function memoryGroupIn(cgroup: string, mountinfo: string): MemoryGroup | null {
  const groups = cgroup.split('\n');
  const older = groups.map((line) => /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/.exec(line)?.[1]).find(isText);
  const path = older ?? groups.map((line) => /^0::(.*)$/.exec(line)?.[1]).find(isText);
  if (path === undefined) return null;
  const wanted = older === undefined ? / - cgroup2 / : / - cgroup [^ ]* (?:[^ ]*,)?memory(?:,|$)/;
  const mount = mountinfo.split('\n').find((line) => wanted.test(line));
  const [, , , root, point] = mount?.split(' ') ?? [];
  if (root === undefined || point === undefined) return null;
  const above = root === '/' ? '' : root;
  if (path !== root && !path.startsWith(`${above}/`)) return null; // our group is outside of what is mounted
  // The plain memory.events of the newer hierarchy counts groups below ours too, which are our services'.
  const file = older === undefined ? 'memory.events.local' : 'memory.oom_control';
  return { path, counter: join(point, path.slice(above.length), file) };
}

/** null where it cannot be known. */
export function oomKillsCounted(counter: string): number | null {
  const count = /^oom_kill (\d+)$/m.exec(read(counter))?.[1];
  return count === undefined ? null : Number(count);
}

const isText = (text: string | undefined): text is string => text !== undefined;

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
