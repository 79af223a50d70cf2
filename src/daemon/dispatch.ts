// Sees to it that letters of the outbox are sent: which one is next on each channel, when a failed one is tried again, and
// how each channel does. Owns that, one courier at most, and one timer. Never blocks, never throws; knows no disk and no server.
//
// How it is put together (engine.ts):
//   const dispatch = new Dispatch({ start: courierStarter(…), clock, forget, onLost, onBack, say });
//   dispatch.configure(host, spec.notices.channels)   at the beginning, and after every apply
//   dispatch.take(envelopes)                          what Outbox.load found, once it is configured; then what each put kept
//   dispatch.drop(envelopes)                          what a put has dropped because too many waited
//   dispatch.test(channel)                            `upkeep notice --test`: resolves with what was said and what came of it
//   dispatch.views(), dispatch.problems()             for the status
//   dispatch.close()                                  at the end: a courier that is sending finishes that by itself
// `forget(ids)` is to have the record thread call Outbox.remove.

import type { Channel } from '../core/notice-spec.js';
import { inWords, type WallTime } from '../core/time.js';
import type { Delivery } from '../notices/channel.js';
import type { Envelope } from '../notices/outbox-file.js';
import type { FromCourier, ToCourier } from '../notices/post.js';
import { ChannelQueue, type ChannelView } from './channel-queue.js';
import { testLetter } from './test-letter.js';

/** A courier that was started. What it says and that it is gone comes by the ears that it was started with. */
export interface CourierLink {
  readonly say: (message: ToCourier) => void;
  /** Nothing more will be said: it finishes what it has, and ends. */
  readonly dismiss: () => void;
  /** At once, also when it is stopped. */
  readonly kill: () => void;
}

export interface CourierEars {
  readonly hear: (message: FromCourier) => void;
  /** Once, also when it could not be started at all. `how`: in words, like `exit code 1`. */
  readonly gone: (how: string) => void;
}

export interface DispatchClock {
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly wall: () => WallTime;
  /** 0 ≤ random < 1 */
  readonly random: () => number;
  /** Calls back once; the answer takes that back. */
  readonly after: (ms: number, callback: () => void) => () => void;
}

export interface DispatchParts {
  /** Never throws. `channels`: whose secrets it will have to read. */
  readonly start: (channels: Readonly<Record<string, Channel>>, ears: CourierEars) => CourierLink;
  readonly clock: DispatchClock;
  /** Letters that nobody is to have any more. */
  readonly forget: (ids: readonly string[]) => void;
  readonly onLost: (channel: string, reason: string) => void;
  readonly onBack: (channel: string) => void;
  /** A line for the keeper's log. */
  readonly say: (line: string) => void;
}

export interface Tested {
  readonly talk: readonly string[];
  readonly delivery: Delivery;
}

/** Longer than any channel's own patience, so that its reason is the one that is told. */
const DEADLINE_MS = 60_000;
/** A command without a deadline of its own. */
const LONGEST_COMMAND_MS = 10 * 60_000;
/** After the deadline of a letter: so long the courier may take to say so. */
const GRACE_MS = 15_000;
/** It takes 50 ms, and on a machine that is out of memory or disk longer. */
const BEGIN_MS = 30_000;
/** Starting one costs 50 ms of processor: one that has nothing to do stays for what may come. */
const LINGER_MS = 30_000;
const FIRST_RESTART_MS = 5_000;
const LONGEST_RESTART_MS = 300_000;
/** More than any server says. */
const MOST_TALK = 200;

interface Courier {
  readonly link: CourierLink;
  state: 'starting' | 'ready';
  /** Until when it has to be ready. */
  readonly readyBy: number;
  /** Since when it has nothing to do; null: it has. */
  idleSince: number | null;
  /** It has answered: a program that works, whatever becomes of it. */
  worked: 'yes' | 'no';
}

interface Test {
  readonly id: string;
  readonly channel: string;
  readonly by: number;
  readonly talk: string[];
  /** Told to this courier already. */
  sent: 'yes' | 'no';
  readonly resolve: (tested: Tested) => void;
}

export class Dispatch {
  readonly #parts: DispatchParts;
  #host = '';
  #channels: Readonly<Record<string, Channel>> = {};
  readonly #queues = new Map<string, ChannelQueue>();
  readonly #tests = new Map<string, Test>();
  #testNumber = 0;
  #courier: Courier | null = null;
  /** Couriers in a row that ended without having done anything. */
  #failedStarts = 0;
  #restartAt = 0;
  #courierProblem: string | null = null;
  #cancelTimer: (() => void) | null = null;
  #life: 'open' | 'closed' = 'open';

  constructor(parts: DispatchParts) {
    this.#parts = parts;
  }

