// Where the control groups of this process are in the file system. Parses mountinfo, because nothing promises that
// they are on /sys/fs/cgroup, nor that we see them from their root. It must not know what they are used for.

import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { readText } from './processes-of.js';

/** A group, from the root of our cgroup namespace, and its directory. */
export interface MountedGroup {
  readonly path: string;
  readonly directory: string;
}

/** Our own group of the unified hierarchy, if we may make groups below it; null if not. */
export const findCgroupBase = (): string | null => usable(ownGroup('unified'));

/** Our own group of the older memory hierarchy, if we may make groups below it. */
export const findMemoryV1Base = (): string | null => usable(ownGroup('memory'));

const ownGroup = (hierarchy: Hierarchy): MountedGroup | null =>
  groupIn(hierarchy, readText('/proc/self/cgroup'), readText('/proc/self/mountinfo'));

/** The one without controllers of its own, or the older one with the memory controller. */
export type Hierarchy = 'unified' | 'memory';

/** By the texts of these two files of a process; null where its group is outside of what is mounted. */
export function groupIn(hierarchy: Hierarchy, cgroup: string, mountinfo: string): MountedGroup | null {
  const path = pathIn(cgroup, hierarchy === 'unified' ? '' : hierarchy);
  const mount = mountsIn(mountinfo).find((one) => isOf(hierarchy, one));
  if (path === null || mount === undefined) return null;
  const root = mount.root === '/' ? '' : mount.root;
  if (path !== mount.root && !path.startsWith(`${root}/`)) return null;
  return { path, directory: join(mount.point, path.slice(root.length)) };
}

/** The group that has this directory. */
export function groupAt(directory: string): string | null {
  const mount = mountsIn(readText('/proc/self/mountinfo'))
    .filter(({ type, point }) => type.startsWith('cgroup') && directory.startsWith(`${point}/`))
    .at(-1);
  return mount === undefined ? null : join(mount.root, directory.slice(mount.point.length));
}

/** Where what is mounted over this path is mounted; asks no file system. */
export function mountPointOf(path: string): string {
  const points = mountsIn(readText('/proc/self/mountinfo')).map(({ point }) => point);
  const above = points.filter((point) => point === '/' || path === point || path.startsWith(`${point}/`));
  return above.reduce((longest, point) => (point.length > longest.length ? point : longest), '/');
}

interface Mount {
  readonly root: string;
  readonly point: string;
  readonly type: string;
  readonly options: readonly string[];
}

const isOf = (hierarchy: Hierarchy, { type, options }: Mount): boolean =>
  hierarchy === 'unified' ? type === 'cgroup2' : type === 'cgroup' && options.includes(hierarchy);

function mountsIn(mountinfo: string): readonly Mount[] {
  // 36 35 98:0 /root /point options… - type source options
  return mountinfo.split('\n').flatMap((line) => {
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

/** The path in the hierarchy with this controller; '' is the unified one. */
function pathIn(cgroup: string, controller: string): string | null {
  for (const line of cgroup.split('\n')) {
    const [, controllers, ...path] = line.split(':');
    if (controllers?.split(',').includes(controller)) return path.join(':');
  }
  return null;
}

function usable(group: MountedGroup | null): string | null {
  if (group === null) return null;
  try {
    accessSync(group.directory, constants.W_OK);
    // Moving a process needs the right to write here as well as in the target.
    accessSync(join(group.directory, 'cgroup.procs'), constants.W_OK);
    return group.directory;
  } catch {
    return null;
  }
}
