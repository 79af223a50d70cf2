// Which features this kernel, these rights and this Node really have: each is tried once at start, versions are
// never compared (distributions backport, containers forbid). It must not know who uses a feature, or for what.

import { statfsSync } from 'node:fs';
import { findCgroupBase } from './cgroup-mounts.js';
import { pidfdInfo } from './pidfd-info.js';
import { whichHop } from './program.js';
import { findUvPoll } from './pump.js';
import { AF_UNIX, SO_PASSPIDFD, SOCK_DGRAM, SOL_SOCKET, setsockopt, socket } from './sockets.js';
import { close, pidfdGetfd, pidfdOpen, prctl, SystemCallFailure } from './syscalls.js';

const FEATURE_NAMES = [
  'pidfd',
  'pidfdInode',
  'pidfdInfo',
  'pidfdGetfd',
  'passPidfd',
  'procConnector',
  'cgroup',
  'uvPoll',
  'subreaper',
  'setpriv',
  'tracefs',
  'kmsg',
] as const;

/** Death at once; identity by inode; exit status of what is no child of ours; taking a descriptor back from a process; who sent a datagram, also when that is gone; the exit status on older kernels; membership; waiting without a thread; orphans come to us; users and privileges; who sent a signal; what the kernel did and why. */
export type FeatureName = (typeof FEATURE_NAMES)[number];

export type Features = Readonly<Record<FeatureName, 'yes' | 'no'>>;

const PR_SET_CHILD_SUBREAPER = 36;
const PID_FS_MAGIC = 0x50494446;

/** The names in `UPKEEP_WITHOUT`, a list with commas; unknown ones belong to other folders. */
export function switchedOff(environment: NodeJS.ProcessEnv): readonly string[] {
  return (environment.UPKEEP_WITHOUT ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/**
 * Tries every feature that is not in `without`. As a side effect orphans of our descendants become our children
 * from now on (`subreaper`). `procConnector`, `tracefs` and `kmsg` are told by whoever opens them; without a probe they count as missing.
 */
export function probeFeatures(
  without: readonly string[],
  procConnector: () => 'yes' | 'no' = () => 'no',
  tracefs: () => 'yes' | 'no' = () => 'no',
  kmsg: () => 'yes' | 'no' = () => 'no',
): Features {
  const probes: Readonly<Record<FeatureName, () => 'yes' | 'no'>> = {
    pidfd: () => onPidfd(() => 'yes'),
    pidfdInode: () => onPidfd((fd) => (statfsSync(`/proc/self/fd/${fd}`).type === PID_FS_MAGIC ? 'yes' : 'no')),
    pidfdInfo: () => onPidfd((fd) => (pidfdInfo(fd) === null ? 'no' : 'yes')),
    passPidfd: tryPassPidfd,
    pidfdGetfd: () =>
      onPidfd((fd) => {
        close(pidfdGetfd(fd, fd));
        return 'yes';
      }),
    procConnector,
    cgroup: () => (findCgroupBase() === null ? 'no' : 'yes'),
    uvPoll: () => (findUvPoll() === null ? 'no' : 'yes'),
    subreaper: () => (prctl(PR_SET_CHILD_SUBREAPER, 1) === 0 ? 'yes' : 'no'),
    setpriv: () => (whichHop('setpriv') === null ? 'no' : 'yes'),
    tracefs,
    kmsg,
  };
  // Everything that is built on pidfds goes with them.
  const off = without.includes('pidfd') ? [...without, 'pidfdInode', 'pidfdInfo', 'pidfdGetfd', 'passPidfd'] : without;
  const result: Partial<Record<FeatureName, 'yes' | 'no'>> = {};
  for (const name of FEATURE_NAMES) result[name] = off.includes(name) ? 'no' : tried(probes[name]);
  return result as Features;
}

/** What is missing here, for `status --keeper` and `keeper.without`. */
export function missingFeatures(features: Features): readonly FeatureName[] {
  return FEATURE_NAMES.filter((name) => features[name] === 'no');
}

function onPidfd(probe: (fd: number) => 'yes' | 'no'): 'yes' | 'no' {
  const fd = pidfdOpen(process.pid);
  try {
    return probe(fd);
  } finally {
    close(fd);
  }
}

function tryPassPidfd(): 'yes' {
  const fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  try {
    setsockopt(fd, SOL_SOCKET, SO_PASSPIDFD, Buffer.from([1, 0, 0, 0]));
    return 'yes';
  } finally {
    close(fd);
  }
}

function tried(probe: () => 'yes' | 'no'): 'yes' | 'no' {
  try {
    return probe();
  } catch (error) {
    if (error instanceof SystemCallFailure || (error instanceof Error && 'code' in error)) return 'no';
    throw error;
  }
}
