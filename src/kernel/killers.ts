// Who sent the signal that ended a process, or what the kernel had against it: the kernel's notes of signals, read as they
// come, while the sender can still be looked at, and kept until an end asks for them. Owns the trace instance. It must not
// know services, nor any other witness.

import type { ExitStatus, Killer, ProcessRef } from '../core/process.js';
import type { Report } from '../keeper/ports.js';
import { ticksNow } from './boot-clock.js';
import { type LastLook, lastLook } from './last-look.js';
import { Pace } from './pace.js';
import type { Pump } from './pump.js';
import { processOfThread, type SenderFacts, senderFacts } from './sender.js';
import { signalName, signalNumber } from './signal-number.js';
import { EPOLLIN, isWholeProcess } from './syscalls.js';
import type { TraceInstance } from './trace-instance.js';
import { parseTrace, type Signalled, type Starved, type TraceRecord } from './trace-line.js';

interface Sent {
  readonly note: Signalled;
  /** Null: nobody waited for the target's end then, and it is looked up when somebody asks; or the kernel sent it. */
  readonly sender: SenderFacts | null;
  readonly target: LastLook | null;
}

/** What the notes say of one end. */
export interface Account {
  readonly killer: Killer | null;
  /** The signal that ended it, or was answered by an end; its own included. */
  readonly signal: Signalled | null;
  /** What it was then. */
  readonly target: LastLook | null;
  /** The kernel chose it when memory ran out. */
  readonly starved: Starved | null;
}

/** Signals by which people and scripts ask a daemon to end; a daemon answers them by ending with a code. */
const POLITE: readonly number[] = [2, 3, 15];
/** Most daemons read their configuration again; without a handler, or from a terminal, it ends them. */
const SIGHUP = 1;
const SIGKILL = 9;

/** Ticks of 10 ms: so long ago, a signal that can be caught is not what ended it. */
const FRESH = 1000;
/** Unless its memory had to be written to a disk first. */
const FRESH_WITH_CORE = 60_000;
/** Start times are rounded down, and so are the notes. */
const ROUNDING = 1;

/** Ticks; the thread that had the fault ends with all the others. */
const STRAY = 100;
const STRAYS = 16;

