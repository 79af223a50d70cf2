// The ways in which others ask this process for a restart: a signal, and a socket. They are open while it serves.

import { textOf } from '../generation.js';
import type { RequestSocket } from '../manager.js';
import type { Settings } from '../options.js';
import { RestartSocket } from './restart-socket.js';

export class Requests {
  readonly #handed: RequestSocket | null;
  readonly #restart: () => Promise<number>;
  #socket: RestartSocket | null = null;

  /** `handed`: the socket of the generation before. */
  constructor(handed: RequestSocket | null, restart: () => Promise<number>) {
    this.#handed = handed;
    this.#restart = restart;
  }

  get descriptor(): RequestSocket | null {
    return this.#socket?.descriptor ?? null;
  }

  /** Before anybody is told that we are ready: until then the signal ends the process. */
  hear({ restartSignal }: Settings): void {
    if (restartSignal !== null) process.on(restartSignal, () => void this.#bySignal());
  }

  /** @throws where the path of the socket cannot be bound */
  async listen({ restartSocket }: Settings): Promise<void> {
    const path = this.#handed?.path ?? restartSocket;
    if (path === null) return;
    this.#socket = new RestartSocket(this.#handed, path, this.#restart);
    await this.#socket.listen();
  }

  close(who: 'last' | 'succeeded'): void {
    this.#socket?.close(who);
    this.#socket = null;
  }

  /** Nobody waits for the answer of a signal. */
  async #bySignal(): Promise<void> {
    try {
      await this.#restart();
    } catch (error) {
      process.stderr.write(`no restart: ${textOf(error)}\n`);
    }
  }
}
