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

export function ownMemoryGroup(): MemoryGroup | null {
  const groups = read('/proc/self/cgroup').split('\n');
  const mounts = read('/proc/self/mountinfo').split('\n');
  const older = groups.map((line) => /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/.exec(line)?.[1]).find(isText);
  const path = older ?? groups.map((line) => /^0::(.*)$/.exec(line)?.[1]).find(isText);
  if (path === undefined) return null;
  const wanted = older === undefined ? / - cgroup2 / : / - cgroup [^ ]* .*\bmemory\b/;
  const [, , , root = '/', point] = mounts.find((line) => wanted.test(line))?.split(' ') ?? [];
  if (point === undefined) return null;
  const below = root === '/' ? path : path.startsWith(root) ? path.slice(root.length) : path;
  return { path, counter: join(point, below, older === undefined ? 'memory.events' : 'memory.oom_control') };
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
