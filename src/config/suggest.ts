// "did you mean": the known word that a mistyped one was probably meant to be.

// A word may differ from its typo by this part of its length; more would guess at random. Two letters of five are a typo still: wacht.
const CLOSE_ENOUGH = 1 / 3;
const typosIn = (length: number): number => Math.max(length < 5 ? 1 : 2, Math.floor(length * CLOSE_ENOUGH));

// Nobody names anything longer, and the comparison costs the product of the lengths.
const LONGEST = 64;

/** The known word nearest to this one, or null where none is near. */
export function nearest(word: string, known: Iterable<string>): string | null {
  if (word.length > LONGEST) return null;
  let best: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    if (candidate.length > LONGEST) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  const allowed = typosIn(Math.max(word.length, best?.length ?? 0));
  return best !== null && least <= allowed && least < word.length ? best : null;
}

/** `; did you mean X`, or nothing. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const near = nearest(word, known);
  return near === null ? '' : `; did you mean ${near}`;
}

// Damerau's distance (optimal string alignment): letters swapped with their neighbour are the commonest typo.
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, (before[j - 2] ?? 0) + 1);
      }
      row.push(least);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
