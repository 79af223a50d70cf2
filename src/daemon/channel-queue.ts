// The letters that wait for one channel, in order, one under way at most; when the next may be tried, and how the channel
// does. It must not know how a letter gets there.

import { inWords, iso, type WallTime } from '../core/time.js';
import type { Delivery } from '../notices/channel.js';
import type { Envelope } from '../notices/outbox-file.js';

export interface ChannelView {
  readonly channel: string;
  /** `unknown`: nothing was sent yet. `lost`: a letter was refused for good, or several attempts in a row came to nothing. */
  readonly state: 'unknown' | 'ok' | 'failing' | 'lost';
  readonly waiting: number;
  readonly lastError: string | null;
  /** ISO 8601. */
  readonly lastDelivered: string | null;
}

export interface QueueParts {
  readonly clock: {
    readonly now: () => number;
    readonly wall: () => WallTime;
    readonly random: () => number;
  };
  readonly onLost: (channel: string, reason: string) => void;
  readonly onBack: (channel: string) => void;
  readonly say: (line: string) => void;
}

const FIRST_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 30 * 60_000;
/** ±20 %: the hosts of a fleet shall not come back to their mail server in step. */
const JITTER = 0.2;
const FAILURES_TO_BE_LOST = 3;
const FAILING_TO_BE_LOST_MS = 5 * 60_000;

interface Failing {
  readonly count: number;
  /** Of the first of them in a row. */
  readonly since: number;
  readonly retryAt: number;
  readonly told: 'lost' | 'nothing';
}

export class ChannelQueue {
  readonly #channel: string;
  readonly #parts: QueueParts;
  /** By id, in the order in which they are to be sent. */
  readonly #waiting = new Map<string, Envelope>();
  #sending: { readonly id: string; readonly lateAt: number } | null = null;
  #failing: Failing | null = null;
  #lastError: string | null = null;
  #lastDelivered: WallTime | null = null;

  constructor(channel: string, parts: QueueParts) {
    this.#channel = channel;
    this.#parts = parts;
  }

  /** A letter that waits already is the same letter. */
  add(letter: Envelope): void {
    if (!this.#waiting.has(letter.id)) this.#waiting.set(letter.id, letter);
  }

  remove(id: string): void {
    this.#waiting.delete(id);
    if (this.#sending?.id === id) this.#sending = null;
  }

  empty(): readonly Envelope[] {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#sending = null;
    return all;
  }

  /** From when on something can be sent; infinity: nothing waits, or one is under way. */
  due(): number {
    if (this.#sending !== null || this.#waiting.size === 0) return Number.POSITIVE_INFINITY;
    return this.#failing?.retryAt ?? 0;
  }

  /** When the one under way must have been answered; infinity: none is. */
  lateAt(): number {
    return this.#sending?.lateAt ?? Number.POSITIVE_INFINITY;
  }

  /** The letter to be sent now, which is under way from here on; null: none. */
  next(now: number, lateAt: number): Envelope | null {
    if (this.due() > now) return null;
    const [letter] = this.#waiting.values();
    if (letter === undefined) return null;
    this.#sending = { id: letter.id, lateAt };
    return letter;
  }

  /** null: anything. */
  isSending(id: string | null): boolean {
    return this.#sending !== null && (id === null || this.#sending.id === id);
  }

  /** The one under way is none: it is the first to be sent again. */
  takeBack(): void {
    this.#sending = null;
  }

  tryNow(): void {
    if (this.#failing !== null) this.#failing = { ...this.#failing, retryAt: 0 };
  }

  settle(delivery: Delivery): void {
    const { id } = this.#sending ?? { id: '' };
    this.#sending = null;
    switch (delivery.type) {
      case 'delivered':
        this.#waiting.delete(id);
        this.#delivered();
        return;
      case 'refused':
        // Sending it again would be refused again. The next one may fare better, in time; that nobody got this one is told.
        this.#waiting.delete(id);
        this.#parts.say(`a notice by the channel ${this.#channel} was refused and is dropped: ${delivery.reason}`);
        this.#failed(delivery.reason, 'for good');
        return;
      case 'later':
        this.#failed(delivery.reason, 'this time');
    }
  }

  view(): ChannelView {
    const state =
      this.#failing !== null
        ? this.#failing.told === 'lost'
          ? 'lost'
          : 'failing'
        : this.#lastDelivered === null
          ? 'unknown'
          : 'ok';
    return {
      channel: this.#channel,
      state,
      waiting: this.#waiting.size,
      lastError: this.#lastError,
      lastDelivered: this.#lastDelivered === null ? null : iso(this.#lastDelivered),
    };
  }

  /**
   * null: nothing is wrong, or not for long enough to be called so. For everybody who may read the status: what a server or
   * a program said may name users and files, and is for operators.
   */
  problem(): string | null {
    if (this.#failing?.told !== 'lost') return null;
    const since = inWords(this.#parts.clock.now() - this.#failing.since);
    const many = this.#waiting.size;
    const waiting = many === 0 ? 'nothing waits' : many === 1 ? '1 notice waits' : `${many} notices wait`;
    return `the channel ${this.#channel} has not worked for ${since}, ${waiting}; \`upkeep notice\` says why`;
  }

  #delivered(): void {
    const wasLost = this.#failing?.told === 'lost';
    this.#failing = null;
    this.#lastError = null;
    this.#lastDelivered = this.#parts.clock.wall();
    if (wasLost) this.#parts.onBack(this.#channel);
  }

  #failed(reason: string, how: 'for good' | 'this time'): void {
    const { clock, onLost } = this.#parts;
    const now = clock.now();
    const count = (this.#failing?.count ?? 0) + 1;
    const since = this.#failing?.since ?? now;
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** (count - 1), LONGEST_PAUSE_MS);
    const retryAt = now + pause * (1 - JITTER + 2 * JITTER * clock.random());
    const isLost = how === 'for good' || count >= FAILURES_TO_BE_LOST || now - since >= FAILING_TO_BE_LOST_MS;
    const isNews = isLost && this.#failing?.told !== 'lost';
    this.#failing = { count, since, retryAt, told: isLost || this.#failing?.told === 'lost' ? 'lost' : 'nothing' };
    this.#lastError = reason;
    if (isNews) onLost(this.#channel, reason);
  }
}
