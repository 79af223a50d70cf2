// What can be read of a process only while it lives, read at the signal that may be its end: a core dump takes some
// milliseconds, and even a killed process must first be torn down. Null where it was too late. It must not know why.

import { readLink } from './facts.js';
import { readText } from './processes-of.js';
import { gidIn, peakMemoryIn, uidIn } from './status-text.js';

export interface LastLook {
  readonly uid: number | null;
  readonly gid: number | null;
  readonly exe: string | null;
  readonly cwd: string | null;
  /** Bytes. */
  readonly peakMemory: number | null;
}

export function lastLook(pid: number): LastLook {
  const status = readText(`/proc/${pid}/status`);
  return {
    uid: uidIn(status),
    gid: gidIn(status),
    exe: readLink(`/proc/${pid}/exe`),
    cwd: readLink(`/proc/${pid}/cwd`),
    peakMemory: peakMemoryIn(status),
  };
}
