// Entries of the chronicle for tests, with what a test does not say filled in.

import type { What } from '../../src/core/change.js';
import type { Sender } from '../../src/core/death.js';
import { deathOf } from '../../src/core/death.js';
import type { About, Entry, KeeperNews } from '../../src/core/entry.js';
import { asPid, type ProcessRef, type SignalName } from '../../src/core/process.js';
import { serviceName } from '../../src/core/spec.js';
import { instant, wallTime } from '../../src/core/time.js';

/** Ten in the morning, as in the fake keeper. */
export const ENTRY_TIME = Date.parse('2026-11-20T10:00:00.000Z');

interface Wish extends Partial<Pick<About, 'level' | 'line' | 'incident' | 'tags'>> {
  readonly origin?: string;
  readonly service?: string;
  readonly what?: What;
  readonly time?: number;
  readonly output?: readonly string[] | null;
}

/** One second after the one with the number before it; without more it says that `web` is stopped. */
export function serviceEntry(number: number, wish: Wish = {}): Entry {
  const { origin = 'aaaa', service = 'web', what = { type: 'stopped' }, output = null } = wish;
  const { level = 'info', line = `${service} is stopped`, incident = null, tags = [] } = wish;
  const time = wallTime(wish.time ?? ENTRY_TIME + number * 1000);
  const at = { origin, number, time, at: instant(1_000_000 + number * 1000), output };
  const change = {
    service: serviceName(service),
    time,
    generation: 1,
    from: 'running',
    to: 'stopped',
    wave: null,
    what,
  } as const;
  const none = {
    description: null,
    runbook: null,
    hold: 'no',
    window: 0,
    total: 0,
    healthyAfter: 30_000,
    heldBack: [],
    ailing: [],
    unasked: [],
  } as const;
  const about: About = { ...none, kind: 'supervised', desired: 'up', tags, level, line, incident };
  return { ...at, news: { of: 'service', change, about } };
}

export function keeperEntry(number: number, what: KeeperNews, origin = 'aaaa'): Entry {
  const time = wallTime(ENTRY_TIME + number * 1000);
  return { origin, number, time, at: instant(1_000_000), news: { of: 'keeper', what }, output: null };
}

export const alice: Sender = { pid: 4711, name: 'upkeep', uid: 1000, user: 'alice', grade: 'seen' };

/** Killed by the shell of alice. */
export function killed(signal: SignalName = 'SIGKILL'): Extract<What, { type: 'died' }> {
  const process: ProcessRef = { pid: asPid(812), startTicks: 10_000, inode: null };
  const killer = { ...alice, name: 'bash', signal, command: 'bash -c secret', parent: { pid: 4000, name: 'sshd' } };
  const evidence = {
    status: { type: 'signaled', signal, coreDumped: false },
    oom: false,
    peakMemory: 10_000_000,
    cpuTime: 120,
    ticks: null,
    by: killer,
    findings: null,
  } as const;
  const life = { startedAt: instant(1000), readySince: instant(2000) };
  const now = { instant: instant(1_000_000), wall: wallTime(ENTRY_TIME), random: 0 };
  return { type: 'died', death: deathOf(process, evidence, 'none', life, 'no', now), next: { type: 'start' } };
}
