// Walks to a path with every directory on the way held by a descriptor, so that nothing can be exchanged between the look at
// it and what is done to it: parts of the way may belong to somebody who would like root to remove or own something else. It
// knows links, owners and descriptors; it must not know what a directory or a file is made or removed for.

import { type BigIntStats, constants } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../core/error-text.js';
import { listedName } from './account.js';
import { type FileCalls, type HeldStat, realCalls, statOf } from './file-calls.js';
import { close, open } from './syscalls.js';

/** Why it cannot be done, in a sentence for the operator. */
export class Refusal extends Error {}

/** What waited for a file system that did not answer stops here when it does after all: nobody waits for it any more. */
class GivenUp extends Error {}

/** Something that is held by a descriptor: whatever happens to its name, it stays the same. `path` is for sentences. */
export interface Held {
  readonly fd: number;
  readonly path: string;
  readonly stat: HeldStat;
}

/** A name in a directory that is held; there need not be anything of that name. */
export interface Spot {
  readonly directory: Held;
  readonly name: string;
  readonly path: string;
}

/** `make`: directories that are missing on the way are made, and each must be one that the owner can rely on. */
export type Purpose = { readonly type: 'make'; readonly owner: number } | { readonly type: 'remove' };

// Not in Node's constants; asks for no right on the file itself, and does not wait for the writer of a FIFO.
const O_PATH = 0o10000000;
const HOLD = O_PATH | constants.O_NOFOLLOW;

// Linux gives up after 40 links too (path_resolution(7)).
const MOST_LINKS = 40;

const ROOT = 0;
const WRITABLE = 0o022;
const STICKY = 0o1000;
const PARENT_MODE = 0o755;

export class Walk {
  readonly #self: number;
  readonly #calls: FileCalls;
  readonly #held: number[] = [];
  /** Directories that are held, by path: what is below them needs no second walk. */
  readonly #known = new Map<string, Held>();
  #at = '/';
  #life: 'walking' | 'given up' = 'walking';

  /** `self`: the user of the keeper. */
  constructor(self: number, calls: FileCalls = realCalls) {
    this.#self = self;
    this.#calls = calls;
  }

  get self(): number {
    return this.#self;
  }

  /** What was asked for last. */
  get at(): string {
    return this.#at;
  }

  /** Nothing more is asked or changed, whenever the call under way returns. */
  giveUp(): void {
    this.#life = 'given up';
  }

