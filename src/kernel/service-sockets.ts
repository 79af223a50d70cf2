// The sockets that are held for services: opened before a start, passed to each generation, kept over restarts, failures and
// the keeper's own death, closed when the service is stopped. While somebody of the service lives, what was passed to it
// stays open, whatever its next definition says. It must not know why a service starts or stops.

import { isSameProcess, type ProcessRef } from '../core/process.js';
import { type SocketSpec, socketOwnerOf } from '../core/socket.js';
import type { ServiceName, ServiceSpec } from '../core/spec.js';
import type { Report } from '../keeper/ports.js';
import { ConnectionWatch } from './connection-watch.js';
import type { Held, HeldDescriptors } from './held-descriptors.js';
import { Refusal, Walk } from './held-path.js';
import { explain } from './open-socket.js';
import { isSame, type Opened, opened, readNote, refreshed, removePaths, writeNote } from './opened-socket.js';
import type { Pump } from './pump.js';
import { close, makeBlocking, SystemCallFailure } from './syscalls.js';

/** Somebody who runs with them. `passed` null: an earlier keeper has started it, and nobody knows. */
interface Runner {
  readonly process: ProcessRef;
  readonly passed: readonly number[] | null;
}

/** The sockets of one service, or of one pool. */
interface Family {
  readonly owner: string;
  /** The services that are not stopped. */
  readonly users: Set<ServiceName>;
  /** Between the opening and the start that it is for. */
  readonly starting: Set<ServiceName>;
  sockets: readonly Opened[];
  runners: readonly Runner[];
  /** What is done to its paths is done one after the other. */
  turn: Promise<void>;
}

export interface ServiceSocketParts {
  readonly held: HeldDescriptors;
  readonly pump: Pump;
  readonly report: Report;
}

export class ServiceSockets {
  readonly #parts: ServiceSocketParts;
  readonly #watch: ConnectionWatch;
  readonly #families = new Map<string, Family>();

  /** Goes on with those that an earlier keeper has opened. */
  constructor(parts: ServiceSocketParts) {
    this.#parts = parts;
    this.#watch = new ConnectionWatch(parts.pump);
    for (const held of parts.held.of('socket')) this.#recover(held);
  }

