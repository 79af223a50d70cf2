// The fd store: descriptors that services gave us to keep over their restarts (FDSTORE=1, sd_notify(3)). Owns them from the
// message that they came with until they are closed: when the other end hangs up, when the service removes them, or when it is
// down for good. It must not know how many may be kept, nor what they are good for.

import { isSameProcess, type ProcessRef } from '../core/process.js';
import { type ServiceName, type ServiceSpec, serviceName } from '../core/spec.js';
import { closeForeign } from './close-foreign.js';
import { inodeOf } from './foreign-descriptor.js';
import type { Held, HeldDescriptors } from './held-descriptors.js';
import { linkOf, mayStandStill } from './may-stand-still.js';
import type { Pump } from './pump.js';
import { hasRoom } from './reserve.js';
import { isSameFile } from './same-file.js';
import { readNote, type StoredNote, writeNote } from './stored-note.js';
import { close, SystemCallFailure } from './syscalls.js';

export interface Stored extends StoredNote {
  readonly fd: number;
  readonly name: string;
  readonly inode: string;
}

/** Which of them are kept (protocol/fd-store.ts). */
export type Admit = <T>(
  has: readonly T[],
  arriving: readonly T[],
  most: number,
  isSame: (a: T, b: T) => boolean,
) => { readonly kept: readonly T[]; readonly known: readonly T[]; readonly refused: readonly T[] };

export interface StoreParts {
  readonly pump: Pump;
  readonly held: Pick<HeldDescriptors, 'add' | 'remove' | 'of' | 'recoverFrom'>;
  /** What came with a message, until the turn of the loop is over. */
  readonly batches: { readonly claim: (batch: number) => readonly number[] };
  readonly admit: Admit;
  /** `refused` of those `sent` were closed: the service has as many as it may. */
  readonly onFull: (service: ServiceName, refused: number, sent: number, most: number) => void;
  readonly complain: (service: ServiceName, text: string) => void;
  /** Wall time, in ms. */
  readonly now: () => number;
}

export interface KeepOrder {
  readonly spec: Pick<ServiceSpec, 'name' | 'fdStore'>;
  readonly process: ProcessRef;
  readonly as: 'main' | 'successor';
  readonly batch: number;
  readonly name: string;
  readonly poll: 'yes' | 'no';
}

export class StoredDescriptors {
  readonly #parts: StoreParts;
  /** In the order in which they came. */
  readonly #stores = new Map<ServiceName, readonly Stored[]>();

  /** Goes on with what an earlier keeper held. */
  constructor(parts: StoreParts) {
    this.#parts = parts;
    for (const held of parts.held.of('stored')) this.#recover(held);
  }

  /** An earlier keeper has started it. What was lost with the holder may be had from it. */
  met(service: ServiceName, process: ProcessRef): void {
    for (const held of this.#parts.held.recoverFrom(service, 'stored', process)) {
      // All of this kind have one inode: it may be another.
      if (isWithoutInode(held.fd)) this.#release(held.fd, 'close');
      else this.#recover(held);
    }
  }