const PER_PROCESS = 8;
/** Of those that somebody waits for, and of the others: the strangers of a storm must not drive out our own. */
const FOLLOWED = 8192;
const OTHERS = 512;
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
  readonly #starved = new Map<number, Starved>();
  /** Faults of threads that were gone before anybody could ask whose they were. */
  #strays: readonly Signalled[] = [];
  readonly #pace = new Pace();
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

  /** What is known of the end of this process. Asked once: the notes are forgotten then. */
  about(process: ProcessRef, status: ExitStatus): Account {
    // The note is there before the end is, but perhaps not read yet.
    this.#read();
    const { pid, startTicks } = process;
    const noted = this.#candidates(process, status);
    const candidates = noted.length > 0 ? noted : this.#straysOf(process, status);
    const last = candidates.at(-1);
    const starved = this.#starved.get(pid);
    const asked = candidates.findLast(({ note, sender }) => note.code <= 0 && sender?.pid !== pid);
    for (const map of [this.#sent, this.#others, this.#starved]) map.delete(pid);
    const isFault = last !== undefined && last.note.code > 0;
    const killer = asked === undefined || isFault ? null : killerOf(asked, status, asked === last);
    return {
      killer,
      signal: (killer === null ? (status.type === 'exited' ? null : last) : asked)?.note ?? null,
      target: last?.target ?? null,
      starved: starved !== undefined && starved.ticks >= startTicks - ROUNDING ? starved : null,
    };
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#pump.remove(this.#instance.fd);
    this.#instance.close();
  }

  #candidates({ pid, startTicks }: ProcessRef, status: ExitStatus): readonly Sent[] {
    const now = ticksNow();
    const fresh = status.type === 'signaled' && status.coreDumped ? FRESH_WITH_CORE : FRESH;
    return [...(this.#others.get(pid) ?? []), ...(this.#sent.get(pid) ?? [])]
      .filter(
        ({ note: { ticks, signal, code } }) =>
          ticks >= startTicks - ROUNDING &&
          (signal === SIGKILL || now - ticks <= fresh) &&
          mayHaveCaused(signal, code, status),
      )
      .map((sent) =>
        sent.sender === null && sent.note.code <= 0 ? { ...sent, sender: this.#factsOf(sent.note) } : sent,
      );
  }

  /**
   * A process that ended by a fault had one, in a thread that is gone; where only one has been noted in this second that nobody
   * else can have had, it was that.
   */
  #straysOf({ startTicks }: ProcessRef, status: ExitStatus): readonly Sent[] {
    const since = Math.max(startTicks, ticksNow() - STRAY);
    const fitting = this.#strays.filter(
      ({ ticks, signal, code }) => ticks >= since && status.type === 'signaled' && mayHaveCaused(signal, code, status),
    );
    if (fitting.length !== 1) return [];
    this.#strays = this.#strays.filter((stray) => !fitting.includes(stray));
    return fitting.map((note) => ({ note, sender: null, target: null }));
  }

  #wait(): void {
    this.#pump.add(this.#instance.fd, EPOLLIN, () => {
      const begun = performance.now();
      this.#read();
      const pause = this.#pace.pauseAfter(performance.now() - begun, performance.now());
      if (pause === null) return;
      this.#pump.remove(this.#instance.fd);
      this.#timer = setTimeout(() => {
        this.#timer = null;
        this.#wait();
      }, pause);
    });
  }

  #read(): void {
    const records = parseTrace(this.#instance.read());
    for (const record of records) this.#take(record, records.length);
  }

  #take(record: TraceRecord, among: number): void {
    switch (record.type) {
      case 'signalled':
        this.#takeSignal(record, among);
        return;
      case 'starved':
        keepLast(this.#starved, this.#targetOf(record.target, among), record, OTHERS);
        return;
      case 'lost':
        if (this.#lost === 0)
          this.#report('signals came faster than they could be noted; a killer may stay unnamed', null);
        this.#lost += record.count ?? 1;
    }
  }

  #takeSignal(note: Signalled, among: number): void {
    const target = this.#targetOf(note.target, among);
    const isFollowed = this.#isFollowed(target);
    if (!isFollowed && note.code > 0 && !isWholeProcess(target)) this.#strays = [...this.#strays, note].slice(-STRAYS);
    const map = isFollowed ? this.#sent : this.#others;
    const sent: Sent = isFollowed ? this.#lookedAt(note, target, among) : { note, sender: null, target: null };
    keepLast(map, target, [...(map.get(target) ?? []), sent].slice(-PER_PROCESS), isFollowed ? FOLLOWED : OTHERS);
  }

  /** Whoever nobody waits for costs no look at /proc. A program may catch its own faults, a million times a second. */
  #lookedAt(note: Signalled, target: number, among: number): Sent {
    return {
      note,
      sender: note.code <= 0 ? this.#factsOf(note) : null,
      // It is being torn down already after SIGKILL.
      target: among > MANY || note.signal === SIGKILL ? null : lastLook(target),
    };
  }

  #factsOf({ sender, ticks }: Signalled): SenderFacts {
    const found = senderFacts(sender.pid, sender.name, ticks);
    // It ran when it sent that, so the kernel has kept its name as soon as it ran no more.
    return found.name === null ? { ...found, name: this.#instance.nameOf(sender.pid) } : found;
  }

  /** Signals may be sent to a thread (htop shows them), and memory is taken from one. After SIGKILL it is often too late to say whose it was. */
  #targetOf(number: number, among: number): number {
    if (this.#isFollowed(number) || among > MANY || isWholeProcess(number)) return number;
    return processOfThread(number) ?? number;
  }
}

/** Whoever catches a signal, tidies up and then ends itself by the same one was asked by the stranger before. */
function killerOf({ note, sender }: Sent, status: ExitStatus, isLast: boolean): Killer | null {
  if (sender === null) return null;
  const isSeen = status.type === 'signaled' && isLast;
  return { ...sender, grade: isSeen ? 'seen' : 'inferred', signal: signalName(note.signal) };
}

/** Does an end like this come of this signal? A fault asks nobody. */
function mayHaveCaused(signal: number, code: number, status: ExitStatus): boolean {
  switch (status.type) {
    case 'signaled':
      return signal === signalNumber(status.signal);
    case 'exited':
      return code <= 0 && (signal === SIGHUP ? [0, 128 + SIGHUP].includes(status.code) : POLITE.includes(signal));
    case 'unknown':
      return signal === SIGKILL || POLITE.includes(signal);
  }
}

function keepLast<T>(map: Map<number, T>, key: number, value: T, most: number): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > most && oldest !== undefined) map.delete(oldest);
}
