// What the keeper holds for services and must not lose when it is killed: listening sockets, the sockets that services talk
// to, what they stored. A process that does nothing, the holder, has all of it open too; a file says what it has, and the
// next keeper takes it from there. It must not know what the descriptors are good for.

import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode, errorText } from '../core/error-text.js';
import { isSameProcess, type ProcessRef } from '../core/process.js';
import type { Report } from '../keeper/ports.js';
import type { Exits } from './exits.js';
import type { Features } from './features.js';
import { inodeOf, type Sought, takeFrom } from './foreign-descriptor.js';
import { type Entry, type Keeping, readRecord, writeRecord } from './held-record.js';
import { holdersOf, startHolder } from './holder-process.js';
import { signalProcess } from './signals.js';
import { SystemCallFailure } from './syscalls.js';

/** A descriptor of the keeper's own, close-on-exec. */
export interface Held extends Keeping {
  readonly fd: number;
}

export interface HeldParts {
  /** The runtime directory. */
  readonly directory: string;
  readonly features: Features;
  readonly exits: Pick<Exits, 'follow'>;
  readonly report: Report;
}

/** Until what failed is tried again, and at least between two holders that were killed, in ms. */
const PAUSE = 1000;
/** Between two holders, in ms: a thousand services that start at once are held by fifty of them, not by a thousand. */
const PACE = 20;
/** And so many times as long as the last one took: with two thousand descriptors it takes 5 ms, which would be a quarter of every second. */
const REST = 10;
/** But no longer, in ms: what is new would be lost with a keeper that is killed before. */
const LONGEST_PACE = 200;

type Due = 'nothing' | 'record' | 'holder';

export class HeldDescriptors {
  /** As an operator knows its file. */
  readonly name = 'the record of what is held';
  readonly #parts: HeldParts;
  readonly #path: string;
  readonly #held = new Map<number, Known>();
  /** What was held and was not to be had from the holder: a living process of the service may have it. */
  #missing: readonly Entry[] = [];
  #holder: ProcessRef | null = null;
  /** Holders of before: the file may still name one of them. */
  #former: readonly ProcessRef[] = [];
  /** Those of them that have been ended, until they are gone. */
  readonly #ending = new Set<ProcessRef>();
  #onLetGo: (() => void)[] = [];
  /** What does not stand as it should: only what the file says, or what the holder has too. */
  #due: Due = 'nothing';
  #pass: NodeJS.Timeout | null = null;
  /** The next pass begins no sooner. */
  #next = Number.NEGATIVE_INFINITY;
  #retry: NodeJS.Timeout | null = null;
  #life: 'open' | 'closed' = 'open';
  #told: string | null = null;

  /** Takes over what an earlier keeper held. */
  constructor(parts: HeldParts) {
    this.#parts = parts;
    this.#path = join(parts.directory, 'held.json');
    this.#recover();
  }

  /**
   * It is held soon, within a few milliseconds. It stays its owner's to close, after `remove`. Once more with other words:
   * those count from now on.
   */
  add({ fd, owner, kind, name, note }: Held): void {
    const keeping = { owner, kind, name, note, inode: inodeOf(fd) };
    const known = this.#held.get(fd);
    // With every restart: the record may be half a megabyte.
    if (known !== undefined && isSameKeeping(known, keeping)) return;
    this.#held.set(fd, keeping);
    this.#bringAboutSoon(known?.inode === keeping.inode ? 'record' : 'holder');
  }

