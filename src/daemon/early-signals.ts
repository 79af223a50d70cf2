// Signals that come while the program is still being loaded. A keeper that has replaced its own program has been known by
// its pid for a long time: who signals it must not kill it in the moment before its handlers are there. What is left, until
// the first line of ours runs, is Node's own start, which sets every signal to its default and unblocks it.

const held: NodeJS.Signals[] = [];
const handlers = new Map<NodeJS.Signals, () => void>();

/** From now on they are kept. */
export function holdSignals(): void {
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2', 'SIGQUIT', 'SIGALRM', 'SIGPIPE'] as const) {
    const handler = (): void => void held.push(name);
    handlers.set(name, handler);
    process.on(name, handler);
  }
}

/** What came meanwhile. To be called when somebody else listens. */
export function releaseSignals(): readonly NodeJS.Signals[] {
  for (const [name, handler] of handlers) process.off(name, handler);
  handlers.clear();
  return held.splice(0);
}
