// The memory control group of this process, and how often the kernel has ended somebody in a group for want of memory. Of
// the newer hierarchy or the older; null where neither is mounted. It must not know what it is asked for.

import { join } from 'node:path';
import { groupIn } from './cgroup-mounts.js';
import { readText } from './processes-of.js';

export interface MemoryGroup {
  /** As /proc/self/cgroup has it: from the root of our cgroup namespace. */
  readonly path: string;
  /** The file with the line `oom_kill N`. */
  readonly counter: string;
}

export const ownMemoryGroup = (): MemoryGroup | null =>
  memoryGroupIn(readText('/proc/self/cgroup'), readText('/proc/self/mountinfo'));

/** By the texts of these two files. */
export function memoryGroupIn(cgroup: string, mountinfo: string): MemoryGroup | null {
  const hasOlder = /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:/m.test(cgroup);
  const group = groupIn(hasOlder ? 'memory' : 'unified', cgroup, mountinfo);
  // The plain memory.events of the newer hierarchy counts groups below ours too, which are our services'.
  const file = hasOlder ? 'memory.oom_control' : 'memory.events.local';
  return group === null ? null : { path: group.path, counter: join(group.directory, file) };
}

/** By such a file of any group; null where it cannot be known. */
export function oomKillsCounted(counter: string): number | null {
  const count = /^oom_kill (\d+)$/m.exec(readText(counter))?.[1];
  return count === undefined ? null : Number(count);
}
