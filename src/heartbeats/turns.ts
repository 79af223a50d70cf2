// So many at once, the others one after the other in the order in which they came. It must not know what for.

/** `wait` is told where there is none at once. The answer gives the turn back. @throws the signal's reason: nobody waits for the turn any more */
export type TakeTurn = (signal: AbortSignal, wait: () => void) => Promise<() => void>;

export function turns(most: number): TakeTurn {
  let taken = 0;
  const waiting = new Set<() => void>();
  const giveBack = (): void => {
    taken -= 1;
    const [next] = waiting;
    next?.();
  };
  return (signal, wait) =>
    new Promise((resolve, reject) => {
      const take = (): void => {
        waiting.delete(take);
        signal.removeEventListener('abort', giveUp);
        taken += 1;
        resolve(giveBack);
      };
      const giveUp = (): void => {
        waiting.delete(take);
        reject(signal.reason);
      };
      if (signal.aborted) return giveUp();
      if (taken < most) return take();
      wait();
      waiting.add(take);
      signal.addEventListener('abort', giveUp, { once: true });
    });
}
