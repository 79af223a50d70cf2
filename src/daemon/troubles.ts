// What the keeper could not do, as news: each trouble once an hour, however often it is reported, and not more than people
// can read. The log has every line of it; this decides only what goes into the history and to people.

/** The same trouble again within this time is not news. */
const silence = 3_600_000;
/** In that time altogether: more of them have one cause, and one of them names it. */
const most = 20;

export class Troubles {
  readonly #now: () => number;
  /** By text, when it was told last, on a clock that nobody sets. */
  readonly #told = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Numbers are what differs between two reports of one trouble. */
  isNews(problem: string): boolean {
    const now = this.#now();
    for (const [text, at] of this.#told) if (now - at >= silence) this.#told.delete(text);
    const text = problem.replaceAll(/\d+/g, 'N');
    if (this.#told.has(text) || this.#told.size >= most) return false;
    this.#told.set(text, now);
    return true;
  }
}
