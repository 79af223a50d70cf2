// Sees to it that letters of the outbox are sent: has a courier while something is due, tells it what is next on each channel,
// and ends it when an answer is late. Owns the one timer. Never blocks, never throws; knows no disk and no server.
// What waits and when it is tried again is its queues', when there is a courier is the courier's life.
//
// How it is put together (newsroom.ts):
//   const dispatch = new Dispatch({ start: courierStarter(…), clock, forget, onLost, onBack, say });
//   dispatch.configure(host, spec.notices.channels)   at the beginning, and after every apply
//   dispatch.take(envelopes)                          what Outbox.load found, once it is configured; then what each put kept
//   dispatch.drop(envelopes)                          what a put has dropped because too many waited
//   dispatch.test(channel)                            `upkeep notice --test`: resolves with what was said and what came of it
//   dispatch.views(), dispatch.problems()             for the status
//   dispatch.close()                                  at the end: a courier that is sending finishes that by itself
// `forget(ids)` is to have the record thread call Outbox.remove.

import type { Channel } from '../core/notice-spec.js';
import type { Delivery } from '../notices/channel.js';
import type { Envelope } from '../notices/outbox-file.js';
import type { FromCourier } from '../notices/post.js';
import type { After } from './after.js';
import type { ChannelView } from './channel-queue.js';
import { ChannelQueues, type QueuesParts } from './channel-queues.js';
import { ChannelTests, type Tested } from './channel-tests.js';
import { BEGIN_MS, CourierLife, type StartCourier } from './courier-life.js';
import { deadlineOf, GRACE_MS } from './letter-deadline.js';
import { testLetter } from './test-letter.js';

export interface DispatchParts extends QueuesParts {
  readonly start: StartCourier;
  readonly clock: QueuesParts['clock'] & {
    readonly after: After;
  };
}

export class Dispatch {
  readonly #parts: DispatchParts;
  readonly #queues: ChannelQueues;
  readonly #courier: CourierLife;
  readonly #tests = new ChannelTests();
  #host = '';
  #channels: Readonly<Record<string, Channel>> = {};
  #cancelTimer: (() => void) | null = null;
  #life: 'open' | 'closed' = 'open';

