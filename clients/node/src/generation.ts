// This generation's own part in a hand-over: it is frozen by sending, thawed when that came to nothing, and drained at its end.
// Knows no manager.

import type { Writable } from 'node:stream';
import type { DrainReason } from './drain-reason.js';
import type { Offer } from './offer.js';
import { stateSink } from './state-writer.js';

type Drain = (why: DrainReason) => Promise<void> | void;

export interface GenerationParts {
  readonly service: string;
  readonly generation: () => number;
  readonly stateLimit: () => number;
  readonly exit: (code: number) => void;
}

export class Generation {
  readonly #parts: GenerationParts;
  readonly #drains: Drain[] = [];
  #offer: Offer | null = null;
  /** What is frozen, by the offer that froze it: a later one cannot thaw it. */
  #frozen: Offer | null = null;
  #draining: Promise<void> | null = null;

  constructor(parts: GenerationParts) {
    this.#parts = parts;
  }

  get schema(): number | null {
    return this.#offer?.schema ?? null;
  }

  get canDrain(): boolean {
    return this.#drains.length > 0;
  }

  offer(offer: Offer): void {
    this.#offer = offer;
  }

  onDrain(drain: Drain): void {
    this.#drains.push(drain);
  }

  /** @throws whatever the program's `send` throws, or the way to the next generation; what was frozen is thawed by then */
  async send(out: Writable, onProgress?: () => void): Promise<number> {
    const offer = this.#offer;
    if (offer === null) throw new Error('this generation has no state to give');
    if (this.#frozen !== null) throw new Error('the state is on its way already');
    this.#frozen = offer;
    try {
      const { service, generation, stateLimit } = this.#parts;
      const header = { schema: offer.schema, service, generation: generation() };
      const sink = await stateSink(out, header, stateLimit(), onProgress);
      await offer.send(sink);
      return await sink.end();
    } catch (error) {
      await this.thaw(textOf(error));
      throw error;
    }
  }

  /** Undoes what `send` froze, once. An undo that fails is told and hinders nothing: there is nobody to give the state to. */
  async thaw(reason: string): Promise<void> {
    const offer = this.#frozen;
    this.#frozen = null;
    try {
      await offer?.undo?.(reason);
    } catch (error) {
      process.emitWarning(`undo of a hand-over failed: ${textOf(error)}`);
    }
  }

  /** Calls everybody who has something to finish, and ends the process when all have. */
  drain(code: number, why: DrainReason): Promise<void> {
    this.#draining ??= this.#finish(code, why);
    return this.#draining;
  }

  async #finish(code: number, why: DrainReason): Promise<void> {
    const ends = await Promise.allSettled(this.#drains.map(async (drain) => drain(why)));
    for (const end of ends) {
      if (end.status === 'rejected') process.emitWarning(`what was to be finished failed: ${textOf(end.reason)}`);
    }
    this.#parts.exit(code);
  }
}

export const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
