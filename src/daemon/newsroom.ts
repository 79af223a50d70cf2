// The newsroom: the history and the notices of a keeper, put together. What happened is numbered, written down by the record
// thread, judged by the desk, and sent by the dispatch. The only place that knows all four; decides nothing of its own.

import type { Sender } from '../core/death.js';
import type { KeeperNews } from '../core/entry.js';
import { errorText } from '../core/error-text.js';
import type { Answer, Question } from '../core/history.js';
import type { Level } from '../core/message.js';
import type { NoticesSpec } from '../core/notice-spec.js';
import { findCase, keepOnly } from '../core/notices.js';
import type { Lack } from '../core/post-mortem-of.js';
import type { Service, ServiceSet } from '../core/state.js';
import { inWords } from '../core/time.js';
import type { RuntimeJournal } from '../journal/journal.js';
import type { Clock, Report } from '../keeper/ports.js';
import { after } from './after.js';
import type { ChannelView } from './channel-queue.js';
import type { Tested } from './channel-tests.js';
import { Chronicle } from './chronicle.js';
import type { StartCourier } from './courier-life.js';
import { Dispatch } from './dispatch.js';
import { Records } from './records.js';
import { Telling } from './telling.js';
import { Troubles } from './troubles.js';

export interface NewsroomParts {
  readonly state: string;
  readonly host: string;
  readonly journal: RuntimeJournal;
  readonly clock: Clock;
  readonly services: () => ServiceSet;
  readonly heldBackBy: (name: string) => readonly string[];
  readonly plan: () => NoticesSpec;
  readonly without: readonly Lack[];
  readonly lastLines: (service: Service, callback: (lines: readonly string[] | null) => void) => void;
  readonly startCourier: StartCourier;
  readonly say: (level: Level, text: string) => void;
}

/** `upkeep once`: what is due so soon is waited for, because nobody will be there then. Longer than the desk gathers. */
const soon = 4000;
const lookAgain = 100;
/** A disk that takes longer over one job is a trouble that people should see. */
const longestQuiet = 10_000;

export class Newsroom {
  readonly chronicle: Chronicle;
  readonly #parts: NewsroomParts;
  readonly #records: Records;
  readonly #telling: Telling;
  readonly #dispatch: Dispatch;
  readonly #troubles: Troubles;
  #discarded = 0;
  #onRecorded: () => void = () => {};

  constructor(parts: NewsroomParts) {
    this.#parts = parts;
    const { state, journal, clock, services, heldBackBy, plan, host, without, lastLines, startCourier, say } = parts;
    this.#troubles = new Troubles(() => clock.now().instant);
    this.#records = new Records({
      setting: { state },
      report: this.report,
      onNews: (news) => {
        if (news.type === 'said') this.trouble('warning', news.text);
        else this.#telling.hear(news);
      },
      onLost: (key) => this.#telling.failed(key, 'the record thread broke over it'),
    });
    this.#dispatch = new Dispatch({
      start: startCourier,
      clock: {
        now: () => clock.now().instant,
        wall: () => clock.now().wall,
        random: () => clock.now().random,
        after,
      },
      forget: (letters) => {
        this.#discarded += 1;
        this.#records.send({ type: 'discard', key: `discard ${this.#discarded}`, lasts: 'once', letters });
      },
      onLost: (channel, reason) => this.note({ type: 'channelLost', channel, reason }),
      onBack: (channel) => this.note({ type: 'channelBack', channel }),
      say: (line) => say('warning', line),
    });
    this.#telling = new Telling({
      send: this.#records.send,
      setting: () => ({ plan: plan(), host, without }),
      now: () => clock.now().wall,
      confirm: (entries) => {
        this.chronicle.confirm(entries);
        this.#onRecorded();
      },
      post: (letters, dropped) => {
        this.#dispatch.take(letters);
        this.#dispatch.drop(dropped);
      },
      say,
    });
    this.chronicle = new Chronicle({
      token: journal.token,
      last: journal.last,
      now: () => clock.now(),
      services,
      heldBackBy,
      lastLines,
      pass: this.#telling.pass,
      told: (number) => journal.told(number),
    });
  }

  /** The services are there: what an earlier keeper could not tell comes first, then that there is another one; null: only for a look. */
  begin(keeper: { readonly version: string; readonly before: string | null } | null): void {
    const { journal } = this.#parts;
    this.configure();
    this.#telling.begin();
    this.chronicle.takeUp(journal.found.untold);
    if (keeper !== null) this.note({ type: 'began', pid: process.pid, ...keeper });
    else this.chronicle.tell();
  }

  /** The configuration may be another one: its channels, and its services. */
  configure(): void {
    const { host, plan, services } = this.#parts;
    this.#dispatch.configure(host, plan().channels);
    this.#telling.change((desk) => keepOnly(desk, (service) => services().has(service)));
  }

  /** What happened to the keeper itself. */
  note(what: KeeperNews): void {
    this.#parts.journal.record([], [], [this.chronicle.note(what)]);
    this.chronicle.tell();
  }

  /** Said in the log, and told to people too where it is news. */
  trouble(level: Level, problem: string): void {
    this.#parts.say(level, problem);
    if (this.#troubles.isNews(problem)) this.note({ type: 'troubled', problem });
  }

  readonly report: Report = (problem, error) => {
    this.trouble('error', error == null ? problem : `${problem}: ${errorText(error)}`);
  };

  readonly ask = (question: Question): Promise<Answer> => this.#records.ask(question);

  /** Calls back whenever the history has more. */
  whenRecorded(callback: () => void): void {
    this.#onRecorded = callback;
  }

  /** Somebody has taken note: no more reminders. null: nothing of that name is open. */
  ack(what: string, by: Sender, reason: string | null): { readonly service: string; readonly incident: string } | null {
    const found = findCase(this.#telling.desk, what);
    if (found !== null) this.note({ type: 'acked', ...found, by, reason });
    return found;
  }

  test(channel: string): Promise<Tested> {
    return this.#dispatch.test(channel);
  }

  channels(): readonly ChannelView[] {
    return this.#dispatch.views();
  }

  problems(): readonly string[] {
    const late = this.#records.late;
    const hangs =
      late < longestQuiet ? [] : [`the disk of the history and the outbox has not answered for ${inWords(late)}`];
    return [...hangs, ...this.#dispatch.problems()];
  }

  /** Resolves when the record thread waits for no disk, or late. */
  flush(within: number): Promise<'done' | 'late'> {
    return this.#records.flush(within);
  }

  /** Waits until what is to be told at once is told, and not longer than `within` milliseconds. */
  async settle(within: number): Promise<void> {
    const until = performance.now() + within;
    const isBusy = (): boolean =>
      this.#telling.isBusyWithin(soon) || this.channels().some(({ waiting, state }) => waiting > 0 && state !== 'lost');
    while (isBusy() && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, lookAgain));
  }

  /** Whatever was numbered is written down, or left in the journal for the next keeper. */
  async close(within: number): Promise<void> {
    this.chronicle.close();
    await this.#telling.flush(within);
    this.#telling.close();
    this.#dispatch.close();
    this.#records.close();
  }
}
