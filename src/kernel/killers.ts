// Who sent the signal that ended a process: the kernel's notes of signals, read as they come, while the sender can still
// be looked at, and kept until an end asks for them. Owns the trace instance. It must not know services.

import type { ExitEvidence, ExitStatus, Killer, ProcessRef } from '../core/process.js';
import type { Report } from '../keeper/ports.js';
import { ticksNow } from './boot-clock.js';
import type { Pump } from './pump.js';
import { processOfThread, type SenderFacts, senderFacts } from './sender.js';
import { signalName, signalNumber } from './signal-number.js';
import { EPOLLIN } from './syscalls.js';
import type { TraceInstance } from './trace-instance.js';
import { parseTrace, type TraceRecord } from './trace-line.js';

type Signalled = Extract<TraceRecord, { type: 'signalled' }>;

interface Sent {
  readonly note: Signalled;
  /** Null: nobody waited for the target's end then, and it is looked up when somebody asks. */
  readonly sender: SenderFacts | null;
}

/** Signals by which people and scripts ask a daemon to end; a daemon answers them by ending with a code. */
const POLITE: readonly number[] = [2, 3, 15];
/** Most daemons read their configuration again; without a handler, or from a terminal, it ends them. */
const SIGHUP = 1;
const SIGKILL = 9;

/** Ticks of 10 ms: so long ago, a signal that can be caught is not what ended it. */
const FRESH = 1000;
/** Start times are rounded down, and so are the notes. */
const ROUNDING = 1;

const PER_PROCESS = 8;
/** Of those that somebody waits for, and of the others: the strangers of a storm must not drive out our own. */
const FOLLOWED = 8192;
const OTHERS = 512;
/** Wake-ups in a second from which on a storm is read in batches: it is the wake-ups that cost. */
const STORM = 50;
const BATCH_MS = 20;
/** Lines at once from which on nobody looks which thread of whom was meant. */
const MANY = 16;

export class Killers {
  readonly #instance: TraceInstance;
  readonly #pump: Pump;
  readonly #isFollowed: (pid: number) => boolean;
  readonly #report: Report;
  /** By target, the one that was hit longest ago first. */
  readonly #sent = new Map<number, readonly Sent[]>();
  /** The same of whom nobody waits for, yet: it may be ours from before a keeper was killed, or be followed in a moment. */
  readonly #others = new Map<number, readonly Sent[]>();
  /** Chosen by the kernel when memory ran out, and when. */
  readonly #starved = new Map<number, number>();
  #second = 0;
  #wakeups = 0;
  #timer: NodeJS.Timeout | null = null;
  #lost = 0;

  constructor(instance: TraceInstance, pump: Pump, isFollowed: (pid: number) => boolean, report: Report) {
    this.#instance = instance;
    this.#pump = pump;
    this.#isFollowed = isFollowed;
    this.#report = report;
    this.#wait();
  }

  /** How many notes were overwritten before we read them, as far as the kernel says. */
  get lost(): number {
    return this.#lost;
  }

  /** The same evidence with what is known of who did it. Never throws: a death must be told. */
  testify(process: ProcessRef, evidence: ExitEvidence): ExitEvidence {
    try {
      // The note is there before the end is, but perhaps not read yet.
      this.#read();
      const { status } = evidence;
      const isKill = status.type === 'unknown' || (status.type === 'signaled' && status.signal === 'SIGKILL');
      const starved = this.#starved.get(process.pid);
      const oom = evidence.oom || (isKill && starved !== undefined && starved >= process.startTicks - ROUNDING);
      return { ...evidence, oom, by: oom ? null : this.#killerOf(process, status) };
    } catch (error) {
      this.#report(`who ended process ${process.pid} could not be found out`, error);
      return evidence;
    } finally {
      this.#sent.delete(process.pid);
      this.#others.delete(process.pid);
      this.#starved.delete(process.pid);
    }
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#pump.remove(this.#instance.fd);
    this.#instance.close();
  }

  #killerOf(process: ProcessRef, status: ExitStatus): Killer | null {
    const now = ticksNow();
    const isCandidate = ({ note: { ticks, signal } }: Sent): boolean =>
      ticks >= process.startTicks - ROUNDING &&
      (signal === SIGKILL || now - ticks <= FRESH) &&
      mayHaveCaused(signal, status);
    const { pid } = process;
    const candidates = [...(this.#others.get(pid) ?? []), ...(this.#sent.get(pid) ?? [])]
      .filter(isCandidate)
      .map(({ note, sender }) => ({ note, sender: sender ?? factsOf(note) }));
    const last = candidates.filter(({ sender }) => sender.pid !== pid).at(-1);
    if (last === undefined) return null;
    // Whoever catches a signal, tidies up and then ends itself by the same one was asked by the stranger before.
    const isSeen = status.type === 'signaled' && candidates.at(-1) === last;
    return { ...last.sender, grade: isSeen ? 'seen' : 'inferred', signal: signalName(last.note.signal) };
  }

  #wait(): void {
    this.#pump.add(this.#instance.fd, EPOLLIN, () => {
      this.#read();
      if (!this.#isStorm()) return;
      this.#pump.remove(this.#instance.fd);
      this.#timer = setTimeout(() => {
        this.#timer = null;
        this.#read();
        this.#wait();
      }, BATCH_MS);
    });
  }

  #isStorm(): boolean {
    const second = Math.floor(ticksNow() / 100);
    if (second !== this.#second) this.#wakeups = 0;
    this.#second = second;
    this.#wakeups += 1;
    return this.#wakeups > STORM;
  }

  #read(): void {
    const records = parseTrace(this.#instance.read());
    for (const record of records) {
      switch (record.type) {
        case 'signalled':
          this.#take(record, records.length);
          break;
        case 'starved':
          keepLast(this.#starved, this.#targetOf(record.target, records.length), record.ticks, OTHERS);
          break;
        case 'lost':
          if (this.#lost === 0)
            this.#report('signals came faster than they could be noted; a killer may stay unnamed', null);
          this.#lost += record.count ?? 1;
          break;
      }
    }
  }

  #take(note: Signalled, among: number): void {
    const target = this.#targetOf(note.target, among);
    const isFollowed = this.#isFollowed(target);
    const map = isFollowed ? this.#sent : this.#others;
    // Whoever nobody waits for costs no look at /proc.
    const sent: Sent = { note, sender: isFollowed ? factsOf(note) : null };
    keepLast(map, target, [...(map.get(target) ?? []), sent].slice(-PER_PROCESS), isFollowed ? FOLLOWED : OTHERS);
  }

  /** Signals may be sent to a thread (htop shows them), and memory is taken from one. After SIGKILL it is often too late to say whose it was. */
  #targetOf(number: number, among: number): number {
    if (this.#isFollowed(number) || among > MANY) return number;
    return processOfThread(number) ?? number;
  }
}

/** Does an end like this come of this signal? */
function mayHaveCaused(signal: number, status: ExitStatus): boolean {
  switch (status.type) {
    case 'signaled':
      return signal === signalNumber(status.signal);
    case 'exited':
      return signal === SIGHUP ? [0, 128 + SIGHUP].includes(status.code) : POLITE.includes(signal);
    case 'unknown':
      return signal === SIGKILL || POLITE.includes(signal);
  }
}

const factsOf = ({ sender, ticks }: Signalled): SenderFacts => senderFacts(sender.pid, sender.name, ticks);

function keepLast<T>(map: Map<number, T>, key: number, value: T, most: number): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > most && oldest !== undefined) map.delete(oldest);
}
