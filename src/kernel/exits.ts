// Tells once how each followed process ended, whoever its parent is: by pidfd at its first edge (never waiting for
// the parent to reap it), else by looking. Owns those pidfds. It must not know services, nor what an end means.

import { statSync } from 'node:fs';
import type { ExitEvidence, ExitStatus, ProcessRef } from '../core/process.js';
import { ticksNow } from './boot-clock.js';
import type { Features } from './features.js';
import { type Identified, identifyAgain, isDead, readStat } from './identity.js';
import { pidfdInfo } from './pidfd-info.js';
import type { Pump } from './pump.js';
import { exitStatus, signalName } from './signal-number.js';
import { close, EPOLLET, EPOLLIN, P_PID, P_PIDFD, type Reaped, reap, SystemCallFailure } from './syscalls.js';

/** The exit status of a process that ended lately, from somebody who listens to the kernel; null: not heard of. */
export type ExitStatusOf = (pid: number, startTicks: number) => ExitStatus | null;

/** What others who saw it can add to an end. Never throws. */
export type Testify = (process: ProcessRef, evidence: ExitEvidence) => ExitEvidence;

export type OnExit = (evidence: ExitEvidence) => void;

interface Followed {
  readonly process: ProcessRef;
  readonly pidfd: number | null;
  /** By follower: two services may watch the same daemon. */
  readonly callbacks: Map<string, OnExit>;
}

const FIRST_POLL = 20; // ms; doubled to the last one while nothing changes
const LAST_POLL = 500;
const TICK = 10; // ms: USER_HZ is 100 on every architecture that Node runs on
const ATTEMPTS = 3; // its parent may reap it between two of our looks
const RETRY = 3; // ms until the proc connector's event, sent after the pidfd's edge, has surely come

export class Exits {
  readonly #pump: Pump;
  readonly #features: Features;
  readonly #exitStatusOf: ExitStatusOf;
  readonly #testify: Testify;
  readonly #followed = new Map<string, Followed>();
  readonly #byPid = new Map<number, readonly Followed[]>();
  #pollTimer: NodeJS.Timeout | null = null;
  #pollDelay = FIRST_POLL;
  readonly #onChild = (): void => this.#poll();

