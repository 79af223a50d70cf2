// One attempt to have a successor of this process take over, with this process in the keeper's place. It ends in one of two
// ways: the successor serves, or it is gone and everything is as before. Decides nothing about when.

import { type ChildProcess, spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { textOf } from '../generation.js';
import type { Word } from '../handover-words.js';
import { type ToGeneration, toGeneration } from '../line-channel.js';
import type { RequestSocket, Ward } from '../manager.js';
import type { Handed } from './handed.js';
import { handedWord } from './handed.js';

/** Standard streams, then these two, then the sockets. */
const CHANNEL = 3;
const STATE = 4;
const FIRST_SOCKET = 5;

/** How long one that is asked to end may take. */
const GRACE_MS = 5_000;

export interface AttemptParts {
  readonly ward: Ward;
  readonly generation: number;
  /** The socket where others ask for a restart; null: there is none. */
  readonly requests: RequestSocket | null;
}

export class Attempt {
  readonly #parts: AttemptParts;
  readonly #child: ChildProcess;
  readonly #channel: ToGeneration;
  readonly #state: Duplex;
  readonly #exited: Promise<string>;
  #phase: 'starting' | 'transferring' | 'accepting' | 'over' = 'starting';
  #settle: { readonly done: () => void; readonly fail: (error: Error) => void } = { done: () => {}, fail: () => {} };
  #stall: NodeJS.Timeout | null = null;

  constructor(parts: AttemptParts) {
    this.#parts = parts;
    this.#child = start(parts);
    this.#exited = exitOf(this.#child);
    this.#channel = toGeneration(duplexOf(this.#child, CHANNEL));
    this.#state = duplexOf(this.#child, STATE);
    // Its reader may be gone at any time; whoever writes hears of it.
    this.#state.on('error', () => {});
  }

  /** The pid of the successor, which serves by then. @throws Error that says why it does not; it is gone then */
  async outcome(): Promise<number> {
    const { readyWithin } = this.#parts.ward.settings();
    const deadline = setTimeout(() => this.abort(`it was not ready within ${readyWithin} ms`), readyWithin);
    try {
      await new Promise<void>((done, fail) => {
        this.#settle = { done, fail };
        this.#channel.onWord = (word) => this.#heard(word);
        void this.#exited.then((how) => this.abort(`it ${how}`));
      });
      this.#release();
      return this.#child.pid ?? 0;
    } catch (error) {
      await this.#undo(textOf(error));
      throw error;
    } finally {
      clearTimeout(deadline);
      this.#rest();
    }
  }

  /** Ends the attempt; without effect when it has succeeded. */
  abort(reason: string): void {
    this.#settle.fail(new Error(`the successor did not take over: ${reason}`));
  }

  #heard(word: Word): void {
    switch (word.say) {
      case 'wantsState':
        void this.#transfer();
        return;
      case 'refused':
        this.abort(`it refused: ${word.reason}`);
        return;
      case 'notify':
        if (word.text.split('\n').includes('READY=1')) void this.#accept();
        return;
      case 'accepted':
        // Only now: one that ends right after READY has not taken over.
        if (this.#phase === 'accepting') this.#settle.done();
        return;
      case 'hello':
      case 'exported':
      case 'noState':
      case 'exportFailed':
        return;
    }
  }

  async #transfer(): Promise<void> {
    const { ward } = this.#parts;
    if (this.#phase !== 'starting') return;
    this.#phase = 'transferring';
    if (!ward.hasState()) {
      this.#channel.say({ do: 'import', from: null });
      return;
    }
    this.#channel.say({ do: 'import', from: `fd:${STATE}` });
    this.#moved();
    try {
      await ward.send(this.#state, () => this.#moved());
    } catch (error) {
      this.abort(`the state could not be given to it: ${textOf(error)}`);
    }
    this.#rest();
    this.#state.destroy();
  }

  async #accept(): Promise<void> {
    if (this.#phase === 'accepting' || this.#phase === 'over') return;
    this.#phase = 'accepting';
    this.#channel.say({ do: 'accept' });
  }

  /** The state moves: its clock begins anew. */
  #moved(): void {
    this.#rest();
    if (this.#phase === 'over') return;
    const { transferWithin } = this.#parts.ward.settings();
    this.#stall = setTimeout(() => this.abort(`the state stood still for ${transferWithin} ms`), transferWithin);
  }

  #rest(): void {
    if (this.#stall !== null) clearTimeout(this.#stall);
    this.#stall = null;
  }

  /** It lives its own life. The channel stays open: its end tells the successor that this process is gone. */
  #release(): void {
    this.#phase = 'over';
    this.#state.destroy();
    this.#child.unref();
  }

  async #undo(reason: string): Promise<void> {
    this.#phase = 'over';
    // First the pipe, so that a `send` which still writes fails, and thaws by itself.
    this.#state.destroy();
    this.#child.kill('SIGTERM');
    const hard = setTimeout(() => this.#child.kill('SIGKILL'), GRACE_MS);
    await this.#exited;
    clearTimeout(hard);
    this.#channel.end();
    await this.#parts.ward.thaw(reason);
  }
}

function start({ ward, generation, requests }: AttemptParts): ChildProcess {
  const { command, env } = ward.settings();
  const sockets = ward.held.descriptors;
  const firstNamed = FIRST_SOCKET + (requests === null ? 0 : 1);
  const handed: Handed = {
    generation: generation + 1,
    channel: CHANNEL,
    state: STATE,
    requests: requests === null ? null : { ...requests, fd: FIRST_SOCKET },
    sockets: sockets.map(({ name }, index) => ({ name, fd: firstNamed + index })),
  };
  const [program, ...args] = command;
  // Node makes a socket pair of each 'pipe' and keeps one end of it here: a successor that dies is heard at once.
  return spawn(program, args, {
    stdio: [
      'inherit',
      'inherit',
      'inherit',
      'pipe',
      'pipe',
      ...(requests === null ? [] : [requests.fd]),
      ...sockets.map(({ fd }) => fd),
    ],
    env: { ...process.env, ...env, UPKEEP_SERVICE_HANDED: handedWord(handed) },
  });
}

/** In words; never rejects. */
function exitOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`));
    child.once('exit', (code, signal) =>
      resolve(signal === null ? `ended with code ${code}` : `was killed by ${signal}`),
    );
  });
}

function duplexOf(child: ChildProcess, fd: number): Duplex {
  const stream = child.stdio[fd];
  if (!(stream instanceof Duplex)) throw new Error('the successor could not be started: no pipe to it');
  return stream;
}
