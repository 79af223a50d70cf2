// What the keeper and the courier say to each other: a line of JSON each. The keeper speaks on the courier's stdin, the
// courier answers on its stdout. Pure; it must not know who sends, nor how.

import type { Letter } from '../core/notice.js';
import type { Channel } from '../core/notice-spec.js';
import type { Delivery } from './channel.js';
import { fields } from './fields.js';

export type ToCourier =
  /** First, before anything is sent. */
  | { readonly type: 'channels'; readonly channels: Readonly<Record<string, Channel>> }
  /** A letter of the outbox, by the name of its file; `deadline` in milliseconds from now. */
  | { readonly type: 'send'; readonly id: string; readonly channel: string; readonly deadline: number }
  /** One that lies in no outbox, with all that is said on the way. */
  | { readonly type: 'test'; readonly letter: Letter; readonly deadline: number };

export type FromCourier =
  /** It has begun. */
  | { readonly type: 'ready' }
  /** What came of one; the file of a letter that was delivered or refused is gone. */
  | { readonly type: 'result'; readonly id: string; readonly delivery: Delivery }
  | { readonly type: 'talk'; readonly id: string; readonly line: string };

export const lineOf = (message: ToCourier | FromCourier): string => `${JSON.stringify(message)}\n`;

/** null: nothing that a courier says. */
export function heardFrom(line: string): FromCourier | null {
  const read = parsed(line);
  return isFromCourier(read) ? read : null;
}

/** The keeper is believed: it is who started us. null: half a line, of a keeper that was killed. */
export const heardBy = (line: string): ToCourier | null => parsed(line) as ToCourier | null;

/** Lines out of pieces of text. What has no end yet waits; `most` characters of it. */
export class Lines {
  readonly #onLine: (line: string) => void;
  readonly #most: number;
  #open = '';

  constructor(onLine: (line: string) => void, most: number) {
    this.#onLine = onLine;
    this.#most = most;
  }

  add(piece: string): void {
    const lines = (this.#open + piece).split('\n');
    this.#open = (lines.pop() ?? '').slice(0, this.#most);
    for (const line of lines) this.#onLine(line);
  }
}

function isFromCourier(read: unknown): read is FromCourier {
  const { type, id, line, delivery } = fields(read);
  switch (type) {
    case 'ready':
      return true;
    case 'talk':
      return typeof id === 'string' && typeof line === 'string';
    case 'result':
      return typeof id === 'string' && isDelivery(fields(delivery));
  }
  return false;
}

const isDelivery = ({ type, answer, reason }: Readonly<Record<string, unknown>>): boolean =>
  type === 'delivered'
    ? typeof answer === 'string'
    : (type === 'later' || type === 'refused') && typeof reason === 'string';

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
