// What stands in the files of the outbox, and the envelope: as much of a letter as one has to know to send it in time and
// order. Pure; nothing is believed that was read.

import type { Letter } from '../core/notice.js';
import { fields } from './fields.js';

export type Envelope = Pick<Letter, 'id' | 'channel' | 'thread' | 'time'>;

/** A letter with when it was put: the number of the put, and its place in it. */
export interface StoredLetter {
  readonly version: 1;
  readonly put: number;
  readonly place: number;
  readonly letter: Letter;
}

export type Written = StoredLetter | { readonly version: 1; readonly put: number; readonly desk: unknown };

export const envelopeOf = ({ id, channel, thread, time }: Letter): Envelope => ({ id, channel, thread, time });

/** null: no letter of ours, or one of a form that is not known here. @throws SyntaxError */
export function readStored(text: string): StoredLetter | null {
  const read: unknown = JSON.parse(text);
  return isStored(read) ? read : null;
}

function isStored(read: unknown): read is StoredLetter {
  const { version, put, place, letter } = fields(read);
  return version === 1 && typeof put === 'number' && typeof place === 'number' && isLetter(letter);
}

/** Its notices are ours by their envelope; what stands in them is the channel's to read with care. */
function isLetter(read: unknown): read is Letter {
  const { id, channel, host, time, thread, notices } = fields(read);
  return (
    typeof id === 'string' &&
    typeof channel === 'string' &&
    typeof host === 'string' &&
    typeof time === 'number' &&
    (thread === null || typeof thread === 'string') &&
    Array.isArray(notices) &&
    notices.length > 0
  );
}
