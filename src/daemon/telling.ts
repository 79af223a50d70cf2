// From what happened to the history and to people: has the desk decide what deserves telling, hands entries, letters and the
// desk's state to the record thread as one job, and only when that is on disk tells the chronicle and gives the letters to be
// sent. One job at a time; what comes meanwhile goes with the next. It must not know what is worth a letter, nor how one is sent.

import type { Entry } from '../core/entry.js';
import { errorText } from '../core/error-text.js';
import type { Letter } from '../core/notice.js';
import { type Desk, emptyDesk } from '../core/notice-desk.js';
import { due, dueAt, type Outcome, type Setting, tell } from '../core/notices.js';
import type { WallTime } from '../core/time.js';
import type { Envelope } from '../notices/outbox-file.js';
import type { KeepJob, RecordJob, RecordNews } from '../recorder.js';

export interface TellingParts {
  readonly send: (job: RecordJob) => void;
  readonly setting: () => Setting;
  readonly now: () => WallTime;
  /** These are on disk. */
  readonly confirm: (entries: readonly Entry[]) => void;
  /** These lie in the outbox now, and those no more. */
  readonly post: (letters: readonly Envelope[], dropped: readonly Envelope[]) => void;
  readonly say: (level: 'error' | 'notice', text: string) => void;
}

/** As many as are written in a few milliseconds. */
const batch = 500;
/** A full disk, or a thread that broke: after so long it is tried again. */
const retryAfter = 5000;
/** As many as the journal keeps. */
const mostUnwritten = 20_000;
/** What is asked for may come with a clock that was set: looked at again at the latest after so long. */
const longestSleep = 3_600_000;

export class Telling {
  readonly #parts: TellingParts;
  readonly #queue: Entry[] = [];
  /** null: not read yet. */
  #desk: Desk | null = null;
  /** What is to be done to it once it is read. */
  readonly #edits: Array<(desk: Desk) => Desk> = [];
  #changed: 'yes' | 'no' = 'no';
  #inFlight: KeepJob | null = null;
  /** The desk has seen them, and the history would not have them. */
  #unwritten: readonly Entry[] = [];
  #failing: 'no' | 'told' = 'no';
  #timer: NodeJS.Timeout | null = null;
  #number = 0;
  #idle: Array<() => void> = [];

  constructor(parts: TellingParts) {
    this.#parts = parts;
  }

  /** Has the outbox read; until then everything waits. */
  begin(): void {
    this.#parts.send({ type: 'load', key: 'load', lasts: 'once' });
  }

  readonly pass = (entries: readonly Entry[]): void => {
    this.#queue.push(...entries);
    this.#pump();
  };

