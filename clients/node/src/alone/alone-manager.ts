// No manager that we know: this process starts its own successor, and may be one itself. Owns which restart is asked when; one
// attempt is successor.ts.

import { Socket } from 'node:net';
import type { DrainReason } from '../drain-reason.js';
import type { Order } from '../handover-words.js';
import { type ToManager, toManager } from '../line-channel.js';
import type { Manager, Ward } from '../manager.js';
import type { Guarantees } from '../mode.js';
import { Moment } from '../moment.js';
import type { Notify } from '../notify.js';
import { type IncomingState, type ReadRules, readState } from '../state-reader.js';
import type { Handed } from './handed.js';
import { Attempt } from './successor.js';

export class AloneManager implements Manager {
  readonly generation: number;
  readonly #ward: Ward;
  readonly #before: Before | null;
  #attempt: Attempt | null = null;
  #life: 'starting' | 'serving' | 'succeeded' | 'ending' = 'starting';

  constructor(handed: Handed | null, ward: Ward) {
    this.generation = handed?.generation ?? 1;
    this.#ward = ward;
    this.#before = handed === null ? null : new Before(handed);
  }

  get mayAccept(): Promise<void> {
    return this.#before?.accepted.promise ?? Promise.resolve();
  }

  readonly notify: Notify = async (words) => this.#before?.notify(words) ?? false;

  /** The sockets are held by two generations at a restart, and by nobody after a crash. */
  guarantees(): Omit<Guarantees, 'watchdog'> {
    return { overlap: true, canRefuse: true, stateHandedOver: true, socketsHeld: false };
  }

  async incoming(rules: ReadRules): Promise<IncomingState | null> {
    return this.#before?.state(rules) ?? null;
  }

  async ready(words: readonly string[]): Promise<boolean> {
    const isTold = await this.notify(['READY=1', ...words]);
    await this.mayAccept;
    return isTold;
  }

  offered(): void {}

  serves(): void {
    this.#life = 'serving';
    this.#before?.serves();
  }

  async refuse(reason: string): Promise<void> {
    await this.#before?.refuse(reason);
  }

  async restart(): Promise<number> {
    const obstacle = this.#obstacle();
    if (obstacle !== null) throw new Error(obstacle);
    const { exitOnError } = this.#ward.settings();
    try {
      const requests = this.#ward.requests();
      this.#attempt = new Attempt({ ward: this.#ward, generation: this.generation, requests });
      const pid = await this.#attempt.outcome();
      this.#life = 'succeeded';
      // The requester hears of it before the way to it is closed.
      setImmediate(() => void this.#ward.drain(0, 'superseded'));
      return pid;
    } catch (error) {
      if (exitOnError) setImmediate(() => void this.#ward.drain(1, 'stop'));
      throw error;
    } finally {
      this.#attempt = null;
    }
  }

  /** A successor that is not there yet is not to be there after us. */
  async leave(): Promise<DrainReason> {
    if (this.#life === 'succeeded') return 'superseded';
    this.#life = 'ending';
    this.#attempt?.abort('this generation was told to end');
    return 'stop';
  }

  /** Why there cannot be a restart now; null: there can. */
  #obstacle(): string | null {
    if (this.#attempt !== null) return 'a restart is in progress';
    switch (this.#life) {
      case 'starting':
        return 'this generation is not ready yet';
      case 'succeeded':
        return 'another generation has taken over already';
      case 'ending':
        return 'this generation was told to end';
      case 'serving':
        return this.#before?.life === 'alive' ? 'the generation before has not ended yet' : null;
    }
  }
}

/** The generation before, as the one that it has started sees it. */
class Before {
  readonly accepted = new Moment<void>();
  readonly #imported = new Moment<string | null>();
  readonly #channel: ToManager;
  readonly #socket: Socket;
  readonly #stateFd: number;
  life: 'alive' | 'gone' = 'alive';
  #isAccepted: 'yes' | 'no' = 'no';

  constructor({ channel, state }: Handed) {
    this.#stateFd = state;
    // It keeps this process alive until it is accepted: nothing else may be there to wait for.
    this.#socket = new Socket({ fd: channel });
    this.#channel = toManager(this.#socket);
    this.#channel.onWord = (order) => this.#told(order);
    this.#channel.onEnd = () => this.#gone();
  }

  notify(words: readonly string[]): boolean {
    return this.#channel.say({ say: 'notify', text: words.join('\n') });
  }

  async state(rules: ReadRules): Promise<IncomingState | null> {
    this.#channel.say({ say: 'wantsState' });
    if ((await this.#imported.promise) === null) return null;
    return readState(new Socket({ fd: this.#stateFd, writable: false }), rules);
  }

  serves(): void {
    this.#channel.say({ say: 'accepted' });
    this.#socket.unref();
  }

  refuse(reason: string): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.once('close', () => resolve());
      this.#socket.write(`${JSON.stringify({ say: 'refused', reason })}\n`, () => resolve());
    });
  }

  #told(order: Order): void {
    if (order.do === 'import') this.#imported.come(order.from);
    if (order.do !== 'accept') return;
    this.#isAccepted = 'yes';
    this.accepted.come();
  }

  /** Before this one was accepted it is nobody: two generations that each think they are the one would be worse than none. */
  #gone(): void {
    this.life = 'gone';
    if (this.#isAccepted === 'yes') return;
    process.stderr.write('the generation before ended before this one was accepted; this one ends too\n');
    process.exit(1);
  }
}