  /** All that this definition wants are open then. @throws Refusal: why not, in a sentence */
  async open(spec: ServiceSpec, walk: Walk): Promise<void> {
    const family = this.#familyOf(socketOwnerOf(spec));
    family.users.add(spec.name);
    family.starting.add(spec.name);
    try {
      await inTurn(family, () => this.#open(family, spec, walk));
    } catch (error) {
      family.starting.delete(spec.name);
      throw error;
    } finally {
      // It was stopped meanwhile.
      if (family.users.size === 0) this.#closeAll(family);
      else this.#keep(family);
    }
  }

  /** For a start that is made now, in the order of the definition; null: one of them is not open. */
  pass(spec: ServiceSpec): readonly { readonly fd: number; readonly name: string }[] | null {
    const family = this.#families.get(socketOwnerOf(spec));
    const opened = spec.sockets.map((socket) => family?.sockets.find((one) => isSame(one.spec, socket)));
    const found = opened.filter((one) => one !== undefined);
    if (found.length < opened.length) return null;
    // It is a property of the socket, not of the descriptor. Somebody who lives may have wanted it so: an event loop would
    // stand still in accept(2) for ever.
    if (family?.runners.length === 0) for (const { fd } of found) makeBlocking(fd);
    return found.map(({ fd, spec: { name } }) => ({ fd, name }));
  }

  /** This process was started with them. */
  began(spec: ServiceSpec, process: ProcessRef, passed: readonly number[]): void {
    const family = this.#families.get(socketOwnerOf(spec));
    if (family === undefined) return;
    family.starting.delete(spec.name);
    family.runners = [...family.runners, { process, passed }];
    this.#tidy(family);
  }

  /** An earlier keeper has started it. What is lost with the holder may be had from it. */
  met(service: ServiceName, process: ProcessRef): void {
    const { held } = this.#parts;
    const owners = [service, service.replace(/@\d+$/, '')];
    for (const owner of owners) for (const one of held.recoverFrom(owner, 'socket', process)) this.#recover(one);
    const family = [...this.#families.values()].find(({ users }) => users.has(service));
    if (family === undefined || family.runners.some((one) => isSameProcess(one.process, process))) return;
    family.runners = [...family.runners, { process, passed: null }];
  }

  /** It has ended, or is nobody's any more. */
  ended(process: ProcessRef): void {
    for (const family of this.#families.values()) {
      const runners = family.runners.filter((one) => !isSameProcess(one.process, process));
      if (runners.length === family.runners.length) continue;
      family.runners = runners;
      this.#tidy(family);
    }
  }

  /** It is down, and to stay so. */
  close(spec: ServiceSpec): void {
    const { name } = spec;
    const family = this.#families.get(socketOwnerOf(spec));
    if (family === undefined) return;
    this.#watch.stop(name);
    family.users.delete(name);
    family.starting.delete(name);
    if (family.users.size === 0) this.#closeAll(family);
    else this.#keep(family);
  }

  /** There are only these services now: what was held for others is closed. */
  settle(services: ReadonlySet<string>): void {
    for (const family of this.#families.values()) {
      for (const user of family.users) if (!services.has(user)) family.users.delete(user);
      if (family.users.size === 0) this.#closeAll(family);
    }
  }

  /** Tells once when somebody wants this service. One whose sockets cannot be had is started, so that its start says why. */
  awaitConnection(spec: ServiceSpec, onConnected: () => void): void {
    const wait = (): void => {
      const passed = this.pass(spec);
      const lazy = spec.sockets.filter((socket) => socket.lazy === 'yes').map(({ name }) => name);
      if (passed === null) onConnected();
      else {
        const fds = passed.filter(({ name }) => lazy.includes(name)).map(({ fd }) => fd);
        this.#watch.await(spec.name, fds, onConnected);
      }
    };
    if (this.pass(spec) !== null) {
      wait();
      return;
    }
    const walk = new Walk(process.geteuid?.() ?? 0);
    this.open(spec, walk)
      .catch(() => undefined)
      .then(wait)
      .catch((error: unknown) => this.#parts.report(`the sockets of ${spec.name} cannot be watched`, error))
      .finally(() => walk.close());
  }

  stopAwaitingConnection(service: ServiceName): void {
    this.#watch.stop(service);
  }

  /** All paths of closed sockets are removed then. */
  async settled(): Promise<void> {
    await Promise.all([...this.#families.values()].map(({ turn }) => turn));
  }

  #familyOf(owner: string): Family {
    const known = this.#families.get(owner);
    if (known !== undefined) return known;
    const made = { owner, users: new Set<ServiceName>(), starting: new Set<ServiceName>() };
    const family: Family = { ...made, sockets: [], runners: [], turn: Promise.resolve() };
    this.#families.set(owner, family);
    return family;
  }

  #recover({ fd, owner, name, note }: Held): void {
    const known = readNote(note);
    if (known === null) {
      this.#parts.report(`the socket ${name} of ${owner} was held by a version that says other things of it`, null);
      this.#parts.held.remove(fd);
      close(fd);
      return;
    }
    const family = this.#familyOf(owner);
    for (const user of known.users) family.users.add(user);
    family.sockets = [...family.sockets, { spec: known.spec, fd, file: known.file }];
  }

  async #open(family: Family, spec: ServiceSpec, walk: Walk): Promise<void> {
    const isWanted = (one: Opened): boolean => spec.sockets.some((socket) => isSame(one.spec, socket));
    // Nobody runs with the others: they may be in the way of a new one.
    if (family.runners.length === 0)
      await this.#drop(
        family,
        family.sockets.filter((one) => !isWanted(one)),
        walk,
      );
    for (const socket of spec.sockets) {
      try {
        const there = family.sockets.find((one) => isSame(one.spec, socket));
        const next =
          (there && (await refreshed(there, socket, spec, walk))) ?? (await this.#opened(socket, spec, walk));
        if (there !== undefined && there.fd !== next.fd) this.#release(there);
        family.sockets = [...family.sockets.filter((one) => one !== there), next];
      } catch (error) {
        throw new Refusal(await explain(error, socket));
      }
    }
  }

  /** What was closed a moment ago may still be on its way out of the holder, and take the address. */
  async #opened(socket: SocketSpec, spec: ServiceSpec, walk: Walk): Promise<Opened> {
    try {
      return await opened(socket, spec, walk);
    } catch (error) {
      if (!(error instanceof SystemCallFailure) || error.errno !== 'EADDRINUSE') throw error;
      await this.#parts.held.letGo();
      return opened(socket, spec, walk);
    }
  }

  /** While somebody runs, exactly what was passed is open; whoever starts has opened what it needs. */
  #tidy(family: Family): void {
    const { runners, starting, sockets } = family;
    if (runners.length === 0 || starting.size > 0) return;
    const unused = sockets.filter(({ fd }) => runners.every(({ passed }) => passed !== null && !passed.includes(fd)));
    if (unused.length > 0) this.#dropLater(family, unused);
  }

  #closeAll(family: Family): void {
    family.runners = [];
    this.#dropLater(family, family.sockets);
    void family.turn.then(() => {
      if (family.users.size === 0 && family.sockets.length === 0) this.#families.delete(family.owner);
    });
  }

  /** Closed at once; the paths follow. */
  #dropLater(family: Family, dropped: readonly Opened[]): void {
    if (dropped.length === 0) return;
    this.#forget(family, dropped);
    const walk = new Walk(process.geteuid?.() ?? 0);
    inTurn(family, () => removePaths(dropped, walk))
      .catch((error: unknown) => this.#parts.report(`the path of a socket of ${family.owner} is left`, error))
      .finally(() => walk.close());
  }

  async #drop(family: Family, dropped: readonly Opened[], walk: Walk): Promise<void> {
    this.#forget(family, dropped);
    await removePaths(dropped, walk);
  }

  #forget(family: Family, dropped: readonly Opened[]): void {
    family.sockets = family.sockets.filter((one) => !dropped.includes(one));
    for (const one of dropped) this.#release(one);
  }

  #release({ fd }: Opened): void {
    this.#watch.drop(fd);
    this.#parts.held.remove(fd);
    close(fd);
  }

  /** With what the next keeper has to know of them. */
  #keep({ owner, users, sockets }: Family): void {
    for (const { fd, spec, file } of sockets) {
      const note = writeNote({ spec, file, users: [...users] });
      this.#parts.held.add({ fd, owner, kind: 'socket', name: spec.name, note });
    }
  }
}

function inTurn(family: Family, work: () => Promise<void>): Promise<void> {
  const done = family.turn.then(work);
  family.turn = done.catch(() => undefined);
  return done;
}
