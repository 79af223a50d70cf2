// What of the descriptors that a service sends is kept (FDSTORE=1): in the order in which they come, as many as it may have,
// each open file once and under the name that it had first. systemd's rules (service_add_fd_store_set in its
// src/core/service.c). Pure: it must not know what a descriptor is.

export interface Admission<T> {
  readonly kept: readonly T[];
  /** It has them already. */
  readonly known: readonly T[];
  /** There was no room any more, for the first of them and all that follow. */
  readonly refused: readonly T[];
}

/** `has`: what is kept already. One that comes when the store is full is refused, also when it is known: so is all after it. */
export function admit<T>(
  has: readonly T[],
  arriving: readonly T[],
  most: number,
  isSame: (a: T, b: T) => boolean,
): Admission<T> {
  const kept: T[] = [];
  const known: T[] = [];
  for (const [i, one] of arriving.entries()) {
    if (has.length + kept.length >= most) return { kept, known, refused: arriving.slice(i) };
    const isKnown = has.some((other) => isSame(other, one)) || kept.some((other) => isSame(other, one));
    (isKnown ? known : kept).push(one);
  }
  return { kept, known, refused: [] };
}

/** For the log of the keeper: the service itself is told nothing (sd_notify(3)). */
export function fullSentence(refused: number, sent: number, most: number): string {
  const what = sent === 1 ? 'a descriptor' : `${refused} of the ${sent} descriptors`;
  const were = refused === 1 ? 'was' : 'were';
  return `${what} that it sent to be stored ${were} closed, because its store is full (fdStore: ${most}); write a higher \`fdStore\`, or have it remove what it does not need any more`;
}
