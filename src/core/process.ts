// Which process, and how it ended. Knows nothing of services.

declare const pidBrand: unique symbol;

/** The number of a process. Recycled by the kernel: never enough to name one, see ProcessRef. */
export type Pid = number & { readonly [pidBrand]: true };

export const asPid = (n: number): Pid => n as Pid;

/** One process, for ever (within a boot). `startTicks` is field 22 of /proc/PID/stat; `inode` that of its pidfd where the kernel has pidfs (6.9), in decimal. */
export interface ProcessRef {
  readonly pid: Pid;
  readonly startTicks: number;
  readonly inode: string | null;
}

/** The signals of Linux that a person may name. */
export type SignalName = `SIG${string}`;

/** Those that everybody calls by the same name: signal(7) on x86 and ARM, without SIGSTKFLT, which nobody uses, and the real-time ones. */
export const signalNames: readonly SignalName[] = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGILL',
  'SIGTRAP',
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGKILL',
  'SIGUSR1',
  'SIGSEGV',
  'SIGUSR2',
  'SIGPIPE',
  'SIGALRM',
  'SIGTERM',
  'SIGCHLD',
  'SIGCONT',
  'SIGSTOP',
  'SIGTSTP',
  'SIGTTIN',
  'SIGTTOU',
  'SIGURG',
  'SIGXCPU',
  'SIGXFSZ',
  'SIGVTALRM',
  'SIGPROF',
  'SIGWINCH',
  'SIGIO',
  'SIGPWR',
  'SIGSYS',
];

/** How a process ended. `unknown`: it is gone, and nobody could say how (not our child, old kernel, or we were away). */
export type ExitStatus =
  | { readonly type: 'exited'; readonly code: number }
  | { readonly type: 'signaled'; readonly signal: SignalName; readonly coreDumped: boolean }
  | { readonly type: 'unknown' };

/** Who sent the signal that ended it, as far as it is known. `inferred`: concluded from what came before, not observed as the cause. */
export interface Killer {
  readonly pid: number | null;
  readonly name: string | null;
  /** The person behind it: the login uid where there is one, else the sender's own. */
  readonly uid: number | null;
  readonly user: string | null;
  readonly grade: 'seen' | 'inferred';
  readonly signal: SignalName;
  /** What was run, and by whom: `kill` says little, the script that runs it says more. */
  readonly command: string | null;
  readonly parent: { readonly pid: number; readonly name: string } | null;
}

/** An end for want of memory, in the kernel's own words. */
export interface OomKill {
  /** The group whose limit was reached, from the root of all groups; null: it is not known. */
  readonly group: string | null;
  /** `group`: a limit of its group was reached. `machine`: there was no memory left at all. */
  readonly scope: 'group' | 'machine' | 'unknown';
  /** Bytes: what the process held in memory of its own, and in all of its address space; the limit of the group. */
  readonly held: number | null;
  readonly mapped: number | null;
  readonly limit: number | null;
  /** Who said so: the tracepoint, the kernel's log, or only the counter of its group, which does not name the victim. */
  readonly source: 'trace' | 'kernel-log' | 'counter';
}

/** A fault of its own, which the kernel answers with a signal. */
export interface Fault {
  /** Like `segfault`, `general protection fault`, `invalid opcode`, `divide error`. */
  readonly kind: string;
  /** Hexadecimal: what it reached for, and where it stood in its code. */
  readonly address: string | null;
  readonly instruction: string | null;
  /** The program or library in which it stood, like `libc.so.6`. */
  readonly inside: string | null;
  readonly source: 'trace' | 'kernel-log';
}

/** Where its memory was written to. */
export interface CoreDump {
  /** Expanded from /proc/sys/kernel/core_pattern, with `*` for what nobody knows; relative to where it worked, if nobody saw where that was. Null: it was given to a program. */
  readonly path: string | null;
  /** The program that the pattern names, like `systemd-coredump`. */
  readonly handler: string | null;
}

/** The machine slept shortly before. */
export interface Sleep {
  readonly length: number;
  /** Milliseconds awake since then, at most: nobody is told of the moment. */
  readonly ago: number;
}

/** What sources beside the status told of an end. Each part is null where no source told of it. */
export interface Findings {
  readonly oomKill: OomKill | null;
  readonly fault: Fault | null;
  readonly core: CoreDump | null;
  readonly sleep: Sleep | null;
  /** When the signal was sent that ended it, or that it answered by ending, on the clock of Instant. */
  readonly sentAt: number | null;
}

export const noFindings: Findings = { oomKill: null, fault: null, core: null, sleep: null, sentAt: null };

/** What the kernel layer could find out about an end, beside the status. */
export interface ExitEvidence {
  readonly status: ExitStatus;
  /** True only with the kernel's own word for it (cgroup or trace event), never because the code is 137. */
  readonly oom: boolean;
  /** Peak resident memory in bytes and processor time in milliseconds, where they could be read. */
  readonly peakMemory: number | null;
  readonly cpuTime: number | null;
  /** The tick count, on the clock of `startTicks`, when the end was noticed; null when it was missed. Processes that started before it are of the old generation. */
  readonly ticks: number | null;
  /** Null: nobody but itself, the kernel or we, or it could not be seen. */
  readonly by: Killer | null;
  /** null: no source told more. */
  readonly findings: Findings | null;
}

/** The same process? A pid alone is not enough, a pid with another start time is a stranger. */
export function isSameProcess(a: ProcessRef, b: ProcessRef): boolean {
  if (a.pid !== b.pid) return false;
  if (a.inode !== null && b.inode !== null) return a.inode === b.inode;
  return a.startTicks === b.startTicks;
}