  constructor(
    pump: Pump,
    features: Features,
    exitStatusOf: ExitStatusOf = () => null,
    testify: Testify = (_process, evidence) => evidence,
  ) {
    this.#pump = pump;
    this.#features = features;
    this.#exitStatusOf = exitStatusOf;
    this.#testify = testify;
    if (features.pidfd === 'no') process.on('SIGCHLD', this.#onChild);
  }

  /**
   * Calls back once when this process has ended, never from within this call. For a child that we just started,
   * `pidfd` is handed over; others are opened and verified here.
   * @returns `gone` if it is no more (or its pid is somebody else's): nothing will be called back.
   * @throws SystemCallFailure: EMFILE, never for a child
   */
  follow(
    follower: string,
    process: ProcessRef,
    onExit: OnExit,
    child?: { readonly pidfd: number | null },
  ): 'following' | 'gone' {
    const known = this.#followed.get(keyOf(process));
    if (known !== undefined) {
      known.callbacks.set(follower, onExit);
      return 'following';
    }
    const found: Identified | null =
      child === undefined ? identifyAgain(process, this.#features) : { process, ...child };
    if (found === null) return 'gone';
    const entry = this.#watch(process, found.pidfd, new Map([[follower, onExit]]));
    this.#followed.set(keyOf(process), entry);
    this.#byPid.set(process.pid, [...(this.#byPid.get(process.pid) ?? []), entry]);
    return 'following';
  }

  #watch(process: ProcessRef, pidfd: number | null, callbacks: Map<string, OnExit>): Followed {
    const entry: Followed = { process, pidfd, callbacks };
    try {
      // Level would go on firing while a zombie waits for its parent: the first edge is the death.
      if (pidfd !== null) this.#pump.add(pidfd, EPOLLIN | EPOLLET, () => this.#onEdge(entry));
    } catch (error) {
      // ENOSPC over fs.epoll.max_user_watches, ENOMEM: looking is slower, and works.
      if (!(error instanceof SystemCallFailure) || pidfd === null) throw error;
      close(pidfd);
      return this.#watch(process, null, callbacks);
    }
    if (pidfd === null) this.#pollSoon();
    return entry;
  }

  /** Forgets it for this follower, without touching it. */
  unfollow(follower: string, process: ProcessRef): void {
    const entry = this.#followed.get(keyOf(process));
    if (entry === undefined) return;
    entry.callbacks.delete(follower);
    if (entry.callbacks.size === 0) this.#forget(entry);
  }

  /** The open pidfd of a followed process. It stays ours. */
  pidfdOf(process: ProcessRef): number | null {
    return this.#followed.get(keyOf(process))?.pidfd ?? null;
  }

  /** Is the end of a process with this pid ours to take? */
  isFollowed(pid: number): boolean {
    return this.#byPid.has(pid);
  }

  /** Does anybody else than this follower wait for it? */
  isFollowedBeside(follower: string, pid: number): boolean {
    const entries = this.#byPid.get(pid) ?? [];
    return entries.some(({ callbacks }) => [...callbacks.keys()].some((key) => key !== follower));
  }

  close(): void {
    process.off('SIGCHLD', this.#onChild);
    if (this.#pollTimer !== null) clearTimeout(this.#pollTimer);
    for (const entry of [...this.#followed.values()]) this.#forget(entry);
  }

  #forget(entry: Followed): void {
    this.#followed.delete(keyOf(entry.process));
    const left = (this.#byPid.get(entry.process.pid) ?? []).filter((other) => other !== entry);
    if (left.length === 0) this.#byPid.delete(entry.process.pid);
    else this.#byPid.set(entry.process.pid, left);
    if (entry.pidfd === null) return;
    this.#pump.remove(entry.pidfd);
    close(entry.pidfd);
  }

  #evidenceOf(entry: Followed): ExitEvidence | 'alive' {
    return ownEvidence(entry) ?? foreignEvidence(entry, this.#features);
  }

  #onEdge(entry: Followed): void {
    const evidence = this.#look(entry);
    if (evidence === 'unseen') setTimeout(() => this.#onEdge(entry), LAST_POLL);
    else if (evidence !== 'alive') this.#ended(entry, evidence);
  }

  /** `unseen`: the host has no file left for a look (ENFILE), or we have not. The edge does not come again, so it is looked later. */
  #look(entry: Followed): ExitEvidence | 'alive' | 'unseen' {
    if (this.#followed.get(keyOf(entry.process)) !== entry) return 'alive';
    try {
      return this.#evidenceOf(entry);
    } catch (error) {
      if (error instanceof SystemCallFailure) return 'unseen';
      throw error;
    }
  }

  #ended(entry: Followed, evidence: ExitEvidence): void {
    this.#forget(entry);
    if (evidence.status.type === 'unknown') this.#askListener(entry, evidence, ATTEMPTS);
    else this.#tell(entry, evidence);
  }

  #askListener(entry: Followed, evidence: ExitEvidence, attempts: number): void {
    const heard = this.#exitStatusOf(entry.process.pid, entry.process.startTicks);
    if (heard === null && attempts > 1 && this.#features.procConnector === 'yes') {
      setTimeout(() => this.#askListener(entry, evidence, attempts - 1), RETRY);
      return;
    }
    this.#tell(entry, heard === null ? evidence : { ...evidence, status: heard });
  }

  #tell(entry: Followed, evidence: ExitEvidence): void {
    const told = this.#testify(entry.process, evidence);
    for (const callback of entry.callbacks.values()) callback(told);
  }

  /** What is known of the end of a process that nobody followed when it came. */
  ofMissed(process: ProcessRef): ExitEvidence {
    const stat = readStat(process.pid);
    if (stat !== null && isDead(stat) && stat.startTicks === process.startTicks) {
      // A child of ours that ended while our program was replaced has waited for us, and nobody else may reap it.
      const evidence = this.#evidenceOf({ process, pidfd: null, callbacks: new Map() });
      if (evidence !== 'alive') return this.#testify(process, evidence);
    }
    return this.#testify(process, { ...evidence({ type: 'unknown' }, null, null), ticks: null });
  }

  #pollSoon(): void {
    this.#pollDelay = FIRST_POLL;
    if (this.#pollTimer !== null) clearTimeout(this.#pollTimer);
    this.#pollTimer = setTimeout(() => this.#poll(), this.#pollDelay);
  }

  #poll(): void {
    if (this.#pollTimer !== null) clearTimeout(this.#pollTimer);
    this.#pollTimer = null;
    for (const entry of [...this.#followed.values()]) {
      if (entry.pidfd !== null) continue;
      const evidence = this.#look(entry);
      if (evidence !== 'alive' && evidence !== 'unseen') this.#ended(entry, evidence);
    }
    const isLookedFor = [...this.#followed.values()].some(({ pidfd }) => pidfd === null);
    if (!isLookedFor || this.#pollTimer !== null) return;
    this.#pollDelay = Math.min(this.#pollDelay * 2, LAST_POLL);
    this.#pollTimer = setTimeout(() => this.#poll(), this.#pollDelay);
  }
}

const keyOf = (process: ProcessRef): string => `${process.pid}.${process.startTicks}`;

/** A child of ours is reaped here, with all that the kernel counted; null when it is somebody else's. */
function ownEvidence(entry: Followed): ExitEvidence | 'alive' | null {
  try {
    const reaped = entry.pidfd === null ? reap(P_PID, entry.process.pid) : reap(P_PIDFD, entry.pidfd);
    if (reaped === null) return 'alive';
    return evidence(statusOf(reaped), peakOf(reaped), reaped.cpuTime);
  } catch (error) {
    if (error instanceof SystemCallFailure) return null; // ECHILD
    throw error;
  }
}

/** A child begins in our memory, and the kernel counts that as its own (vfork(2), ru_maxrss): only what is more than we ever had tells something. */
const peakOf = ({ peakMemory }: Reaped): number | null =>
  peakMemory > process.resourceUsage().maxRSS * 1024 ? peakMemory : null;

/** What can still be seen of the end of somebody else's child. */
function foreignEvidence(entry: Followed, features: Features): ExitEvidence | 'alive' {
  const pid = entry.process.pid;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const exit = entry.pidfd === null || features.pidfdInfo === 'no' ? null : (pidfdInfo(entry.pidfd)?.exit ?? null);
    const seen = readStat(pid);
    // Its parent may have reaped it, and the number may be another's.
    const stat = seen?.startTicks === entry.process.startTicks ? seen : null;
    if (exit !== null) return evidence(exitStatus(exit), null, stat === null ? null : stat.cpuTicks * TICK);
    if (stat === null) continue;
    if (isDead(stat)) return evidence(zombieStatus(pid, stat.exitCode), null, stat.cpuTicks * TICK);
    if (entry.pidfd === null) return 'alive';
  }
  return evidence({ type: 'unknown' }, null, null);
}

const evidence = (status: ExitStatus, peakMemory: number | null, cpuTime: number | null): ExitEvidence => ({
  status,
  oom: false,
  peakMemory,
  cpuTime,
  ticks: ticksNow(),
  by: null,
  findings: null,
});

/** Whoever may not trace it reads 0 in that field, which would be a clean exit. */
function zombieStatus(pid: number, exitCode: number): ExitStatus {
  const readable = exitCode !== 0 || process.geteuid?.() === 0 || ownerOf(pid) === process.geteuid?.();
  return readable ? exitStatus(exitCode) : { type: 'unknown' };
}

const ownerOf = (pid: number): number | null => statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid ?? null;

function statusOf(reaped: Reaped): ExitStatus {
  if (reaped.code === 1) return { type: 'exited', code: reaped.status };
  return { type: 'signaled', signal: signalName(reaped.status), coreDumped: reaped.code === 3 };
}
