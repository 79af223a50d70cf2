// What the simulated kernel keeps for services: their sockets, and the descriptors that they have stored. Both outlive the keeper,
// as the holder of the real one makes them. Knows nothing of processes beyond who stored what.

import type { Effect } from '../../src/core/effect.js';
import { isSameProcess, type ProcessRef } from '../../src/core/process.js';
import { socketOwnerOf } from '../../src/core/socket.js';
import type { ServiceName, ServiceSpec } from '../../src/core/spec.js';

interface Kept {
  readonly name: string;
  readonly batch: number;
  readonly process: ProcessRef;
  /** `apart`: a new generation stored it, which has not taken over yet. */
  place: 'joined' | 'apart';
}

type Order = Extract<
  Effect,
  {
    type:
      | 'keep'
      | 'dropKept'
      | 'settleKept'
      | 'emptyStore'
      | 'closeSockets'
      | 'awaitConnection'
      | 'stopAwaitingConnection';
  }
>;

export class SimulatedKeeping {
  readonly #stores = new Map<string, readonly Kept[]>();
  /** By owner: the members that have opened them and were not stopped since. */
  readonly #sockets = new Map<string, Set<ServiceName>>();
  readonly #awaiting = new Set<ServiceName>();
  readonly #waiting = new Set<string>();
  readonly #connected: (service: ServiceName) => void;
  readonly #isSuccessor: (process: ProcessRef) => boolean;

  /** `isSuccessor`: was it started beside another? */
  constructor(connected: (service: ServiceName) => void, isSuccessor: (process: ProcessRef) => boolean) {
    this.#connected = connected;
    this.#isSuccessor = isSuccessor;
  }

  /** The names of what counts for this service. */
  stored(service: string): readonly string[] {
    return (this.#stores.get(service) ?? []).filter(({ place }) => place === 'joined').map(({ name }) => name);
  }

  /** What lies apart for generations that have not taken over. */
  apart(service: string): number {
    return (this.#stores.get(service) ?? []).filter(({ place }) => place === 'apart').length;
  }

  areOpen(spec: ServiceSpec): boolean {
    return this.#sockets.has(socketOwnerOf(spec));
  }

  open(spec: ServiceSpec): void {
    const owner = socketOwnerOf(spec);
    if (spec.sockets.length > 0) this.#sockets.set(owner, (this.#sockets.get(owner) ?? new Set()).add(spec.name));
  }

  /** Somebody connects: whoever waits for that is told, now or once it waits. */
  connect(spec: ServiceSpec): void {
    if (!this.areOpen(spec)) return;
    this.#waiting.add(socketOwnerOf(spec));
    if (this.#awaiting.delete(spec.name)) this.#connected(spec.name);
  }

  /** It accepts what has waited. */
  accept(spec: ServiceSpec): void {
    this.#waiting.delete(socketOwnerOf(spec));
  }

  disconnected(): void {
    this.#awaiting.clear();
  }

  perform(effect: Order): void {
    switch (effect.type) {
      case 'keep': {
        const { spec, process, batch, name } = effect;
        const kept = this.#stores.get(spec.name) ?? [];
        const place = this.#isSuccessor(process) ? 'apart' : 'joined';
        if (kept.length < spec.fdStore) this.#stores.set(spec.name, [...kept, { name, batch, process, place }]);
        return;
      }
      case 'dropKept':
        this.#filter(effect.service, ({ name, place }) => name !== effect.name || place === 'apart');
        return;
      case 'settleKept':
        if (effect.as === 'discard')
          this.#filter(effect.service, (one) => one.place === 'joined' || !isSameProcess(one.process, effect.process));
        else
          for (const one of this.#stores.get(effect.service) ?? [])
            if (isSameProcess(one.process, effect.process)) one.place = 'joined';
        return;
      case 'emptyStore':
        this.#stores.delete(effect.service);
        return;
      case 'closeSockets': {
        const owner = socketOwnerOf(effect.spec);
        const users = this.#sockets.get(owner);
        users?.delete(effect.spec.name);
        if (users?.size === 0) this.#sockets.delete(owner);
        return;
      }
      case 'awaitConnection':
        if (this.#waiting.has(socketOwnerOf(effect.spec))) this.#connected(effect.spec.name);
        else this.#awaiting.add(effect.spec.name);
        return;
      case 'stopAwaitingConnection':
        this.#awaiting.delete(effect.service);
        return;
    }
  }

  #filter(service: string, stays: (one: Kept) => boolean): void {
    this.#stores.set(service, (this.#stores.get(service) ?? []).filter(stays));
  }
}
