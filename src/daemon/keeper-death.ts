// How the keeper before came to its end, by what it left and what others saw: the kernel's log, the counter of its memory
// group, its guard. Pure; says how sure it is, and never more. It must not know where any of it is read.

import { inWords } from '../core/status.js';
import type { KernelKill } from '../kernel/kernel-log-line.js';
import type { Stamp } from './progress.js';

/** What a keeper writes of itself when it begins. */
export interface Life {
  readonly pid: number;
  /** As the kernel names it in its log. */
  readonly name: string;
  /** In seconds of /proc/uptime, and of the clock that does not count sleep. */
  readonly sinceUptime: number;
  readonly sinceAwake: number;
  readonly memoryGroup: { readonly path: string; readonly kills: number | null } | null;
}

export interface Traces {
  /** What the kernel's log has, oldest first. */
  readonly kills: readonly KernelKill[];
  /** Do the pids in there mean the same as ours? Not in a PID namespace. */
  readonly kernelPids: 'ours' | 'others';
  /** The counter of its memory group now; null where there is none any more. */
  readonly counted: number | null;
  /** As a shell has it, from the guard that waited for it; null: nobody did. */
  readonly status: number | null;
  readonly stamp: Stamp | null;
  readonly nowUptime: number;
  readonly nowAwake: number;
}

export interface Before {
  readonly pid: number;
  readonly cause: 'oom' | 'status' | 'unknown';
  readonly grade: 'seen' | 'inferred' | 'unknown';
  readonly text: string;
  /** How long nobody was there: at most, where the kernel's log does not say when it began. */
  readonly awaySeconds: number;
}

/** A shell's word for SIGKILL, and so what an end for want of memory must look like to the guard. */
const killed = 137;
/** The kernel's log has a clock of its own, which nobody adjusts as the others are. */
const logClockSlack = 1000;

export function howItEnded(life: Life, traces: Traces): Before {
  const { pid, memoryGroup } = life;
  const { status } = traces;
  const mayBeOom = status === null || status === killed;
  const kill = mayBeOom ? killOf(life, traces) : null;
  const atMost = longest(life, traces);
  if (kill !== null) {
    const away = Math.min(atMost, Math.max(0, traces.nowAwake - kill.at / 1000));
    const where = [kill.group, kill.memory === null ? null : `${Math.round(kill.memory / 2 ** 20)} MB`];
    const facts = where.filter((fact) => fact !== null).join(', ');
    const what = `was killed by the kernel: out of memory${facts === '' ? '' : ` (${kill.group === null ? '' : 'group '}${facts})`}`;
    const grade = traces.kernelPids === 'ours' ? 'seen' : 'inferred';
    return told(pid, 'oom', grade, what, away, `about ${inWords(away * 1000)}`);
  }
  const bound = `at most ${roundedUp(atMost)}`;
  const { counted } = traces;
  if (mayBeOom && memoryGroup !== null && memoryGroup.kills !== null && counted !== null && counted > memoryGroup.kills)
    return told(
      pid,
      'oom',
      'inferred',
      `was probably killed by the kernel: its memory group ${memoryGroup.path} ran out of memory`,
      atMost,
      bound,
    );
  if (status !== null) {
    const doubt = status > 128 ? `, which is signal ${status - 128} or that exit code` : '';
    return told(pid, 'status', 'seen', `ended with status ${status}${doubt}`, atMost, bound);
  }
  return told(pid, 'unknown', 'unknown', 'was killed or crashed, nobody saw how', atMost, bound);
}

/** By its pid; where the log names other pids, by its group and name. The root of all groups would fit anybody. */
function killOf({ pid, name, sinceAwake, memoryGroup }: Life, { kills, kernelPids }: Traces): KernelKill | null {
  const path = memoryGroup?.path ?? '/';
  const isIt = (kill: KernelKill): boolean =>
    kernelPids === 'ours'
      ? kill.pid === pid
      : path !== '/' && kill.name === name && kill.group?.endsWith(path) === true;
  return kills.findLast((kill) => kill.at >= sinceAwake * 1000 - logClockSlack && isIt(kill)) ?? null;
}

/** Since its last sign of life. */
function longest({ pid, sinceUptime }: Life, { stamp, nowUptime }: Traces): number {
  const last = stamp?.pid === pid && stamp.at <= nowUptime ? Math.max(sinceUptime, stamp.at) : sinceUptime;
  return Math.max(0, nowUptime - last);
}

function told(
  pid: number,
  cause: Before['cause'],
  grade: Before['grade'],
  what: string,
  away: number,
  howLong: string,
): Before {
  const text = `the keeper before (pid ${pid}) ${what}; nobody was here for ${howLong}`;
  return { pid, cause, grade, text, awaySeconds: Math.round(away * 10) / 10 };
}

/** As `inWords`, and never less than it was. */
function roundedUp(s: number): string {
  const unit = s < 9.9 ? 0.1 : s < 119 ? 1 : s < 7140 ? 60 : s < 169_200 ? 3600 : 86_400;
  return inWords(Math.ceil(s / unit) * unit * 1000);
}
