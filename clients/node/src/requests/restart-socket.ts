// The Unix socket where others ask this process for a restart: one request and one answer for each connection, each by itself, so
// that a client that says nothing is in nobody's way. Knows no way to restart.

import { createServer, type Server, type Socket } from 'node:net';
import { textOf } from '../generation.js';
import { HeldSockets } from '../held-sockets.js';
import type { RequestSocket } from '../manager.js';
import { type Answer, answerFrame, frameIn, isRestartRequest } from './frame.js';

/** How long a client may take to say what it wants. */
const PATIENCE_MS = 10_000;

const NAME = 'restart';

export class RestartSocket {
  readonly path: string;
  readonly #server: Server;
  readonly #held: HeldSockets;
  readonly #restart: () => Promise<number>;

  constructor(handed: RequestSocket | null, path: string, restart: () => Promise<number>) {
    this.path = path;
    this.#restart = restart;
    this.#held = new HeldSockets(handed === null ? [] : [{ name: NAME, fd: handed.fd }], 'generation');
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** @throws where the path cannot be bound */
  async listen(): Promise<void> {
    await this.#held.listen(this.#server, NAME, { path: this.path, mode: 0o600 });
    this.#server.unref();
  }

  /** For a successor; null while nobody listens here. */
  get descriptor(): RequestSocket | null {
    const [first] = this.#held.descriptors;
    return first === undefined ? null : { fd: first.fd, path: this.path };
  }

  /** Whoever asks from now on asks the successor, who listens on the same socket; or nobody, when this was the last. */
  close(who: 'last' | 'succeeded'): void {
    this.#server.close();
    if (who === 'last') this.#held.removePaths();
  }

  #serve(socket: Socket): void {
    let bytes = Buffer.alloc(0);
    const silence = setTimeout(() => answer(socket, { RestartFailed: 'nothing was asked' }), PATIENCE_MS).unref();
    const heard = (part: Buffer): void => {
      bytes = Buffer.concat([bytes, part]);
      const first = frameIn(bytes);
      if (first.type === 'partial') return;
      clearTimeout(silence);
      socket.off('data', heard);
      if (first.type === 'bad') answer(socket, { RestartFailed: first.reason });
      else if (!isRestartRequest(first.value)) answer(socket, { RestartFailed: 'the request is not known here' });
      else void this.#answer(socket);
    };
    socket.on('data', heard);
    // It may go before it is answered: the restart goes on.
    socket.on('error', () => {});
    socket.on('close', () => clearTimeout(silence));
  }

  async #answer(socket: Socket): Promise<void> {
    try {
      answer(socket, { RestartComplete: await this.#restart() });
    } catch (error) {
      answer(socket, { RestartFailed: textOf(error) });
    }
  }
}

function answer(socket: Socket, what: Answer): void {
  socket.end(answerFrame(what));
}