  /** Claims what came with that message: it is kept, or closed. */
  keep({ spec, process, as, batch, name, poll }: KeepOrder): void {
    const note = { poll, since: this.#parts.now(), by: as === 'main' ? null : process, most: spec.fdStore };
    const came = this.#parts.batches.claim(batch);
    const reason = whyRefused(came);
    if (reason !== null) {
      this.#parts.complain(spec.name, `what it sent to be stored as ${name} was closed: ${reason}`);
      for (const fd of came) closeForeign(fd);
      return;
    }
    const arriving = came.map((fd): Stored => ({ fd, name, inode: inodeOf(fd), ...note }));
    const beside = this.#all(spec.name).filter((one) => isBy(one, note.by));
    const kept = this.#admitted(spec.name, beside, arriving, spec.fdStore);
    this.#stores.set(spec.name, [...this.#all(spec.name), ...kept]);
    for (const one of kept) {
      this.#hold(spec.name, one);
      this.#watch(spec.name, one);
    }
  }

  /** Those that have this name, and count. */
  drop(service: ServiceName, name: string): void {
    this.#part(service, (one) => one.by === null && one.name === name);
  }

  /** What this process stored beside the main one counts from now on, or is closed. */
  settle(service: ServiceName, process: ProcessRef, as: 'join' | 'discard'): void {
    const isOf = (one: Stored): boolean => isBy(one, process);
    if (as === 'discard') {
      this.#part(service, isOf);
      return;
    }
    const joining = this.#all(service).filter(isOf);
    const others = this.#all(service).filter((one) => !isOf(one));
    const most = joining.reduce((least, one) => Math.min(least, one.most), Number.MAX_SAFE_INTEGER);
    for (const { fd } of joining) this.#release(fd, 'keep open');
    const counting = others.filter(({ by }) => by === null);
    const joined = this.#admitted(service, counting, joining, most).map((one) => ({ ...one, by: null }));
    this.#stores.set(service, [...others, ...joined]);
    for (const one of joined) {
      this.#hold(service, one);
      this.#watch(service, one);
    }
  }

  /** Nothing is kept for it any longer. */
  empty(service: ServiceName): void {
    this.#part(service, () => true);
    this.#stores.delete(service);
  }

  /** For a start that is made now, in the order in which they came. What its definition does not allow any more is closed. */
  pass({
    name,
    fdStore,
  }: Pick<ServiceSpec, 'name' | 'fdStore'>): readonly { readonly fd: number; readonly name: string }[] {
    if (fdStore === 0) this.empty(name);
    return this.of(name).filter(({ by }) => by === null);
  }

  /** All that is kept for it, also of one that has not taken over yet. */
  of(service: ServiceName): readonly Stored[] {
    return this.#all(service);
  }

  /** There are only these services now: what was kept for others is closed. */
  retain(services: ReadonlySet<string>): void {
    for (const service of [...this.#stores.keys()]) if (!services.has(service)) this.empty(service);
  }

  /** The next keeper takes them over. */
  close(): void {
    for (const [, stored] of this.#stores) for (const { fd } of stored) this.#parts.pump.remove(fd);
    this.#stores.clear();
  }

  #recover({ fd, owner, name, note }: Held): void {
    const service = serviceName(owner);
    const stored = { fd, name, inode: inodeOf(fd), ...readNote(note) };
    this.#stores.set(service, [...this.#all(service), stored]);
    this.#watch(service, stored);
  }

  #all(service: ServiceName): readonly Stored[] {
    return this.#stores.get(service) ?? [];
  }

  /** The others are closed. */
  #admitted(
    service: ServiceName,
    has: readonly Stored[],
    arriving: readonly Stored[],
    most: number,
  ): readonly Stored[] {
    const { kept, known, refused } = this.#parts.admit(has, arriving, most, isSame);
    // We have these ourselves: nothing of theirs ends with that.
    for (const { fd } of known) close(fd);
    for (const { fd } of refused) closeForeign(fd);
    if (refused.length > 0) this.#parts.onFull(service, refused.length, arriving.length, most);
    return kept;
  }

  #part(service: ServiceName, isMeant: (one: Stored) => boolean): void {
    const all = this.#all(service);
    this.#stores.set(
      service,
      all.filter((one) => !isMeant(one)),
    );
    for (const { fd } of all.filter(isMeant)) this.#release(fd, 'close');
  }

  #release(fd: number, then: 'close' | 'keep open'): void {
    const { pump, held } = this.#parts;
    pump.remove(fd);
    held.remove(fd);
    if (then === 'close') closeForeign(fd);
  }

  #hold(service: ServiceName, { fd, name, ...note }: Stored): void {
    this.#parts.held.add({ fd, owner: service, kind: 'stored', name, note: writeNote(note) });
  }

  /** The kernel tells of a hang-up and of an error unasked, and nothing else is asked for. */
  #watch(service: ServiceName, { fd, poll }: Stored): void {
    if (poll === 'no') return;
    try {
      this.#parts.pump.add(fd, 0, () => this.#part(service, (one) => one.fd === fd));
    } catch (error) {
      // EPERM: a file, which has nobody at its other end. Of others too it is enough that they are kept.
      if (!(error instanceof SystemCallFailure)) throw error;
    }
  }
}

function whyRefused(came: readonly number[]): string | null {
  if (came.some((fd) => mayStandStill(fd)))
    return 'a file behind which a program or another host stands (FUSE, NFS) could hold up whoever has it open; store a memfd, or open the file anew';
  if (came.length > 0 && !hasRoom('first'))
    return 'the keeper has too few descriptors left; raise its limit of open files, as with `ulimit -n`';
  return null;
}

const isWithoutInode = (fd: number): boolean => linkOf(fd).startsWith('anon_inode:');

const isBy = ({ by }: Stored, process: ProcessRef | null): boolean =>
  by === null || process === null ? by === process : isSameProcess(by, process);

/** The inode first: it is known, and one open file has one. */
const isSame = (a: Stored, b: Stored): boolean => a.inode === b.inode && isSameFile(a.fd, b.fd);
