// A desk behind the simulated journal: it reads what the keepers record, as the daemon does, and remembers every letter.
// `fallBack` is the death of a keeper that had not written its last steps: what they came to is made again.

import type { KeeperNews } from '../../src/core/entry.js';
import type { Letter, Notice } from '../../src/core/notice.js';
import type { NoticeRule, NoticesSpec } from '../../src/core/notice-spec.js';
import { type Desk, due, dueAt, emptyDesk, type Outcome, type Setting, tell } from '../../src/core/notices.js';
import { millis, wallTime } from '../../src/core/time.js';
import type { Stage } from './stage.js';

const HOUR = 3_600_000;
const mostWritten = 10;

/** All kinds go to `admin`, unless rules say otherwise; each channel that they name is there. */
export function planWith(
  rules: readonly Partial<NoticeRule>[] = [{ tell: ['admin'] }],
  times: { readonly digest?: number | null; readonly remind?: number | null } = {},
): NoticesSpec {
  const full = rules.map((rule): NoticeRule => ({ kinds: null, services: null, tell: ['admin'], ...rule }));
  const names = [...new Set(full.flatMap(({ tell: channels }) => channels))];
  const { digest = 300_000, remind = 4 * HOUR } = times;
  return {
    channels: Object.fromEntries(names.map((name) => [name, { type: 'file', path: `/var/log/${name}` } as const])),
    rules: full,
    digest: digest === null ? null : millis(digest),
    remind: remind === null ? null : millis(remind),
  };
}

export class Newsroom {
  readonly letters: Letter[] = [];
  desk: Desk = emptyDesk;
  readonly #stage: Stage;
  readonly #setting: Setting;
  #read = 0;
  /** The last few steps, as they lie on the disk. */
  #written: { readonly desk: Desk; readonly read: number; readonly letters: number }[] = [];
  #alarm = Number.POSITIVE_INFINITY;

  constructor(stage: Stage, plan: NoticesSpec = planWith()) {
    this.#stage = stage;
    this.#setting = { plan, host: 'web3', without: [] };
    const { afterEach } = stage.clock;
    stage.clock.afterEach = () => {
      afterEach();
      if (stage.keeperLives === 'yes') this.work();
    };
  }

  /** Takes what was recorded, and does what is due. */
  work(): void {
    const { journal, clock } = this.#stage;
    const now = wallTime(clock.wall);
    for (const entry of journal.entries.slice(this.#read)) {
      this.#take(tell(this.desk, entry, this.#setting, now));
      this.#read++;
    }
    const outcome = due(this.desk, this.#setting, now);
    if (outcome.desk !== this.desk) this.#take(outcome);
    this.#setAlarm();
  }

  /** Something happens to the keeper. */
  note(what: KeeperNews): void {
    this.#stage.journal.note({ of: 'keeper', what });
    this.work();
  }

  #take({ desk, letters }: Outcome): void {
    const { desk: before, letters: sent } = this;
    this.#written = [...this.#written, { desk: before, read: this.#read, letters: sent.length }].slice(-mostWritten);
    this.desk = desk;
    this.letters.push(...letters);
  }

  /** That many steps are as if they had never been. What is left went through JSON. */
  fallBack(steps: number): void {
    const last = this.#written.at(-steps);
    if (steps > 0 && last !== undefined) {
      this.#written = [];
      this.desk = last.desk;
      this.#read = last.read;
      this.letters.length = last.letters;
    }
    this.desk = JSON.parse(JSON.stringify(this.desk)) as Desk;
  }

  /** The clock goes from one task to the next: there has to be one when something is due. */
  #setAlarm(): void {
    const { clock } = this.#stage;
    const at = dueAt(this.desk);
    if (at === null || (clock.instant < this.#alarm && this.#alarm <= clock.instant + (at - clock.wall))) return;
    this.#alarm = clock.instant + Math.max(1, at - clock.wall);
    clock.after(this.#alarm - clock.instant, () => {});
  }

  /** What a channel was told, oldest first. */
  notices(channel = 'admin'): readonly Notice[] {
    return this.letters.filter((letter) => letter.channel === channel).flatMap(({ notices }) => notices);
  }

  /** The same in brief: `[DOWN] web: exit 1`. */
  lines(channel = 'admin'): readonly string[] {
    return this.notices(channel).map(
      ({ label, service, headline }) => `[${label}] ${service ?? 'keeper'}: ${headline}`,
    );
  }

  kinds(channel = 'admin'): readonly string[] {
    return this.notices(channel).map(({ kind, reminder }) => (reminder === 0 ? kind : `${kind} ${reminder}`));
  }
}
