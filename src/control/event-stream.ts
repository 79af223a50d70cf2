// GET /v1/events: every change as a server-sent event, as everybody may see it. A reader that does not read is dropped, never
// waited for.

import type { ServerResponse } from 'node:http';
import type { Change } from '../core/change.js';
import { whatForAll } from '../core/for-all.js';
import { messageOf } from '../core/message.js';
import type { ServiceSet } from '../core/state.js';
import { iso } from '../core/time.js';
import type { Sink } from '../keeper/ports.js';

/** What a client may leave unread before it is dropped: some thousand changes. */
const unreadLimit = 1 << 20;

export class EventStream implements Sink {
  readonly #readers = new Set<ServerResponse>();
  #dropped = 0;
  #lastId = 0;

  /** Readers that were dropped because they did not read. */
  get dropped(): number {
    return this.#dropped;
  }

  add(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(': upkeep events, version 1\n\n');
    this.#readers.add(response);
    response.on('close', () => this.#readers.delete(response));
  }

  tell(changes: readonly Change[], set: ServiceSet): void {
    if (this.#readers.size === 0) return;
    for (const change of changes) {
      this.#lastId += 1;
      // One stream for all: what else stands in the details of the history is asked for there.
      const seen: Change = { ...change, what: whatForAll(change.what) };
      const text = messageOf(seen, set.get(change.service) ?? null)?.text ?? null;
      const data = JSON.stringify({ version: 1, ...seen, time: iso(change.time), text });
      const frame = `id: ${this.#lastId}\nevent: ${change.what.type}\ndata: ${data}\n\n`;
      for (const reader of this.#readers) this.#send(reader, frame);
    }
  }

  close(): void {
    for (const reader of this.#readers) reader.end();
    this.#readers.clear();
  }

  #send(reader: ServerResponse, frame: string): void {
    if (reader.writableLength > unreadLimit) {
      this.#dropped += 1;
      this.#readers.delete(reader);
      reader.destroy();
      return;
    }
    reader.write(frame);
  }
}
