// Where the control groups of this process are in the file system. Parses mountinfo, because nothing promises that
// they are on /sys/fs/cgroup, nor that we see them from their root. It must not know what they are used for.

import { accessSync, constants, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Our own group of the unified hierarchy, if we may make groups below it; null if not. */
export function findCgroupBase(): string | null {
  const mount = mounts().find((one) => one.type === 'cgroup2');
  return usable(mount, pathOf(''));
}

/** Our own group of the older memory hierarchy, if we may make groups below it. */
export function findMemoryV1Base(): string | null {
  const mount = mounts().find((one) => one.type === 'cgroup' && one.options.includes('memory'));
  return usable(mount, pathOf('memory'));
}

interface Mount {
  readonly root: string;
  readonly point: string;
  readonly type: string;
  readonly options: readonly string[];
}

function mounts(): readonly Mount[] {
  // 36 35 98:0 /root /point options… - type source options
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [head, tail] = line.split(' - ');
      const [, , , root, point] = head?.split(' ') ?? [];
      const [type, , options] = tail?.split(' ') ?? [];
      if (root === undefined || point === undefined || type === undefined) return [];
      return [{ root: unescapeOctal(root), point: unescapeOctal(point), type, options: (options ?? '').split(',') }];
    });
}

/** Space, tab, newline and backslash are written in octal. */
const unescapeOctal = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** Our path in the hierarchy with this controller; '' is the unified one. */
function pathOf(controller: string): string | null {
  for (const line of readFileSync('/proc/self/cgroup', 'utf8').split('\n')) {
    const [, controllers, ...path] = line.split(':');
    if (controllers?.split(',').includes(controller)) return path.join(':');
  }
  return null;
}

function usable(mount: Mount | undefined, path: string | null): string | null {
  if (mount === undefined || path === null) return null;
  const root = mount.root === '/' ? '' : mount.root;
  if (path !== root && !path.startsWith(`${root}/`)) return null; // our group is outside of what is mounted
  const base = join(mount.point, path.slice(root.length));
  try {
    accessSync(base, constants.W_OK);
    // Moving a process needs the right to write here as well as in the target.
    accessSync(join(base, 'cgroup.procs'), constants.W_OK);
    return base;
  } catch {
    return null;
  }
}