  /** Something else than an entry changed the desk: a person who has taken note. */
  change(edit: (desk: Desk) => Desk): void {
    if (this.#desk === null) {
      this.#edits.push(edit);
      return;
    }
    const before = this.#desk;
    this.#desk = edit(before);
    if (this.#desk !== before) this.#changed = 'yes';
    this.#pump();
  }

  /** Is something under way, or due within so many milliseconds? */
  isBusyWithin(soon: number): boolean {
    const at = dueAt(this.desk);
    return !this.#isIdle() || this.#desk === null || (at !== null && at - this.#parts.now() <= soon);
  }

  get desk(): Desk {
    return this.#desk ?? emptyDesk;
  }

  hear(news: Extract<RecordNews, { readonly type: 'loaded' | 'kept' | 'notKept' }>): void {
    switch (news.type) {
      case 'loaded':
        this.#desk = this.#edits.splice(0).reduce((desk, edit) => edit(desk), news.desk);
        if (this.#desk !== news.desk) this.#changed = 'yes';
        this.#parts.post(news.letters, []);
        this.#pump();
        return;
      case 'kept':
        this.#kept(news);
        return;
      case 'notKept':
        this.failed(news.key, news.reason);
        return;
    }
  }

  /** This job came to nothing: it is given again, a little later. */
  failed(key: string, reason: string): void {
    const job = this.#inFlight;
    if (key === 'load') this.#sleep(retryAfter, () => this.begin());
    if (job?.key !== key) return;
    if (this.#failing === 'no')
      this.#parts.say('error', `what happened cannot be written down, and is tried again until it can: ${reason}`);
    this.#failing = 'told';
    this.#sleep(retryAfter, () => this.#parts.send(job));
  }

  /** Resolves when nothing is left to be written, or after `within` milliseconds. */
  flush(within: number): Promise<'done' | 'late'> {
    if (this.#isIdle()) return Promise.resolve('done');
    return new Promise((resolve) => {
      const late = setTimeout(() => resolve('late'), within);
      this.#idle.push(() => {
        clearTimeout(late);
        resolve('done');
      });
    });
  }

  close(): void {
    this.#cancelSleep();
  }

  #isIdle(): boolean {
    return this.#queue.length === 0 && this.#inFlight === null;
  }

  /** `again`: also where there is nothing but what the history would not have. */
  #pump(again: 'yes' | 'no' = 'no'): void {
    if (this.#desk === null || this.#inFlight !== null) return;
    const fresh = this.#queue.splice(0, batch);
    const { letters, isChanged } = this.#decide(fresh);
    if (fresh.length === 0 && !isChanged && this.#changed === 'no' && again === 'no') this.#rest();
    else this.#give(fresh, letters);
  }

  #give(fresh: readonly Entry[], letters: readonly Letter[]): void {
    this.#cancelSleep();
    this.#changed = 'no';
    const entries = [...this.#unwritten, ...fresh].slice(-mostUnwritten);
    this.#unwritten = [];
    this.#number += 1;
    const job = {
      type: 'keep',
      key: `keep ${this.#number}`,
      lasts: 'once',
      entries,
      letters,
      desk: this.desk,
    } as const;
    this.#inFlight = job;
    this.#parts.send(job);
  }

  /** One step of the desk for each entry, and one for the time that has passed. */
  #decide(entries: readonly Entry[]): { readonly letters: readonly Letter[]; readonly isChanged: boolean } {
    const { setting, now } = this.#parts;
    const before = this.#desk ?? emptyDesk;
    const letters: Letter[] = [];
    const take = (step: () => Outcome): void => {
      try {
        const { desk, letters: made } = step();
        this.#desk = desk;
        letters.push(...made);
      } catch (error) {
        // A surprise costs people one notice, and the history nothing.
        this.#parts.say('error', `nobody is told of one thing that happened: ${errorText(error)}`);
      }
    };
    for (const entry of entries) take(() => tell(this.desk, entry, setting(), now()));
    // Also where nothing is due yet: the desk learns from it that the clock was set back.
    take(() => due(this.desk, setting(), now()));
    return { letters, isChanged: this.#desk !== before };
  }

  #kept({ key, unwritten, letters, dropped }: Extract<RecordNews, { readonly type: 'kept' }>): void {
    const job = this.#inFlight;
    if (job?.key !== key) return;
    this.#inFlight = null;
    if (this.#failing === 'told') this.#parts.say('notice', 'what happened is written down again');
    this.#failing = 'no';
    if (unwritten === null) this.#parts.confirm(job.entries);
    else this.#unwritten = job.entries;
    this.#parts.post(letters, dropped);
    this.#pump();
  }

  /** Nothing to do until the desk has something due, or the history may have room. */
  #rest(): void {
    if (this.#isIdle()) for (const resolve of this.#idle.splice(0)) resolve();
    const at = dueAt(this.desk);
    const untilDue = at === null ? longestSleep : Math.max(at - this.#parts.now(), 0);
    if (this.#unwritten.length > 0) this.#sleep(Math.min(untilDue, retryAfter), () => this.#pump('yes'));
    else if (at !== null) this.#sleep(Math.min(untilDue, longestSleep), () => this.#pump());
  }

  #sleep(length: number, then: () => void): void {
    this.#cancelSleep();
    this.#timer = setTimeout(then, length);
    this.#timer.unref();
  }

  #cancelSleep(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