  /** The channels that there are now. Letters for others are dropped. */
  configure(host: string, channels: Readonly<Record<string, Channel>>): void {
    this.#host = host;
    const before = this.#channels;
    this.#channels = channels;
    if (JSON.stringify(before) === JSON.stringify(channels)) return;
    // It knows the old definitions and their secrets; what it is sending it finishes, and the next one waits for that.
    this.#dismiss();
    for (const [name, queue] of this.#queues) {
      if (Object.hasOwn(channels, name)) {
        // Whoever changed a channel wants to see it work.
        if (JSON.stringify(before[name]) !== JSON.stringify(channels[name])) queue.tryNow();
        continue;
      }
      this.#queues.delete(name);
      this.#abandon(name, queue.empty());
    }
    for (const name of Object.keys(channels)) this.#queueOf(name);
    this.#go();
  }

  take(letters: readonly Envelope[]): void {
    const lost = new Map<string, Envelope[]>();
    for (const letter of letters) {
      if (Object.hasOwn(this.#channels, letter.channel)) this.#queueOf(letter.channel).add(letter);
      else lost.set(letter.channel, [...(lost.get(letter.channel) ?? []), letter]);
    }
    for (const [channel, abandoned] of lost) this.#abandon(channel, abandoned);
    this.#go();
  }

  /** Letters that are no longer in the outbox, because too many waited. */
  drop(letters: readonly Envelope[]): void {
    const counts = new Map<string, number>();
    for (const { channel, id } of letters) {
      this.#queues.get(channel)?.remove(id);
      counts.set(channel, (counts.get(channel) ?? 0) + 1);
    }
    for (const [channel, count] of counts)
      this.#parts.say(`too much waits for the channel ${channel}: its ${countOf(count, 'oldest notice')} was dropped`);
    this.#go();
  }

  test(channel: string): Promise<Tested> {
    if (!Object.hasOwn(this.#channels, channel) || this.#life === 'closed')
      return Promise.resolve({ talk: [], delivery: { type: 'refused', reason: `there is no channel ${channel}` } });
    this.#testNumber += 1;
    const id = `test-${this.#testNumber}`;
    const by = this.#parts.clock.now() + BEGIN_MS + this.#deadlineOf(channel) + GRACE_MS;
    // Somebody waits for it.
    this.#restartAt = 0;
    return new Promise((resolve) => {
      this.#tests.set(id, { id, channel, by, talk: [], sent: 'no', resolve });
      this.#go();
    });
  }

  views(): readonly ChannelView[] {
    return [...this.#queues.values()].map((queue) => queue.view());
  }

  /** What is wrong now, a sentence each. */
  problems(): readonly string[] {
    const own = this.#courierProblem === null ? [] : [`notices cannot be sent: ${this.#courierProblem}`];
    return [...own, ...[...this.#queues.values()].flatMap((queue) => queue.problem() ?? [])];
  }

  close(): void {
    this.#life = 'closed';
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    this.#dismiss();
    for (const test of this.#tests.values())
      test.resolve({ talk: test.talk, delivery: { type: 'later', reason: 'the keeper is ending' } });
    this.#tests.clear();
  }

  #queueOf(channel: string): ChannelQueue {
    const { clock, onLost, onBack, say } = this.#parts;
    const queue = this.#queues.get(channel) ?? new ChannelQueue(channel, { clock, onLost, onBack, say });
    this.#queues.set(channel, queue);
    return queue;
  }

  #abandon(channel: string, letters: readonly Envelope[]): void {
    if (letters.length === 0) return;
    this.#parts.forget(letters.map(({ id }) => id));
    this.#parts.say(
      `there is no channel ${channel} any more: ${countOf(letters.length, 'notice')} that waited for it ${letters.length === 1 ? 'is' : 'are'} dropped`,
    );
  }

  /** The one place that moves anything: sends what is due, ends what is late, and sets the timer for what comes next. */
  #go(): void {
    if (this.#life === 'closed') return;
    this.#endLate();
    const now = this.#parts.clock.now();
    const isWanted = this.#tests.size > 0 || [...this.#queues.values()].some((queue) => queue.due() <= now);
    if (isWanted && this.#courier === null && now >= this.#restartAt) this.#start(now);
    if (this.#courier?.state === 'ready') this.#send(this.#courier);
    this.#rest();
    this.#setTimer();
  }

  #start(now: number): void {
    const ears: CourierEars = {
      hear: (message) => {
        if (this.#courier === courier) this.#hear(courier, message);
      },
      gone: (how) => {
        if (this.#courier === courier) this.#lose(how);
      },
    };
    // The ears may be called only later: `start` answers first.
    const link = this.#parts.start(this.#channels, ears);
    const courier: Courier = {
      link,
      state: 'starting',
      readyBy: now + BEGIN_MS,
      idleSince: null,
      worked: 'no',
    };
    this.#courier = courier;
    link.say({ type: 'channels', channels: this.#channels });
  }

  #send({ link }: Courier): void {
    const now = this.#parts.clock.now();
    for (const [channel, queue] of this.#queues) {
      const deadline = this.#deadlineOf(channel);
      const letter = queue.next(now, now + deadline + GRACE_MS);
      if (letter !== null) link.say({ type: 'send', id: letter.id, channel, deadline });
    }
    for (const test of this.#tests.values()) {
      if (test.sent === 'yes') continue;
      test.sent = 'yes';
      const letter = testLetter(test.id, test.channel, this.#host, this.#parts.clock.wall());
      link.say({ type: 'test', letter, deadline: this.#deadlineOf(test.channel) });
    }
  }

  #hear(courier: Courier, message: FromCourier): void {
    switch (message.type) {
      case 'ready':
        courier.state = 'ready';
        break;
      case 'talk': {
        const talk = this.#tests.get(message.id)?.talk;
        if (talk !== undefined && talk.length < MOST_TALK) talk.push(message.line);
        return;
      }
      case 'result':
        this.#worked(courier);
        this.#settle(message.id, message.delivery);
        break;
    }
    this.#go();
  }

  #worked(courier: Courier): void {
    courier.worked = 'yes';
    this.#failedStarts = 0;
    this.#courierProblem = null;
  }

  #settle(id: string, delivery: Delivery): void {
    const test = this.#tests.get(id);
    if (test !== undefined) {
      this.#tests.delete(id);
      // A channel that works is not waited for any longer.
      if (delivery.type === 'delivered') this.#queues.get(test.channel)?.tryNow();
      test.resolve({ talk: test.talk, delivery });
      return;
    }
    for (const queue of this.#queues.values()) if (queue.isSending(id)) queue.settle(delivery);
  }

  /** The courier is gone, or given up. What it was sending is tried again: if it was delivered, its file is gone too. */
  #lose(how: string): void {
    const courier = this.#courier;
    if (courier === null) return;
    this.#courier = null;
    const now = this.#parts.clock.now();
    if (courier.worked === 'no') {
      this.#failedStarts += 1;
      const pause = Math.min(FIRST_RESTART_MS * 2 ** (this.#failedStarts - 1), LONGEST_RESTART_MS);
      this.#restartAt = now + pause;
      if (this.#courierProblem === null)
        this.#parts.say(`notices cannot be sent: ${how}; tried again after ${inWords(pause)}`);
      this.#courierProblem = how;
    }
    for (const queue of this.#queues.values())
      if (queue.isSending(null)) queue.settle({ type: 'later', reason: `the courier has ended (${how})` });
    for (const test of [...this.#tests.values()]) {
      if (test.sent === 'no' && courier.worked === 'yes') continue;
      this.#settle(test.id, { type: 'later', reason: `the courier has ended (${how})` });
    }
    this.#go();
  }

  /** A courier that hangs or is stopped answers nothing, and only its end can help. */
  #endLate(): void {
    const courier = this.#courier;
    if (courier === null) return;
    const now = this.#parts.clock.now();
    const isLate =
      (courier.state === 'starting' && now >= courier.readyBy) ||
      [...this.#queues.values()].some((queue) => queue.lateAt() <= now) ||
      [...this.#tests.values()].some((test) => test.by <= now);
    if (!isLate) return;
    courier.link.kill();
    this.#lose(courier.state === 'starting' ? 'it did not begin in time' : 'it did not answer in time');
  }

  #rest(): void {
    const courier = this.#courier;
    if (courier === null) return;
    const now = this.#parts.clock.now();
    const isBusy =
      courier.state === 'starting' ||
      this.#tests.size > 0 ||
      [...this.#queues.values()].some((queue) => queue.isSending(null));
    courier.idleSince = isBusy ? null : (courier.idleSince ?? now);
    if (courier.idleSince !== null && now - courier.idleSince >= LINGER_MS) this.#dismiss();
  }

  /** What it is sending comes to nobody's ears any more; whoever asks again finds the file gone. */
  #dismiss(): void {
    const courier = this.#courier;
    if (courier === null) return;
    this.#courier = null;
    courier.link.dismiss();
    for (const queue of this.#queues.values()) queue.takeBack();
    for (const test of this.#tests.values()) test.sent = 'no';
  }

  #setTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    const now = this.#parts.clock.now();
    const at = Math.min(...this.#moments());
    if (at === Number.POSITIVE_INFINITY) return;
    this.#cancelTimer = this.#parts.clock.after(Math.max(0, at - now), () => {
      this.#cancelTimer = null;
      this.#go();
    });
  }

  #moments(): readonly number[] {
    const courier = this.#courier;
    const queues = [...this.#queues.values()];
    const tests = [...this.#tests.values()].map(({ by }) => by);
    if (courier === null) {
      const next = this.#tests.size > 0 ? 0 : Math.min(...queues.map((queue) => queue.due()));
      return [Math.max(next, this.#restartAt)];
    }
    if (courier.state === 'starting') return [courier.readyBy, ...tests];
    const idleUntil = courier.idleSince === null ? [] : [courier.idleSince + LINGER_MS];
    return [...idleUntil, ...tests, ...queues.flatMap((queue) => [queue.due(), queue.lateAt()])];
  }

  #deadlineOf(channel: string): number {
    const definition = Object.hasOwn(this.#channels, channel) ? this.#channels[channel] : undefined;
    if (definition?.type !== 'exec') return DEADLINE_MS;
    return Math.max(DEADLINE_MS, Math.min(definition.command.timeout ?? LONGEST_COMMAND_MS, LONGEST_COMMAND_MS) + 5000);
  }
}

const countOf = (count: number, what: string): string => (count === 1 ? `1 ${what}` : `${count} ${what}s`);
