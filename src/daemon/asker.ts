// One asker as the keeper sees it: what it has been told and has not answered yet, and what becomes of that when it is late or
// dies. Told nothing, no secret above all, before it has said that it is whom it was to be. It sets no timer and decides nothing
// about other askers.

import type { Asked } from '../heartbeats/ask-once.js';
import type { FromAsker, Order } from '../heartbeats/wire.js';
import type { AskerRights } from '../kernel/asker-rights.js';
import type { AskerLink, StartAsker } from './asker-process.js';

/** A question that waits for its answer. */
export interface Open {
  readonly order: Order;
  readonly settle: (asked: Asked) => void;
  /** Why it could not be asked, in words. */
  readonly giveUp: (reason: string) => void;
}

export interface AskerParts {
  readonly rights: AskerRights;
  readonly start: StartAsker;
  readonly now: () => number;
  /** It has become idle, or is gone: once. `was`: whether it had answered anything before. */
  readonly onIdle: () => void;
  readonly onGone: (how: string, was: 'useful' | 'useless') => void;
  /** Programs that it had started are left to nobody. Never throws. */
  readonly endPrograms: (leaders: readonly number[]) => void;
}

interface Told extends Open {
  /** When the answer must have come; of what waits for its beginning, when it is not to wait any longer. */
  lateAt: number;
  /** The leader of the program that runs for it. */
  program: number | null;
}

/** It begins within a tenth of a second, and on a machine that is short of memory or disk within some. */
const BEGIN_MS = 5000;
/** An answer comes by its deadline; so much later it does not come. */
const GRACE_MS = 1000;
/** What it does not take is not kept for it. */
const MOST_BACKLOG = 4 * 1024 * 1024;

export class Asker {
  readonly #parts: AskerParts;
  readonly #link: AskerLink;
  readonly #open = new Map<number, Told>();
  #phase: 'starting' | 'ready' | 'gone' = 'starting';
  #readyBy: number;
  #usedAt: number;
  #was: 'useful' | 'useless' = 'useless';
  /** Late at the last look: what it has said may not have been read yet, by a keeper that stood still itself. */
  #suspect: 'no' | 'yes' = 'no';

  constructor(parts: AskerParts) {
    this.#parts = parts;
    this.#usedAt = parts.now();
    this.#readyBy = this.#usedAt + BEGIN_MS;
    this.#link = parts.start(parts.rights, {
      hear: (message) => this.#hear(message),
      gone: (how) => this.#end(how),
    });
  }

  get isIdle(): boolean {
    return this.#open.size === 0;
  }

  /** When it was told the last question. */
  get usedAt(): number {
    return this.#usedAt;
  }

  ask(open: Open): void {
    if (this.#link.backlog() > MOST_BACKLOG) {
      open.giveUp('the asker does not take questions any more');
      return;
    }
    this.#usedAt = this.#parts.now();
    this.#open.set(open.order.id, { ...open, lateAt: this.#usedAt + BEGIN_MS, program: null });
    if (this.#phase === 'ready') this.#say(open.order);
  }

  /** Nobody waits for these answers any more. */
  cancel(isMeant: (open: Open) => boolean): void {
    for (const open of [...this.#open.values()]) {
      if (!isMeant(open)) continue;
      this.#open.delete(open.order.id);
      if (this.#phase === 'ready') this.#link.say({ type: 'cancel', id: open.order.id });
    }
    if (this.isIdle) this.#parts.onIdle();
  }

  /** Ends it when an answer is overdue at two looks one after the other. */
  look(): void {
    const now = this.#parts.now();
    const late =
      this.#phase === 'starting' ? now >= this.#readyBy : [...this.#open.values()].some(({ lateAt }) => now >= lateAt);
    const isSure = late && this.#suspect === 'yes';
    this.#suspect = late ? 'yes' : 'no';
    if (!isSure) return;
    this.kill(this.#phase === 'starting' ? 'did not begin in time' : 'did not answer in time');
  }

  dismiss(): void {
    this.#phase = 'gone';
    this.#link.dismiss();
  }

  kill(why: string): void {
    this.#link.kill();
    this.#end(why);
  }

  #say(order: Order): void {
    const told = this.#open.get(order.id);
    if (told !== undefined) told.lateAt = this.#parts.now() + order.timeout + GRACE_MS;
    this.#link.say(order);
  }

  #hear(message: FromAsker): void {
    if (this.#phase === 'gone') return;
    switch (message.type) {
      case 'ready':
        if (this.#phase === 'ready') return;
        this.#phase = 'ready';
        for (const { order } of this.#open.values()) this.#say(order);
        return;
      case 'refused':
        this.kill(`could not drop the rights of the keeper: ${message.reason}`);
        return;
      case 'runs':
        this.#note(message.id, message.pid);
        return;
      case 'answer':
        this.#settle(message.id, message);
        return;
    }
  }

  #note(id: number, pid: number): void {
    const told = this.#open.get(id);
    if (told !== undefined) told.program = pid;
  }

  #settle(id: number, { answer, steps }: Asked): void {
    const told = this.#open.get(id);
    // Nobody waits for it any more.
    if (told === undefined) return;
    this.#open.delete(id);
    this.#was = 'useful';
    told.settle({ answer, steps });
    if (this.isIdle) this.#parts.onIdle();
  }

  #end(how: string): void {
    if (this.#phase === 'gone') return;
    this.#phase = 'gone';
    const open = [...this.#open.values()];
    this.#open.clear();
    this.#parts.onGone(how, this.#was);
    const programs = open.map(({ program }) => program).filter((leader) => leader !== null);
    if (programs.length > 0) this.#parts.endPrograms(programs);
    for (const { giveUp } of open) giveUp(`the asker ${how}`);
  }
}
