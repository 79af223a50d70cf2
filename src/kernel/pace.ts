// How often something is read that anybody may fill as fast as he likes: at once while little comes, in batches when more
// does, and never for more than a hundredth of the processor. It must not know what is read.

/** Wake-ups in a second from which on there are batches: it is the wake-ups that cost. */
const STORM = 10;
const BATCH_MS = 100;
/** So long takes no single record on a machine with time to spare. */
const LONG_MS = 2;
/** A hundred times as long as it took nobody looks; what is overwritten meanwhile is lost. */
const SHARE = 100;
const LATEST_MS = 2000;

export class Pace {
  #second = 0;
  #wakeups = 0;

  /** A read took so long and ended now, both in ms: how long not to look again; null: whenever something comes. */
  pauseAfter(took: number, now: number): number | null {
    const second = Math.floor(now / 1000);
    this.#wakeups = second === this.#second ? this.#wakeups + 1 : 1;
    this.#second = second;
    if (this.#wakeups <= STORM && took < LONG_MS) return null;
    return Math.min(LATEST_MS, Math.max(BATCH_MS, took * SHARE));
  }
}
