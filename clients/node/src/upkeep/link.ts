// The hand-over channel to a keeper: a connection to its control socket, upgraded; made again whenever it was lost, since a keeper
// that was killed comes back. Owns the connection; what is said on it is for upkeep-manager.ts.

import { request } from 'node:http';
import type { Socket } from 'node:net';
import type { Order, Word } from '../handover-words.js';
import { type ToManager, toManager } from '../line-channel.js';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2_000;

export interface LinkParts {
  readonly socket: string;
  readonly service: string;
  /** Said first on each connection. */
  readonly greeting: () => readonly Word[];
  readonly onOrder: (order: Order) => void;
  readonly onLost: () => void;
}

export class Link {
  readonly #parts: LinkParts;
  #channel: ToManager | null = null;
  #socket: Socket | null = null;
  #pause = FIRST_PAUSE_MS;
  /** While somebody waits for an order the process may have nothing else to live for. */
  #waiting = 0;
  #retry: NodeJS.Timeout | null = null;

  constructor(parts: LinkParts) {
    this.#parts = parts;
    this.#connect();
  }

  /** False: there is no keeper now. */
  say(word: Word): boolean {
    return this.#channel?.say(word) ?? false;
  }

  /** Keeps the process alive until that has come. */
  async until<T>(promise: Promise<T>): Promise<T> {
    this.#waiting += 1;
    this.#hold();
    try {
      return await promise;
    } finally {
      this.#waiting -= 1;
      this.#hold();
    }
  }

  #connect(): void {
    const outgoing = request({
      socketPath: this.#parts.socket,
      path: `/v1/services/${encodeURIComponent(this.#parts.service)}/handover`,
      headers: { connection: 'Upgrade', upgrade: 'upkeep-handover/1' },
      agent: false,
    });
    outgoing.on('socket', (socket: Socket) => {
      this.#socket = socket;
      this.#hold();
    });
    outgoing.on('upgrade', (_response, socket: Socket, head: Buffer) => this.#open(socket, head));
    // A keeper that knows no hand-over answers like to any question.
    outgoing.on('response', (response) => {
      response.resume();
      this.#again();
    });
    outgoing.on('error', () => this.#again());
    outgoing.end();
  }

  #open(socket: Socket, head: Buffer): void {
    this.#pause = FIRST_PAUSE_MS;
    this.#socket = socket;
    this.#hold();
    const channel = toManager(socket, head);
    this.#channel = channel;
    channel.onWord = (order) => this.#parts.onOrder(order);
    channel.onEnd = () => {
      this.#channel = null;
      this.#parts.onLost();
      this.#again();
    };
    for (const word of this.#parts.greeting()) channel.say(word);
  }

  #again(): void {
    this.#socket = null;
    if (this.#retry !== null) return;
    this.#retry = setTimeout(() => {
      this.#retry = null;
      this.#connect();
    }, this.#pause);
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
    this.#hold();
  }

  #hold(): void {
    for (const handle of [this.#socket, this.#retry]) {
      if (this.#waiting > 0) handle?.ref();
      else handle?.unref();
    }
  }
}