  /** To be called before it is closed. */
  remove(fd: number): void {
    if (this.#held.delete(fd)) this.#bringAboutSoon('holder');
  }

  /** What is held of this kind: at the start of a keeper, what it has taken over. */
  of(kind: Keeping['kind']): readonly Held[] {
    return [...this.#held].flatMap(([fd, { owner, name, note, ...of }]) =>
      of.kind === kind ? [{ fd, owner, kind, name, note }] : [],
    );
  }

  /** What the holder did not have any more, and this process of the owner has. It is held again. */
  recoverFrom(owner: string, kind: Keeping['kind'], process: ProcessRef): readonly Held[] {
    const sought = this.#missing
      .filter((entry) => entry.owner === owner && entry.kind === kind)
      .map((entry) => ({ ...entry, at: null }));
    const taken = sought.length === 0 ? [] : this.#take(process, sought);
    if (taken.length > 0) this.#bringAboutSoon('holder');
    return taken;
  }

  /** Resolves when nobody has what was removed on our behalf any more: an address is free only then. */
  letGo(): Promise<void> {
    if (this.#due !== 'nothing' && this.#retry === null) this.#bringAbout();
    return this.#ending.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#onLetGo.push(resolve));
  }

  /** Is the file there, if there is to be one? */
  isInPlace(): boolean {
    return this.#holder === null || this.#due !== 'nothing' || existsSync(this.#path);
  }

  /** Somebody has removed the file. */
  renew(): void {
    this.#due = this.#due === 'holder' ? 'holder' : 'record';
    this.#bringAbout();
  }

  /** Nothing is to outlive this keeper. */
  end(): void {
    this.#held.clear();
    this.#missing = [];
    this.#bringAboutSoon('holder');
  }

  /** What is held stays so: another keeper may take it over. */
  close(): void {
    if (this.#due !== 'nothing') this.#bringAbout();
    this.#life = 'closed';
    if (this.#pass !== null) clearTimeout(this.#pass);
    if (this.#retry !== null) clearTimeout(this.#retry);
  }

  #recover(): void {
    const { directory, features } = this.#parts;
    const record = readRecord(this.#path);
    if (record !== null) {
      this.#missing = record.entries;
      this.#take(record.holder, record.entries);
      if (this.#follow(record.holder, undefined) === 'following') this.#holder = record.holder;
      // What it has and nobody could take from it is to be bound anew.
      if (this.#missing.length > 0 || this.#holder === null) this.#bringAboutSoon('holder');
    }
    // Of a keeper that was killed after it had started one, and before it could say so.
    this.#former = holdersOf(directory, features).filter(
      (one) =>
        !(record !== null && isSameProcess(one, record.holder)) &&
        this.#parts.exits.follow('holder', one, () => this.#ended(one)) === 'following',
    );
    if (this.#former.length > 0) this.#bringAboutSoon('record');
  }

  #take(process: ProcessRef, wanted: readonly (Keeping & Sought)[]): readonly Held[] {
    const { features, report } = this.#parts;
    try {
      const taken = takeFrom(process, wanted, features);
      const inodes = new Set(taken.map(({ sought }) => sought.inode));
      this.#missing = this.#missing.filter(({ inode }) => !inodes.has(inode));
      return taken.map(({ fd, sought: { owner, kind, name, note, inode } }) => {
        this.#held.set(fd, { owner, kind, name, note, inode });
        return { fd, owner, kind, name, note };
      });
    } catch (error) {
      report(`what is held for services could not be taken over from process ${process.pid}: ${whyNot(error)}`, null);
      return [];
    }
  }

  #bringAboutSoon(due: Exclude<Due, 'nothing'>): void {
    if (this.#due !== 'holder') this.#due = due;
    if (this.#life === 'closed' || this.#retry !== null) return;
    this.#pass ??= setTimeout(() => this.#bringAbout(), Math.max(0, this.#next - performance.now()));
  }

  #bringAbout(): void {
    if (this.#pass !== null) clearTimeout(this.#pass);
    this.#pass = null;
    const begun = performance.now();
    this.#renewAll();
    const ended = performance.now();
    this.#next = ended + Math.min(LONGEST_PACE, Math.max(PACE, (ended - begun) * REST));
  }

  /** At every moment the file names a holder that lives: the one of before is ended once it names the next. */
  #renewAll(): void {
    const { features, report } = this.#parts;
    if (features.pidfdGetfd === 'no') return;
    try {
      if (this.#due === 'holder') this.#startNext();
      this.#due = 'record';
      if (this.#holder === null) rmSync(this.#path, { force: true });
      else writeRecord(this.#path, { holder: this.#holder, entries: this.#entries() });
      this.#due = 'nothing';
      this.#told = null;
      this.#endFormer();
    } catch (error) {
      const said = `what is held for services would not outlive a keeper that is killed now: ${whyNot(error)}; it is tried again`;
      if (said !== this.#told) report(said, null);
      this.#told = said;
      this.#pause();
    }
  }

  #endFormer(): void {
    const former = this.#former;
    this.#former = [];
    for (const one of former) {
      this.#ending.add(one);
      if (signalProcess(one, 'SIGKILL', this.#parts.features) === 'gone') this.#ended(one);
    }
  }

  #ended(holder: ProcessRef): void {
    this.#ending.delete(holder);
    if (this.#ending.size > 0) return;
    const waiting = this.#onLetGo;
    this.#onLetGo = [];
    for (const resolve of waiting) resolve();
  }

  #startNext(): void {
    const { directory, features } = this.#parts;
    const next = this.#held.size === 0 ? null : startHolder(directory, this.#held.keys(), features);
    if (this.#holder !== null) this.#former = [...this.#former, this.#holder];
    this.#holder = next?.process ?? null;
    if (next !== null) this.#follow(next.process, next);
  }

  #follow(holder: ProcessRef, child: { readonly pidfd: number | null } | undefined): 'following' | 'gone' {
    const onExit = (): void => {
      this.#ended(holder);
      if (this.#holder !== holder) return;
      this.#holder = null;
      this.#due = 'holder';
      // Whoever kills it, and it may be for want of memory, does so more than once.
      this.#pause();
    };
    return this.#parts.exits.follow('holder', holder, onExit, child);
  }

  #pause(): void {
    if (this.#life === 'closed') return;
    this.#retry ??= setTimeout(() => {
      this.#retry = null;
      this.#bringAbout();
    }, PAUSE);
  }

  /** What nobody has found yet is still said, for the keeper after this. */
  #entries(): readonly Entry[] {
    const held = [...this.#held].map(([at, keeping]) => ({ at, ...keeping }));
    return [...held, ...this.#missing];
  }
}

type Known = Keeping & { readonly inode: string };

const isSameKeeping = (a: Known, b: Known): boolean =>
  a.inode === b.inode && a.owner === b.owner && a.kind === b.kind && a.name === b.name && a.note === b.note;

function whyNot(error: unknown): string {
  switch (error instanceof SystemCallFailure ? error.errno : errorCode(error)) {
    case 'EPERM':
      return 'this user may not trace processes (kernel.yama.ptrace_scope, EPERM)';
    case 'EMFILE':
      return 'the keeper has too few descriptors left (EMFILE); raise its limit of open files, as with `ulimit -n`';
    case 'ENOSPC':
      return 'its runtime directory is full (ENOSPC)';
  }
  return errorText(error);
}
