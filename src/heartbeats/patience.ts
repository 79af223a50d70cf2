// A deadline in time in which we have run ourselves. An asker that was stopped, or had no processor, has not waited: the answer may
// have come long ago, and lie unread. Knows no question.

/** In ms: looked so often whether we run, and with so much delay, which is a busy machine, we still do. */
const SLICE = 250;
const USUAL_DELAY = 250;
/** So much of our own standstill, in ms, is made up for: by then the keeper does not wait any more. */
const MOST = 500;

export interface Patience {
  /** Milliseconds on a monotonic clock. */
  readonly now: () => number;
  /** `stood`: for so long, in ms, we did not run, more than could be made up for; 0: it had its time. */
  readonly onEnd: (stood: number) => void;
}

/** Calls back once, when so much time has passed. The answer takes that back. */
export function patience(length: number, { now, onEnd }: Patience): () => void {
  const begun = now();
  let stood = 0;
  let timer: NodeJS.Timeout;
  const wait = (): void => {
    const left = begun + length + Math.min(stood, MOST) - now();
    if (left <= 0) {
      onEnd(stood > MOST ? stood : 0);
      return;
    }
    const [since, slice] = [now(), Math.min(SLICE, left)];
    timer = setTimeout(() => {
      const delay = now() - since - slice;
      if (delay > USUAL_DELAY) stood += delay;
      wait();
    }, slice);
  };
  wait();
  return () => clearTimeout(timer);
}
