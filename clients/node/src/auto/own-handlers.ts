// Whether the program ends itself at a signal. Knows nothing of what then happens.

/**
 * Counts what listens from the call on; what does so before is ours. The first listener of all is our own: as it hears the
 * signal nobody that was added with once() is gone, and a signal that is said again ends nobody who drains.
 */
export function ownHandlers(signal: NodeJS.Signals): () => boolean {
  let before = process.listenerCount(signal);
  let atSignal: number | null = null;
  const own = (): number => process.listenerCount(signal) - before;
  process.prependListener(signal, () => {
    atSignal ??= own();
  });
  before++;
  return () => (atSignal ?? own()) > 0;
}
