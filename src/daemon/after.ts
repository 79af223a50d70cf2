// A timer that can be taken back, as those get it who own one and are tested with a clock of their own.

/** Calls back once, in so many milliseconds; the answer takes that back. */
export type After = (ms: number, callback: () => void) => () => void;

export const after: After = (ms, callback) => {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
};
