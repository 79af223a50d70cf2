// What can be read of a process only while it lives, read at the signal that may be its end: a core dump takes some
// milliseconds, and even a killed process must first be torn down. Null where it was too late. It must not know why.

import { readLink } from './facts.js';
import { readText } from './processes-of.js';

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
  const number = (pattern: RegExp): number | null => {
    const found = pattern.exec(status)?.[1];
    return found === undefined ? null : Number(found);
  };
  const peak = number(/^VmHWM:\s*(\d+) kB$/m);
  return {
    uid: number(/^Uid:\s*(\d+)/m),
    gid: number(/^Gid:\s*(\d+)/m),
    exe: readLink(`/proc/${pid}/exe`),
    cwd: readLink(`/proc/${pid}/cwd`),
    peakMemory: peak === null ? null : peak * 1024,
  };
}
