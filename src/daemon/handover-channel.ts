// One open hand-over channel: lines of a service in, words for it out. A program that says a lot waits its turn, one that
// says nonsense, or does not read, loses the channel and is told why. It must not know what follows from a word.

import type { Socket } from 'node:net';
import type { Speaker } from '../core/event.js';
import { farewell, type Order, readLine, type Saying, writeLine } from '../protocol/handover-line.js';
import { LineSplitter } from '../protocol/line-splitter.js';

export interface ChannelParts {
  readonly socket: Socket;
  readonly speaker: Speaker;
  readonly hear: (saying: Saying) => void;
  /** Once, whoever closed it. */
  readonly onClosed: () => void;
  /** It was closed for what the service did. */
  readonly complain: (reason: string) => void;
}

/** A line of sd_notify has 4 KiB, a reason less. */
const LONGEST_LINE = 64 * 1024;
/** Lines of one service in one turn of the loop: who says a lot delays nobody else. */
const LINES_PER_TURN = 64;
/** The words of a hand-over have some hundred bytes together. */
const MOST_UNREAD = 64 * 1024;
/** How long the other end may take to read why, in ms. */
const LAST_WORD = 1000;

export class HandoverChannel {
  readonly speaker: Speaker;
  /** Can it hand over its state? Null until it has said so. */
  state: 'yes' | 'no' | null = null;
  readonly #parts: ChannelParts;
  readonly #splitter = new LineSplitter(LONGEST_LINE);
  #waiting: readonly string[] = [];
  #turn: NodeJS.Immediate | null = null;
  #life: 'open' | 'closed' = 'open';

  constructor(parts: ChannelParts) {
    this.#parts = parts;
    this.speaker = parts.speaker;
    const { socket } = parts;
    socket.on('data', (piece: Buffer) => this.#take(piece));
    socket.on('end', () => this.close(null));
    socket.on('error', () => this.close(null));
    socket.on('close', () => this.close(null));
  }

  /** Bytes that the other end has not read, and the kernel does not take. */
  get unread(): number {
    return this.#parts.socket.writableLength;
  }

  get isGone(): boolean {
    return this.#parts.socket.destroyed;
  }

  tell(order: Order): void {
    const { socket } = this.#parts;
    if (this.#life === 'closed') return;
    socket.write(writeLine(order));
    if (socket.writableLength > MOST_UNREAD) this.#refuse('it does not read what it is told');
  }

  /** `reason` null: the other end has gone. */
  close(reason: string | null): void {
    if (this.#life === 'closed') return;
    this.#life = 'closed';
    if (this.#turn !== null) clearImmediate(this.#turn);
    this.#waiting = [];
    const { socket, onClosed } = this.#parts;
    if (reason === null || !socket.writable || socket.writableLength > MOST_UNREAD) socket.destroy();
    else {
      socket.end(farewell(reason), () => socket.destroy());
      // Who does not read does not keep it open: the end of the keeper does not wait for that.
      const late = setTimeout(() => socket.destroy(), LAST_WORD);
      socket.once('close', () => clearTimeout(late));
    }
    onClosed();
  }

  #take(piece: Buffer): void {
    if (this.#life === 'closed') return;
    const lines = this.#splitter.take(piece);
    if (lines === null) {
      this.#refuse(`a line is longer than ${LONGEST_LINE} bytes`);
      return;
    }
    this.#waiting = this.#waiting.length === 0 ? lines : [...this.#waiting, ...lines];
    if (this.#turn === null) this.#hearSome();
  }

  #hearSome(): void {
    this.#turn = null;
    const now = this.#waiting.slice(0, LINES_PER_TURN);
    this.#waiting = this.#waiting.slice(LINES_PER_TURN);
    for (const line of now) if (this.#life === 'open') this.#hear(line);
    if (this.#life === 'closed') return;
    if (this.#waiting.length === 0) {
      this.#parts.socket.resume();
      return;
    }
    // What is not read stays with who says it, who waits then.
    this.#parts.socket.pause();
    this.#turn = setImmediate(() => this.#hearSome());
  }

  #hear(line: string): void {
    const reading = readLine(line);
    switch (reading.type) {
      case 'said':
        this.#parts.hear(reading.saying);
        return;
      case 'unknown':
        return;
      case 'wrong':
        this.#refuse(reading.reason);
        return;
    }
  }

  #refuse(reason: string): void {
    this.#parts.complain(reason);
    this.close(reason);
  }
}
