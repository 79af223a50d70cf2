// The queues of all channels that there are, by name: takes letters apart by their channel, and drops those of channels that
// are no more. It must not know the courier, nor when anybody looks.

import { countOf, isOrAre } from '../core/message.js';
import type { Channel } from '../core/notice-spec.js';
import type { Delivery } from '../notices/channel.js';
import type { Envelope } from '../notices/outbox-file.js';
import { ChannelQueue, type ChannelView, type QueueParts } from './channel-queue.js';

export interface QueuesParts extends QueueParts {
  /** Letters that nobody is to have any more. */
  readonly forget: (ids: readonly string[]) => void;
}

type Channels = Readonly<Record<string, Channel>>;

export class ChannelQueues {
  readonly #parts: QueuesParts;
  readonly #queues = new Map<string, ChannelQueue>();

  constructor(parts: QueuesParts) {
    this.#parts = parts;
  }

  configure(channels: Channels, before: Channels): void {
    for (const [name, queue] of this.#queues) {
      if (!Object.hasOwn(channels, name)) {
        this.#queues.delete(name);
        this.#abandon(name, queue.empty());
      } else if (JSON.stringify(before[name]) !== JSON.stringify(channels[name])) {
        // Whoever changed a channel wants to see it work.
        queue.tryNow();
      }
    }
    for (const name of Object.keys(channels))
      if (!this.#queues.has(name)) this.#queues.set(name, new ChannelQueue(name, this.#parts));
  }

  add(letters: readonly Envelope[]): void {
    for (const [channel, its] of byChannel(letters)) {
      const queue = this.#queues.get(channel);
      if (queue === undefined) this.#abandon(channel, its);
      else for (const letter of its) queue.add(letter);
    }
  }

  /** Letters that are no longer in the outbox, because too many waited. */
  drop(letters: readonly Envelope[]): void {
    for (const [channel, its] of byChannel(letters)) {
      for (const { id } of its) this.#queues.get(channel)?.remove(id);
      this.#parts.say(
        `too much waits for the channel ${channel}: its ${countOf(its.length, 'oldest notice')} was dropped`,
      );
    }
  }

  /** From when on something can be sent; infinity: nothing waits that is not under way. */
  due(): number {
    return Math.min(...this.#all().map((queue) => queue.due()));
  }

  /** When the first of those under way must have been answered; infinity: none is. */
  lateAt(): number {
    return Math.min(...this.#all().map((queue) => queue.lateAt()));
  }

  isSending(): boolean {
    return this.#all().some((queue) => queue.isSending(null));
  }

  /** What is to be sent now, one letter of a channel, which is under way from here on. */
  takeDue(now: number, lateAt: (channel: string) => number): readonly Envelope[] {
    return [...this.#queues].flatMap(([channel, queue]) => queue.next(now, lateAt(channel)) ?? []);
  }

  settle(id: string, delivery: Delivery): void {
    for (const queue of this.#all()) if (queue.isSending(id)) queue.settle(delivery);
  }

  /** Whatever is under way. */
  settleAll(delivery: Delivery): void {
    for (const queue of this.#all()) if (queue.isSending(null)) queue.settle(delivery);
  }

  takeBack(): void {
    for (const queue of this.#all()) queue.takeBack();
  }

  tryNow(channel: string): void {
    this.#queues.get(channel)?.tryNow();
  }

  views(): readonly ChannelView[] {
    return this.#all().map((queue) => queue.view());
  }

  problems(): readonly string[] {
    return this.#all().flatMap((queue) => queue.problem() ?? []);
  }

  #all(): readonly ChannelQueue[] {
    return [...this.#queues.values()];
  }

  #abandon(channel: string, letters: readonly Envelope[]): void {
    if (letters.length === 0) return;
    this.#parts.forget(letters.map(({ id }) => id));
    this.#parts.say(
      `there is no channel ${channel} any more: ${countOf(letters.length, 'notice')} that waited for it ${isOrAre(letters)} dropped`,
    );
  }
}

function byChannel(letters: readonly Envelope[]): ReadonlyMap<string, readonly Envelope[]> {
  const found = new Map<string, Envelope[]>();
  for (const letter of letters) found.set(letter.channel, [...(found.get(letter.channel) ?? []), letter]);
  return found;
}
