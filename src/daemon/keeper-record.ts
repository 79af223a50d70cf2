// The keeper's own record, `<runtime>/keeper.json`: who keeps here since when, and whether it ended because somebody asked.
// The next keeper reads it first, and tells of one that did not. Owns the file and the gathering of evidence; what follows
// from it is judged in keeper-death.ts.
//
// An upgrade in place writes no end: the program that follows has the same pid and start time. Should it die before it has
// begun, the record is still that of a keeper that did not end, which is true.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bootId } from '../install/stopped-mark.js';
import { readJson, replaceFile } from '../journal/durable-file.js';
import type { Report } from '../keeper/ports.js';
import { bootSeconds } from '../kernel/boot-clock.js';
import { readStat } from '../kernel/identity.js';
import { readKernelLog } from '../kernel/kernel-log.js';
import { oomKillsOf } from '../kernel/kernel-log-line.js';
import { oomKillsCounted, ownMemoryGroup } from '../kernel/memory-group.js';
import { isMachineNamespace } from '../kernel/pid-era.js';
import { readText } from '../kernel/processes-of.js';
import { type Before, howItEnded, type Life } from './keeper-death.js';
import { progressPath, stampIn } from './progress.js';
import type { Piece } from './runtime-watch.js';

/** Everything in the file. Its shape may grow; what is in it keeps its meaning. */
export interface Recorded extends Life {
  readonly version: string;
  readonly startTicks: number;
  readonly boot: string;
  readonly since: string;
  readonly memoryGroup: { readonly path: string; readonly counter: string; readonly kills: number | null } | null;
  /** `<pid of the guard>:<life>`; null: unguarded. */
  readonly guard: string | null;
  readonly ended: null | 'leave' | 'stop';
}

export const recordPath = (runtime: string): string => join(runtime, 'keeper.json');

export class KeeperRecord {
  readonly #path: string;
  readonly #report: Report;
  readonly #recorded: Recorded;
  #file: 'written' | 'unwritten' = 'unwritten';
  /** Told of the keeper before; null: there was none in this boot, or it ended because somebody asked. */
  readonly before: Before | null;

  /** Reads what the one before left, and writes that we are here. Holding the lock. */
  constructor(runtime: string, version: string, env: NodeJS.ProcessEnv, report: Report) {
    this.#path = recordPath(runtime);
    this.#report = report;
    this.#recorded = ourselves(version, env);
    const last = recordedIn(readQuietly(this.#path));
    this.before =
      last === null || !isSurprise(last, this.#recorded) ? null : howItEnded(last, tracesOf(last, runtime, env));
    this.#write();
  }

  /** We were asked to end, and are about to. */
  end(how: 'leave' | 'stop'): void {
    this.#write(how);
  }

  /** As one of the things that are made anew when somebody removes them. What could never be written was not removed. */
  get piece(): Piece {
    return {
      name: 'the record of the keeper',
      isInPlace: () => this.#file === 'unwritten' || existsSync(this.#path),
      renew: () => this.#write(),
    };
  }

  #write(ended: Recorded['ended'] = null): void {
    try {
      replaceFile(this.#path, `${JSON.stringify({ ...this.#recorded, ended })}\n`);
      this.#file = 'written';
    } catch (error) {
      this.#file = 'unwritten';
      this.#report(`${this.#path} cannot be written: the next keeper will not know how this one ended`, error);
    }
  }
}

function ourselves(version: string, env: NodeJS.ProcessEnv): Recorded {
  const group = ownMemoryGroup();
  const stat = readStat(process.pid);
  return {
    version,
    pid: process.pid,
    startTicks: stat?.startTicks ?? 0,
    name: stat?.comm ?? '',
    boot: bootId(),
    since: new Date().toISOString(),
    sinceUptime: bootSeconds(),
    sinceAwake: awakeSeconds(),
    memoryGroup: group === null ? null : { ...group, kills: oomKillsCounted(group.counter) },
    guard: env.UPKEEP_GUARD === undefined ? null : `${env.UPKEEP_GUARD}:${env.UPKEEP_GUARD_LIFE ?? ''}`,
    ended: null,
  };
}

/** A reboot ends every keeper; the same process is one that was upgraded. */
const isSurprise = (last: Recorded, now: Recorded): boolean =>
  last.boot === now.boot && last.ended === null && !(last.pid === now.pid && last.startTicks === now.startTicks);

function tracesOf(last: Recorded, runtime: string, env: NodeJS.ProcessEnv): Parameters<typeof howItEnded>[1] {
  return {
    kills: oomKillsOf(readKernelLog() ?? []),
    kernelPids: isMachineNamespace() ? 'ours' : 'others',
    counted: last.memoryGroup === null ? null : oomKillsCounted(last.memoryGroup.counter),
    status: guardsWord(last, env),
    stamp: stampIn(readText(progressPath(runtime))),
    nowUptime: bootSeconds(),
    nowAwake: awakeSeconds(),
  };
}

/** The status of the life before, if that was this one: others may have come and gone in between without a word here. */
function guardsWord(
  last: Recorded,
  { UPKEEP_GUARD: guard, UPKEEP_GUARD_LIFE: life, UPKEEP_GUARD_LAST: status }: NodeJS.ProcessEnv,
): number | null {
  if (guard === undefined || status === undefined || !/^\d+$/.test(status)) return null;
  return last.guard === `${guard}:${Number(life) - 1}` ? Number(status) : null;
}

/** null: it is not what a keeper of this kind writes. */
export function recordedIn(found: unknown): Recorded | null {
  if (typeof found !== 'object' || found === null) return null;
  const it = found as Readonly<Record<string, unknown>>;
  const numbers = [it.pid, it.startTicks, it.sinceUptime, it.sinceAwake];
  const texts = [it.version, it.name, it.boot, it.since];
  const isWhole =
    numbers.every((one) => typeof one === 'number') &&
    texts.every((one) => typeof one === 'string') &&
    isGroup(it.memoryGroup) &&
    (it.guard === null || typeof it.guard === 'string') &&
    (it.ended === null || typeof it.ended === 'string');
  return isWhole ? (found as Recorded) : null;
}

function isGroup(found: unknown): boolean {
  if (found === null) return true;
  if (typeof found !== 'object') return false;
  const { path, counter, kills } = found as Readonly<Record<string, unknown>>;
  return typeof path === 'string' && typeof counter === 'string' && (kills === null || typeof kills === 'number');
}

/** The clock that the kernel's log is near to. */
const awakeSeconds = (): number => Number(process.hrtime.bigint()) / 1e9;

function readQuietly(path: string): unknown {
  try {
    return readJson(path);
  } catch {
    return null;
  }
}
