// Under systemd: one generation ends before the next one starts, so nobody can refuse, and the state waits in a store meanwhile.
// A restart is an end with a code for which the unit asks for a start (RestartForceExitStatus=).

import type { DrainReason } from '../drain-reason.js';
import type { Origin, Surroundings } from '../environment.js';
import { textOf } from '../generation.js';
import type { Manager, Ward } from '../manager.js';
import type { Guarantees } from '../mode.js';
import { type Notify, unheard } from '../notify.js';
import type { NamedDescriptor } from '../sockets.js';
import { type IncomingState, type ReadRules, readState } from '../state-reader.js';
import { loadLibc } from './libc.js';
import { byCommand, byDatagram } from './notify-socket.js';
import { bothStores, fileStore, memoryStore, STORED, type StateStore } from './state-store.js';

export interface SystemdParts {
  readonly origin: Extract<Origin, { manager: 'systemd' }>;
  readonly notifySocket: string | null;
  /** The state of the generation before, as the fd store gave it back. */
  readonly kept: NamedDescriptor | null;
  readonly ward: Ward;
}

export class SystemdManager implements Manager {
  readonly notify: Notify;
  readonly mayAccept: Promise<void> = Promise.resolve();
  readonly #ward: Ward;
  readonly #store: StateStore | null;
  #generation = 1;
  #life: 'starting' | 'serving' | 'ending' = 'starting';

  constructor({ origin, notifySocket, kept, ward }: SystemdParts) {
    this.#ward = ward;
    const libc = loadLibc();
    this.notify = notifyBy(libc, notifySocket);
    const file = origin.runtimeDirectory === null ? null : fileStore(origin.runtimeDirectory);
    if (libc === null || notifySocket === null || origin.storeMax === 0) this.#store = file;
    else {
      const memory = memoryStore(libc, notifySocket, kept?.fd ?? null);
      this.#store = origin.storeMax === null && file !== null ? bothStores(memory, file) : memory;
    }
  }

  get generation(): number {
    return this.#generation;
  }

  guarantees(): Omit<Guarantees, 'watchdog'> {
    return {
      overlap: false,
      canRefuse: false,
      stateHandedOver: this.#store !== null,
      socketsHeld: this.#ward.held.isHeldByManager,
    };
  }

  async incoming(rules: ReadRules): Promise<IncomingState | null> {
    const source = this.#store?.open() ?? null;
    if (source === null) return null;
    const state = await readState(source, rules);
    this.#generation = state.generation + 1;
    return state;
  }

  offered(): void {}

  async ready(words: readonly string[]): Promise<boolean> {
    if (this.#ward.hasState() && this.#store?.prepare() === false)
      process.emitWarning('systemd did not take the file for the state; a restart will lose it');
    return this.notify(['READY=1', ...words]);
  }

  serves(): void {
    this.#life = 'serving';
    this.#store?.clear();
  }

  async refuse(): Promise<void> {}

  async restart(): Promise<number> {
    if (this.#life === 'starting') throw new Error('this generation is not ready yet');
    if (this.#life === 'ending') throw new Error('a restart is in progress');
    this.#life = 'ending';
    try {
      await this.#save();
    } catch (error) {
      this.#life = 'serving';
      throw error;
    }
    // The requester hears of it before the way to it is closed.
    setImmediate(() => void this.#ward.drain(this.#ward.settings().restartCode, 'stop'));
    return 0;
  }

  /** It may be a restart, and systemd does not say: what it keeps over a restart it forgets at a stop. */
  async leave(): Promise<DrainReason> {
    if (this.#life !== 'serving') return 'stop';
    this.#life = 'ending';
    await this.#save().catch((error: unknown) =>
      process.emitWarning(`the state is lost, it could not be kept: ${textOf(error)}`),
    );
    return 'stop';
  }

  async #save(): Promise<void> {
    if (!this.#ward.hasState()) return;
    const store = this.#store;
    if (store === null)
      throw new Error(
        'there is nowhere to keep the state; set RuntimeDirectory=, or install koffi and set FileDescriptorStoreMax=',
      );
    await store.fill((out) => this.#ward.send(out));
  }
}

function notifyBy(libc: ReturnType<typeof loadLibc>, address: string | null): Notify {
  if (address === null) return unheard;
  return libc === null ? byCommand(address) : byDatagram(libc, address);
}

/** The state that the fd store gave back, apart from the sockets of the program. */
export function keptState({ sockets }: Surroundings): NamedDescriptor | null {
  return sockets.find(({ name }) => name === STORED) ?? null;
}
