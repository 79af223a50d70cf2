// What a receiver has received so far, and the wait for more of it.

export interface Kept<T> {
  readonly all: readonly T[];
  readonly add: (one: T) => void;
  /** Resolves when so many are there. */
  readonly until: (count: number) => Promise<readonly T[]>;
}

export function keep<T>(): Kept<T> {
  const all: T[] = [];
  const waiting = new Set<() => void>();
  return {
    all,
    add: (one) => {
      all.push(one);
      for (const look of waiting) look();
    },
    until: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (all.length < count) return;
          waiting.delete(look);
          resolve(all);
        };
        waiting.add(look);
        look();
      }),
  };
}
