// The time in which a pid means one process: a boot of the kernel, and in a container the life of its PID 1. A runtime
// directory on a volume outlives the container, and what it names may be anybody in the next one.

import { readFileSync, readlinkSync } from 'node:fs';
import { readStat } from './identity.js';

/** include/linux/proc_ns.h: PROC_PID_INIT_INO, the namespace of the machine itself, the same since 3.8. */
const MACHINE = 'pid:[4026531836]';

/** Do we name processes as the machine itself does? */
export function isMachineNamespace(namespace = '/proc/self/ns/pid'): boolean {
  try {
    return readlinkSync(namespace) === MACHINE;
  } catch {
    return false;
  }
}

/** The boot id; in a PID namespace with what tells its first process from that of the next container. Inode numbers of namespaces are given out again. */
export function pidEra(): string {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  if (isMachineNamespace()) return boot;
  return `${boot} ${readlinkSync('/proc/self/ns/pid')} ${readStat(1)?.startTicks ?? 'unknown'}`;
}
