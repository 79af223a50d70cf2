// Shortens a failing schedule by delta debugging (Zeller & Hildebrandt, 2002): drop ever smaller parts as long as what
// is left still fails.

/** The smallest part of the list found that still fails. `fails` is asked about lists in the original order. */
export function shrink<T>(list: readonly T[], fails: (part: readonly T[]) => boolean): readonly T[] {
  let best = list;
  let size = Math.ceil(best.length / 2);
  while (size >= 1) {
    let shorter = false;
    for (let from = 0; from < best.length; ) {
      const part = [...best.slice(0, from), ...best.slice(from + size)];
      if (fails(part)) {
        best = part;
        shorter = true;
      } else from += size;
    }
    if (size === 1 && !shorter) break;
    if (!shorter || size > best.length) size = size === 1 ? 1 : Math.floor(size / 2);
  }
  return best;
}