  constructor(parts: DispatchParts) {
    const { start, clock, say } = parts;
    this.#parts = parts;
    this.#queues = new ChannelQueues(parts);
    this.#courier = new CourierLife({
      start,
      clock,
      hear: (message) => this.#hear(message),
      onLost: (how, was) => this.#recover(how, was),
      say,
    });
  }

  /** The channels that there are now. Letters for others are dropped. */
  configure(host: string, channels: Readonly<Record<string, Channel>>): void {
    const before = this.#channels;
    this.#host = host;
    if (JSON.stringify(before) === JSON.stringify(channels)) return;
    this.#channels = channels;
    // It knows the old definitions and their secrets; what it is sending it finishes, and the next one waits for that.
    this.#dismiss();
    this.#queues.configure(channels, before);
    this.#go();
  }

  take(letters: readonly Envelope[]): void {
    this.#queues.add(letters);
    this.#go();
  }

  /** Letters that are no longer in the outbox, because too many waited. */
  drop(letters: readonly Envelope[]): void {
    this.#queues.drop(letters);
    this.#go();
  }

  test(channel: string): Promise<Tested> {
    if (this.#definitionOf(channel) === undefined || this.#life === 'closed')
      return Promise.resolve({ talk: [], delivery: { type: 'refused', reason: `there is no channel ${channel}` } });
    const tested = this.#tests.add(channel, this.#lateAt(channel) + BEGIN_MS);
    this.#courier.hurry();
    this.#go();
    return tested;
  }

  views(): readonly ChannelView[] {
    return this.#queues.views();
  }

  /** What is wrong now, a sentence each. */
  problems(): readonly string[] {
    const { problem } = this.#courier;
    const own = problem === null ? [] : [`notices cannot be sent: ${problem}`];
    return [...own, ...this.#queues.problems()];
  }

  close(): void {
    this.#life = 'closed';
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    this.#dismiss();
    this.#tests.settleAll('all', { type: 'later', reason: 'the keeper is ending' });
  }

  /** The one place that moves anything: ends what is late, sends what is due, and sets the timer for what comes next. */
  #go(): void {
    if (this.#life === 'closed') return;
    const now = this.#parts.clock.now();
    if (this.#courier.isLate() || this.#answerBy() <= now) this.#courier.giveUp();
    if (this.#wantedAt() <= now) this.#courier.want(this.#channels);
    if (this.#courier.phase === 'ready') this.#send();
    this.#courier.rest(this.#tests.size > 0 || this.#queues.isSending() ? 'some' : 'none');
    this.#setTimer();
  }

  #send(): void {
    const { now, wall } = this.#parts.clock;
    for (const { id, channel } of this.#queues.takeDue(now(), (name) => this.#lateAt(name)))
      this.#courier.say({ type: 'send', id, channel, deadline: this.#deadlineOf(channel) });
    for (const { id, channel } of this.#tests.takeDue()) {
      const letter = testLetter(id, channel, this.#host, wall());
      this.#courier.say({ type: 'test', letter, deadline: this.#deadlineOf(channel) });
    }
  }

  #hear(message: FromCourier): void {
    switch (message.type) {
      case 'ready':
        break;
      case 'talk':
        this.#tests.hear(message.id, message.line);
        return;
      case 'result':
        this.#settle(message.id, message.delivery);
        break;
    }
    this.#go();
  }

  #settle(id: string, delivery: Delivery): void {
    const tested = this.#tests.settle(id, delivery);
    if (tested === null) this.#queues.settle(id, delivery);
    // A channel that works is not waited for any longer.
    else if (delivery.type === 'delivered') this.#queues.tryNow(tested);
  }

  /** The courier is lost. What it was sending is tried again: if it was delivered, its file is gone too. */
  #recover(how: string, was: 'useful' | 'useless'): void {
    const delivery: Delivery = { type: 'later', reason: `the courier has ended (${how})` };
    this.#queues.settleAll(delivery);
    this.#tests.settleAll(was === 'useful' ? 'sent' : 'all', delivery);
    this.#go();
  }

  /** What it is sending comes to nobody's ears any more; whoever asks again finds the file gone. */
  #dismiss(): void {
    this.#courier.dismiss();
    this.#queues.takeBack();
    this.#tests.takeBack();
  }

  #setTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    const at = this.#nextMoment();
    if (at === Number.POSITIVE_INFINITY) return;
    this.#cancelTimer = this.#parts.clock.after(Math.max(0, at - this.#parts.clock.now()), () => {
      this.#cancelTimer = null;
      this.#go();
    });
  }

  #nextMoment(): number {
    const { phase } = this.#courier;
    switch (phase) {
      case 'none':
        return Math.max(this.#wantedAt(), this.#courier.wakeAt());
      case 'starting':
        return Math.min(this.#courier.wakeAt(), this.#answerBy());
      case 'ready':
        return Math.min(this.#courier.wakeAt(), this.#answerBy(), this.#queues.due());
    }
  }

  /** From when on there is something for a courier to do. */
  #wantedAt(): number {
    return this.#tests.size > 0 ? 0 : this.#queues.due();
  }

  /** When the next answer must have come. */
  #answerBy(): number {
    return Math.min(this.#queues.lateAt(), this.#tests.lateAt());
  }

  /** When the answer must have come of what is sent on this channel now. */
  #lateAt(channel: string): number {
    return this.#parts.clock.now() + this.#deadlineOf(channel) + GRACE_MS;
  }

  #deadlineOf(channel: string): number {
    return deadlineOf(this.#definitionOf(channel));
  }

  #definitionOf(channel: string): Channel | undefined {
    return Object.hasOwn(this.#channels, channel) ? this.#channels[channel] : undefined;
  }
}
