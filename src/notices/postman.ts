// Carries letters of the outbox to their channels: reads the file, has it sent by its deadline, and removes it right after
// the channel's yes, so that whoever comes later knows. Channels side by side; what is one after the other on a channel is
// the keeper's to say. It must not know how it is spoken to.

import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, errorText } from '../core/error-text.js';
import type { Letter } from '../core/notice.js';
import type { Channel } from '../core/notice-spec.js';
import { type Delivery, later, refused, type Send } from './channel.js';
import { readStored } from './outbox-file.js';
import type { FromCourier } from './post.js';

export interface PostmanParts {
  readonly outbox: string;
  /** Never throws; the same for the same channel. */
  readonly senderFor: (channel: Channel) => Promise<Send>;
  readonly answer: (message: FromCourier) => void;
  /** Resolves when nobody else is sending on this channel, with what lets others; null: somebody still is. @throws Error */
  readonly own: (channel: string, patience: number) => Promise<(() => void) | null>;
}

export class Postman {
  readonly #parts: PostmanParts;
  #channels: Readonly<Record<string, Channel>> = {};
  readonly #senders = new Map<string, Promise<Send>>();
  readonly #underWay = new Set<Promise<void>>();

  constructor(parts: PostmanParts) {
    this.#parts = parts;
  }

  configure(channels: Readonly<Record<string, Channel>>): void {
    this.#channels = channels;
    this.#senders.clear();
  }

  /** A letter that lies in the outbox. */
  send(id: string, channel: string, deadline: number): void {
    this.#follow(this.#deliver(id, channel, deadline));
  }

  /** One that does not, with all that is said on the way. */
  test(letter: Letter, deadline: number): void {
    const { answer } = this.#parts;
    const talk = (line: string): void => answer({ type: 'talk', id: letter.id, line });
    this.#follow(
      this.#carry(letter, letter.channel, deadline, talk).then((delivery) =>
        answer({ type: 'result', id: letter.id, delivery }),
      ),
    );
  }

  /** Resolves when nothing is under way. */
  async finish(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  #follow(work: Promise<void>): void {
    const followed = work.finally(() => this.#underWay.delete(followed));
    this.#underWay.add(followed);
  }

  async #deliver(id: string, channel: string, deadline: number): Promise<void> {
    const path = join(this.#parts.outbox, `${id}.json`);
    const delivery = await this.#deliverAlone(path, channel, deadline);
    this.#parts.answer({ type: 'result', id, delivery });
  }

  /** The courier of a keeper that was killed finishes what it is sending; so long the channel is its own, and the others are not. */
  async #deliverAlone(path: string, channel: string, deadline: number): Promise<Delivery> {
    const until = performance.now() + deadline;
    let release: (() => void) | null;
    try {
      release = await this.#parts.own(channel, deadline);
    } catch (error) {
      return later(errorText(error));
    }
    if (release === null) return later('another courier is still sending');
    try {
      return await this.#deliverFile(path, channel, Math.max(until - performance.now(), 0));
    } finally {
      release();
    }
  }

  async #deliverFile(path: string, channel: string, deadline: number): Promise<Delivery> {
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      // A courier of an earlier keeper finished what it was sending.
      if (isGone(error)) return { type: 'delivered', answer: 'it was delivered before' };
      return later(`${path} cannot be read: ${errorText(error)}`);
    }
    const letter = letterIn(text);
    const delivery: Delivery =
      letter === null ? refused(`${path} is damaged`) : await this.#carry(letter, channel, deadline, () => {});
    if (delivery.type !== 'later') await this.#remove(path);
    return delivery;
  }

  async #carry(letter: Letter, channel: string, deadline: number, talk: (line: string) => void): Promise<Delivery> {
    const definition = Object.hasOwn(this.#channels, channel) ? this.#channels[channel] : undefined;
    if (definition === undefined) return later(`there is no channel ${channel}`);
    const late = new AbortController();
    // Not AbortSignal.timeout: its timer keeps nobody alive, and a courier that is told nothing more ends only when all came out.
    const timer = setTimeout(() => late.abort(new Error('its time was over')), deadline);
    try {
      const send = await this.#sender(channel, definition);
      return await send(letter, { signal: late.signal, talk });
    } catch (error) {
      // No channel throws; should one, the letter is not lost over it.
      return later(errorText(error));
    } finally {
      clearTimeout(timer);
    }
  }

  #sender(channel: string, definition: Channel): Promise<Send> {
    const sender = this.#senders.get(channel) ?? this.#parts.senderFor(definition);
    this.#senders.set(channel, sender);
    return sender;
  }

  /** It was delivered, and is told so in any case: a disk that cannot forget it is no reason to send it twice now. */
  async #remove(path: string): Promise<void> {
    try {
      await rm(path, { force: true });
      const directory = await open(this.#parts.outbox, 'r');
      try {
        await directory.sync();
      } finally {
        await directory.close();
      }
    } catch {
      // EROFS, EIO
    }
  }
}

function letterIn(text: string): Letter | null {
  try {
    return readStored(text)?.letter ?? null;
  } catch {
    return null;
  }
}

const isGone = (error: unknown): boolean => errorCode(error) === 'ENOENT';
