// Finds processes that an earlier keeper started without living to write their birth down. The token in the environment is
// inherited by grandchildren and can be forged, so it is never enough: the process must lead its own session, be run by who
// must run it, be younger than the record of the order, and have a parent that an orphan of ours can have. It must not know
// what is done with who is found.

import { readdirSync, statSync } from 'node:fs';
import type { ProcessRef } from '../core/process.js';
import { findUser } from './account.js';
import type { Features } from './features.js';
import { identify, isDead, readStat, type Stat } from './identity.js';
import { readText, variableOf } from './processes-of.js';
import { whichHop } from './program.js';
import { uidIn } from './status-text.js';
import { close } from './syscalls.js';

/** What the process that came of an order must be like. */
export interface Wanted {
  readonly token: string;
  /** Who it was to run as; null: as the keeper. */
  readonly user: string | null;
  /** In ticks since boot: when the order was recorded. */
  readonly since: number;
}

type Answer = (process: ProcessRef | null) => void;

export class Reclaims {
  readonly #features: Features;
  #pending: { readonly wanted: Wanted; readonly answer: Answer }[] = [];
  #pass: NodeJS.Immediate | null = null;

  constructor(features: Features) {
    this.#features = features;
  }

  /** Answers later, null when nothing of it lives. All that are asked for in one turn of the loop share one pass over /proc: a keeper that comes back to a thousand services must not take a thousand. */
  ask(wanted: Wanted, answer: Answer): void {
    this.#pending.push({ wanted, answer });
    this.#pass ??= setImmediate(() => {
      const pending = this.#pending;
      this.#pending = [];
      this.#pass = null;
      const found = findOrdered(
        pending.map((one) => one.wanted),
        this.#features,
      );
      for (const one of pending) one.answer(found.get(one.wanted.token) ?? null);
    });
  }

  close(): void {
    if (this.#pass !== null) clearImmediate(this.#pass);
    this.#pending = [];
  }
}

/** By token. Of several that could be it (a child that began a session of its own and was orphaned) it is the oldest: the first of them started the others. */
function findOrdered(orders: readonly Wanted[], features: Features): ReadonlyMap<string, ProcessRef> {
  const found = new Map<string, ProcessRef>();
  const byToken = new Map(orders.map((order) => [order.token, order]));
  const earliest = Math.min(...orders.map(({ since }) => since));
  const parents = parentsOfOrphans();
  const uidOf = remembering((user: string | null) =>
    user === null ? (process.geteuid?.() ?? 0) : (findUser(user)?.uid ?? null),
  );
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!(pid > 1) || pid === process.pid) continue;
    const stat = readStat(pid);
    // The cheap questions first: of the environment only those are asked who pass them.
    if (stat === null || isDead(stat) || stat.session !== pid || stat.startTicks < earliest) continue;
    if (!parents.has(stat.ppid)) continue;
    const order = byToken.get(variableOf(pid, 'UPKEEP_TOKEN') ?? '');
    if (order === undefined || stat.startTicks < order.since || !isRunBy(uidOf(order.user), pid)) continue;
    const older = found.get(order.token);
    if (older !== undefined && older.startTicks <= stat.startTicks) continue;
    const is = named(pid, stat, features);
    if (is !== null) found.set(order.token, is);
  }
  return found;
}

/** Init, ourselves, and whoever is above us: a guard, or another subreaper. None of them is below a service. */
function parentsOfOrphans(): ReadonlySet<number> {
  const parents = new Set([1, process.pid]);
  for (let pid = process.ppid; pid > 1 && !parents.has(pid); pid = readStat(pid)?.ppid ?? 0) parents.add(pid);
  return parents;
}

/** Is it run by this user: really, not only in effect? */
function isRunBy(expected: number | null, pid: number): boolean {
  const uid = uidIn(readText(`/proc/${pid}/status`));
  if (expected === null || uid === null) return false;
  if (uid === expected) return true;
  const own = process.geteuid?.() ?? 0;
  // It is not yet who it will be: still the hop that changes the user, or is about to be replaced by it.
  if (uid === own) return isHop(pid);
  // It was to be root and has given that up itself, as `named -u bind` does. The kernel then hides it from its new user,
  // until it executes something else.
  return expected === 0 && own === 0 && ownerOfFiles(pid) === 0;
}

function isHop(pid: number): boolean {
  const program = readText(`/proc/${pid}/cmdline`).split('\0', 1)[0];
  return program !== '' && (program === whichHop('setpriv') || program === whichHop('prlimit'));
}

/** Of its files in /proc; the directory itself is always that of its effective user. */
const ownerOfFiles = (pid: number): number | null =>
  statSync(`/proc/${pid}/environ`, { throwIfNoEntry: false })?.uid ?? null;

/** Its name, if it is still the one that was judged. */
function named(pid: number, judged: Stat, features: Features): ProcessRef | null {
  const found = identify(pid, features);
  if (found === null) return null;
  if (found.pidfd !== null) close(found.pidfd);
  return found.process.startTicks === judged.startTicks ? found.process : null;
}

function remembering<K, V>(ask: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>();
  return (key) => {
    const before = known.get(key);
    if (before !== undefined) return before;
    const answer = ask(key);
    known.set(key, answer);
    return answer;
  };
}
