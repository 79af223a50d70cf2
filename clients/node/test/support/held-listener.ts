// A listening socket that nobody accepts on, as a keeper holds one. Node gives none: a child listens and sends us its handle.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface HeldListener {
  readonly fd: number;
  readonly port: number;
  close(): void;
}

interface Handle {
  readonly fd: number;
  close(): void;
}

/** `where`: a host, or the path of a Unix socket. */
export async function holdListener(where = '127.0.0.1'): Promise<HeldListener> {
  const binder = fork(fileURLToPath(new URL('binder.mjs', import.meta.url)), [where]);
  const [{ port }, handle] = (await once(binder, 'message')) as [{ readonly port: number }, Handle];
  const ended = once(binder, 'exit');
  binder.kill('SIGKILL');
  await ended;
  return { fd: handle.fd, port, close: () => handle.close() };
}
