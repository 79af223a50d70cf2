// Under Upkeep: the keeper decides, and says so over the hand-over channel. Owns what this generation does at each of its words,
// and at its silence: without a keeper nothing is committed.

import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { DrainReason } from '../drain-reason.js';
import type { Origin } from '../environment.js';
import { textOf } from '../generation.js';
import type { Order } from '../handover-words.js';
import type { Manager, RestartOrder, Ward } from '../manager.js';
import type { Guarantees } from '../mode.js';
import { Moment } from '../moment.js';
import type { Notify } from '../notify.js';
import { closed, openToRead, openToWrite, writeWhole } from '../state-path.js';
import { type IncomingState, type ReadRules, readState } from '../state-reader.js';
import { askRestart } from './ask-restart.js';
import { LastWords } from './last-words.js';
import { Link } from './link.js';

type Upkeep = Extract<Origin, { manager: 'upkeep' }>;

/** How long a word that was said already may take to be read, on a machine that is busy. */
const WORD_MS = 100;

export class UpkeepManager implements Manager {
  readonly generation: number;
  readonly #origin: Upkeep;
  readonly #ward: Ward;
  readonly #words = new LastWords();
  readonly #link: Link;
  readonly #accepted = new Moment<void>();
  readonly #imported = new Moment<string | null>();
  readonly #superseded = new Moment<DrainReason>();
  /** `waiting`: another generation serves. */
  #life: 'waiting' | 'accepted';
  #wantsState: 'yes' | 'no' = 'no';
  /** Ends the export that is under way. */
  #export: AbortController | null = null;
  #serving: 'no' | 'yes' | 'ends' = 'no';

  constructor(origin: Upkeep, ward: Ward) {
    this.#origin = origin;
    this.#ward = ward;
    this.generation = origin.generation;
    this.#life = origin.succeeds === null ? 'accepted' : 'waiting';
    if (this.#life === 'accepted') this.#accepted.come();
    this.#link = new Link({
      socket: origin.socket,
      service: origin.service,
      greeting: () => [
        { say: 'hello', state: ward.hasState() },
        ...(this.#wantsState === 'yes' ? [{ say: 'wantsState' } as const] : []),
        ...this.#words.again(),
      ],
      onOrder: (order) => this.#told(order),
      onLost: () => void this.#lost(),
    });
  }

  get mayAccept(): Promise<void> {
    return this.#accepted.promise;
  }

  readonly notify: Notify = async (words) => {
    this.#words.keep(words);
    return this.#link.say({ say: 'notify', text: words.join('\n') });
  };

  guarantees(): Omit<Guarantees, 'watchdog'> {
    const overlap = this.#origin.handover === 'overlap';
    return { overlap, canRefuse: overlap, stateHandedOver: true, socketsHeld: this.#ward.held.isHeldByManager };
  }

  async incoming(rules: ReadRules): Promise<IncomingState | null> {
    const { succeeds, stateFile } = this.#origin;
    // A generation that nobody was before need not wait for an answer.
    if (succeeds === null && (stateFile === null || !existsSync(stateFile))) return null;
    this.#wantsState = 'yes';
    this.#link.say({ say: 'wantsState' });
    const from = await this.#link.until(this.#imported.promise);
    this.#wantsState = 'no';
    return from === null ? null : readState(openToRead(from), rules);
  }

  offered(): void {
    this.#link.say({ say: 'hello', state: true });
  }

  async ready(words: readonly string[]): Promise<boolean> {
    const isTold = await this.notify(['READY=1', ...words]);
    await this.#link.until(this.mayAccept);
    return isTold;
  }

  serves(): void {
    this.#serving = 'yes';
  }

  async refuse(reason: string): Promise<void> {
    this.#link.say({ say: 'refused', reason });
  }

  async restart({ reason, by }: RestartOrder): Promise<number> {
    if (this.#serving === 'no') throw new Error('this generation is not ready yet');
    if (this.#serving === 'ends') throw new Error('a restart is in progress');
    if (by === 'exit') return this.#exit();
    const { socket, service } = this.#origin;
    return this.#link.until(askRestart({ socket, service, reason }));
  }

  /**
   * The keeper says `drain` before it sends its SIGTERM, so the word lies in our socket by then; but a signal is heard before a
   * socket is read. A SIGTERM without that word, from whomever it comes, is a stop.
   */
  async leave(): Promise<DrainReason> {
    if (this.#origin.handover === 'replace') return 'stop';
    return Promise.race([this.#superseded.promise, pause(WORD_MS, 'stop' as const)]);
  }

  /** The state is left where the next generation finds it, and the keeper starts that at our code (restart.alwaysAfter). */
  async #exit(): Promise<number> {
    const { stateFile } = this.#origin;
    this.#serving = 'ends';
    try {
      if (this.#ward.hasState()) {
        if (stateFile === null) throw new Error('the keeper has told no place for the state (UPKEEP_STATE_FILE)');
        await writeWhole(stateFile, (out) => this.#ward.send(out));
      }
    } catch (error) {
      this.#serving = 'yes';
      throw error;
    }
    setImmediate(() => void this.#ward.drain(this.#ward.settings().restartCode, 'stop'));
    return 0;
  }

  #told(order: Order): void {
    switch (order.do) {
      case 'export':
        void this.#give(order.to);
        return;
      case 'import':
        this.#imported.come(order.from);
        return;
      case 'accept':
        this.#life = 'accepted';
        this.#accepted.come();
        return;
      case 'thaw':
        void this.#thaw(order.reason);
        return;
      case 'drain':
        // A SIGTERM comes with it; said again alone where the keeper was away meanwhile.
        this.#superseded.come('superseded');
        if (this.#ward.canDrain()) void this.#ward.drain(0, 'superseded');
        return;
    }
  }

  async #give(to: string): Promise<void> {
    if (!this.#ward.hasState()) {
      this.#link.say({ say: 'noState' });
      return;
    }
    const control = new AbortController();
    this.#export = control;
    try {
      const out = await openToWrite(to, control.signal);
      control.signal.addEventListener('abort', () => out.destroy());
      const bytes = await this.#ward.send(out);
      await closed(out);
      this.#link.say({ say: 'exported', bytes });
    } catch (error) {
      this.#link.say({ say: 'exportFailed', reason: textOf(error) });
    }
  }

  async #thaw(reason: string): Promise<void> {
    this.#export?.abort(new Error(reason));
    this.#export = null;
    await this.#ward.thaw(reason);
  }

  async #lost(): Promise<void> {
    if (this.#life === 'accepted') return this.#thaw('the keeper is gone');
    process.stderr.write(
      'the keeper ended before this generation was accepted; it ends too, and the old one goes on\n',
    );
    process.exit(1);
  }
}
