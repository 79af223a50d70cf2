// What a generation that starts its own successor hands to it: the numbers of descriptors, in one variable of the environment.

import type { RequestSocket } from '../manager.js';
import type { NamedDescriptor } from '../sockets.js';

export interface Handed {
  readonly generation: number;
  /** A socket to the generation before: words go both ways, and its end is that one's end. */
  readonly channel: number;
  /** Where the state of the generation before comes from. */
  readonly state: number;
  /** The socket at which others ask for a restart, and its path; null: there is none. */
  readonly requests: RequestSocket | null;
  readonly sockets: readonly NamedDescriptor[];
}

export const handedWord = (handed: Handed): string => JSON.stringify(handed);

/** @throws where it is no such word: to begin without what was handed would lose it */
export function handedIn(text: string | undefined): Handed | null {
  if (text === undefined) return null;
  // Written by ourselves, maybe in an older version, and kept out of the hands of children.
  const handed: Handed = JSON.parse(text);
  return handed;
}