  /** After the last call has returned. */
  close(): void {
    for (const fd of this.#held.splice(0)) close(fd);
  }

  /** Goes to the directory that `path` is in; null where that is missing and is not to be made. @throws Refusal */
  async reach(path: string, purpose: Purpose): Promise<Spot | null> {
    const ahead = stepsOf(path);
    const name = ahead.pop();
    if (!path.startsWith('/') || name === undefined || [...ahead, name].includes('..'))
      throw new Refusal(`${path} does not say from / on, and without .., where it is: write it so`);
    let links = 0;
    const root = this.#root();
    let here = root;
    for (let step = ahead.shift(); step !== undefined; step = ahead.shift()) {
      const next = await this.#step({ directory: here, name: step, path: join(here.path, step) }, purpose);
      if (next === null) return null;
      if (next.stat.type !== 'link') {
        here = next;
        continue;
      }
      links += 1;
      if (links > MOST_LINKS) throw new Refusal(`${path} leads through more than ${MOST_LINKS} links: remove some`);
      const target = await this.#targetOf(next, { directory: here, name: step, path: next.path });
      if (target.startsWith('/')) here = root;
      ahead.unshift(...stepsOf(target));
    }
    return { directory: here, name, path: join(here.path, name) };
  }

  /** What has that name now, a link as itself; null: nothing. */
  async hold(spot: Spot): Promise<Held | null> {
    const held = await ifThere(this.#open(under(spot), spot.path));
    if (held?.stat.type === 'directory') this.#known.set(held.path, held);
    return held;
  }

  /** A new directory, for nobody else until its mode is set. Null: somebody has made one meanwhile. */
  async make(spot: Spot): Promise<Held | null> {
    try {
      await this.ask(spot.path, (calls) => calls.mkdir(under(spot), 0o700));
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
    return this.hold(spot);
  }

  async chown(held: Held, uid: number, gid: number): Promise<void> {
    await this.ask(held.path, (calls) => calls.chown(self(held), uid, gid));
    this.#known.delete(held.path);
  }

  async chmod(held: Held, mode: number): Promise<void> {
    await this.ask(held.path, (calls) => calls.chmod(self(held), mode));
    this.#known.delete(held.path);
  }

  async isEmpty(held: Held): Promise<boolean> {
    const entries = await this.ask(held.path, (calls) => calls.readdir(self(held)));
    return entries.length === 0;
  }

  /** What has that name now, not held; null: nothing. */
  async look(spot: Spot): Promise<BigIntStats | null> {
    return ifThere(this.ask(spot.path, (calls) => calls.lstat(under(spot))));
  }

  /** Never a directory: the kernel refuses that. Gone already is fine. */
  async remove(spot: Spot): Promise<void> {
    await ifThere(this.ask(spot.path, (calls) => calls.unlink(under(spot))));
  }

  /** One question to a file system, which may never answer. */
  async ask<T>(path: string, question: (calls: FileCalls) => Promise<T>): Promise<T> {
    this.#goOn();
    this.#at = path;
    const answer = await question(this.#calls);
    this.#goOn();
    return answer;
  }

  #goOn(): void {
    if (this.#life === 'given up') throw new GivenUp();
  }

  async #open(from: string, path: string): Promise<Held> {
    const fd = await this.ask(path, async (calls) => {
      const opened = await calls.open(from, HOLD);
      this.#held.push(opened);
      return opened;
    });
    return { fd, path, stat: statOf(fd) };
  }

  /** Nobody has to be asked for it. */
  #root(): Held {
    const known = this.#known.get('/');
    if (known !== undefined) return known;
    const fd = open('/', HOLD);
    this.#held.push(fd);
    const root: Held = { fd, path: '/', stat: statOf(fd) };
    this.#known.set(root.path, root);
    return root;
  }

  async #step(spot: Spot, purpose: Purpose): Promise<Held | null> {
    const found = this.#known.get(spot.path) ?? (await this.hold(spot));
    const there = found ?? (purpose.type === 'make' ? await this.#makeParent(spot) : null);
    if (there === null || there.stat.type === 'link') return there;
    if (there.stat.type !== 'directory') throw new Refusal(`${spot.path} is on the way and is no directory: remove it`);
    const { uid } = there.stat;
    // Who owns a directory on the way can put another in the place of what is made below it.
    if (purpose.type === 'make' && this.#self === ROOT && uid !== ROOT && uid !== purpose.owner)
      throw new Refusal(
        `${spot.path} is on the way and belongs to user ${nameOf(uid)}, who could exchange what is made below it:` +
          ' chown it to root, or choose another path',
      );
    return there;
  }

  /** As systemd does for RuntimeDirectory=: its parents are the keeper's own, and everybody may pass. */
  async #makeParent(spot: Spot): Promise<Held | null> {
    const made = await this.make(spot);
    // Exchanged for a directory of ours that holds something, by who owns the one above: its mode is not ours to widen.
    if (made?.stat.type === 'directory' && made.stat.uid === this.#self && (await this.isEmpty(made)))
      await this.chmod(made, PARENT_MODE);
    return made;
  }

  /** Where this link leads, if nobody else can have made it, nor exchange it between our two looks. */
  async #targetOf(link: Held, spot: Spot): Promise<string> {
    const { directory } = spot;
    if (!this.#isTrusted(link.stat.uid))
      throw new Refusal(
        `${link.path} is on the way and is a link of user ${nameOf(link.stat.uid)}: remove it, or name the path that it leads to`,
      );
    const { uid, mode } = directory.stat;
    const isShared = this.#self === ROOT && (mode & WRITABLE) !== 0 && (mode & STICKY) === 0;
    if (!this.#isTrusted(uid) || isShared)
      throw new Refusal(
        `${link.path} is a link in a directory that others can write (${directory.path}): name the path that it leads to`,
      );
    return this.ask(link.path, (calls) => calls.readlink(under(spot)));
  }

  #isTrusted(uid: number): boolean {
    return uid === ROOT || uid === this.#self;
  }
}

/** For a sentence: `mallory (1001)`. */
export function nameOf(uid: number): string {
  const name = listedName(uid);
  return name === null ? String(uid) : `${name} (${uid})`;
}

const stepsOf = (path: string): string[] => path.split('/').filter((step) => step !== '' && step !== '.');

/** Through these links of the kernel a call reaches what is held, and nothing else. */
const self = ({ fd }: Held): string => `/proc/self/fd/${fd}`;
const under = ({ directory, name }: Spot): string => `${self(directory)}/${name}`;

export async function ifThere<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}
