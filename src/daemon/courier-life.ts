// The life of the courier: one at most, started when it is wanted, with longer and longer pauses where it breaks; given up
// when it does not begin; sent away when it has had nothing to do for a while. It must not know letters and queues, sets no
// timer, and does nothing but what it is asked for.

import type { Channel } from '../core/notice-spec.js';
import { inWords } from '../core/time.js';
import type { FromCourier, ToCourier } from '../notices/post.js';

/** A courier that was started. What it says and that it is gone comes by the ears that it was started with. */
export interface CourierLink {
  readonly say: (message: ToCourier) => void;
  /** Nothing more will be said: it finishes what it has, and ends. */
  readonly dismiss: () => void;
  /** At once, also when it is stopped. */
  readonly kill: () => void;
}

export interface CourierEars {
  readonly hear: (message: FromCourier) => void;
  /** Once, also when it could not be started at all. `how`: in words, like `exit code 1`. */
  readonly gone: (how: string) => void;
}

/** Never throws, and answers before its ears are called. `channels`: whose secrets it will have to read. */
export type StartCourier = (channels: Readonly<Record<string, Channel>>, ears: CourierEars) => CourierLink;

export interface CourierLifeParts {
  readonly start: StartCourier;
  readonly clock: { readonly now: () => number };
  /** What the one that there is says; one that was dismissed or given up is not heard. */
  readonly hear: (message: FromCourier) => void;
  /** It is gone, or was given up. `was`: whether it had answered anything before. */
  readonly onLost: (how: string, was: 'useful' | 'useless') => void;
  /** A line for the keeper's log. */
  readonly say: (line: string) => void;
}

/** It takes 50 ms, and on a machine that is out of memory or disk longer. */
export const BEGIN_MS = 30_000;
/** Starting one costs 50 ms of processor: one that has nothing to do stays for what may come. */
const LINGER_MS = 30_000;
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 300_000;

interface Courier {
  readonly link: CourierLink;
  phase: 'starting' | 'ready';
  /** Until when it has to be ready. */
  readonly readyBy: number;
  /** Since when it has nothing to do; null: it has. */
  idleSince: number | null;
  /** `useful`: it has answered, a program that works, whatever becomes of it. */
  was: 'useful' | 'useless';
}

export class CourierLife {
  readonly #parts: CourierLifeParts;
  #courier: Courier | null = null;
  /** In a row that ended without having answered anything. */
  #useless = 0;
  #pausedUntil = 0;
  #problem: string | null = null;

  constructor(parts: CourierLifeParts) {
    this.#parts = parts;
  }

  get phase(): 'none' | 'starting' | 'ready' {
    return this.#courier?.phase ?? 'none';
  }

  /** Why couriers come to nothing; null: the last that said anything did not. */
  get problem(): string | null {
    return this.#problem;
  }

  /** When it is to be looked at again; where there is none: from when on one may be started. */
  wakeAt(): number {
    const courier = this.#courier;
    if (courier === null) return this.#pausedUntil;
    if (courier.phase === 'starting') return courier.readyBy;
    return courier.idleSince === null ? Number.POSITIVE_INFINITY : courier.idleSince + LINGER_MS;
  }

  isLate(): boolean {
    return this.#courier?.phase === 'starting' && this.#parts.clock.now() >= this.#courier.readyBy;
  }

  /** Somebody waits for the next one: no pause before it. */
  hurry(): void {
    this.#pausedUntil = 0;
  }

  /** Starts one, unless there is one or a pause is not over. */
  want(channels: Readonly<Record<string, Channel>>): void {
    const { clock, start, hear } = this.#parts;
    const now = clock.now();
    if (this.#courier !== null || now < this.#pausedUntil) return;
    // A courier that was dismissed or given up goes on talking for a while.
    const ears: CourierEars = {
      hear: (message) => {
        if (this.#courier !== courier) return;
        this.#note(courier, message);
        hear(message);
      },
      gone: (how) => {
        if (this.#courier === courier) this.#lose(courier, how);
      },
    };
    const link = start(channels, ears);
    const courier: Courier = { link, phase: 'starting', readyBy: now + BEGIN_MS, idleSince: null, was: 'useless' };
    this.#courier = courier;
    link.say({ type: 'channels', channels });
  }

  say(message: ToCourier): void {
    this.#courier?.link.say(message);
  }

  /** Whether it has something to do; one that has had nothing for a while is dismissed. */
  rest(work: 'some' | 'none'): void {
    const courier = this.#courier;
    if (courier === null) return;
    const now = this.#parts.clock.now();
    courier.idleSince = work === 'some' || courier.phase === 'starting' ? null : (courier.idleSince ?? now);
    if (courier.idleSince !== null && now - courier.idleSince >= LINGER_MS) this.dismiss();
  }

  /** It finishes what it has, which comes to nobody's ears any more. */
  dismiss(): void {
    const courier = this.#courier;
    this.#courier = null;
    courier?.link.dismiss();
  }

  /** A courier that hangs or is stopped answers nothing, and only its end can help. */
  giveUp(): void {
    const courier = this.#courier;
    if (courier === null) return;
    courier.link.kill();
    this.#lose(courier, courier.phase === 'starting' ? 'it did not begin in time' : 'it did not answer in time');
  }

  #note(courier: Courier, message: FromCourier): void {
    switch (message.type) {
      case 'ready':
        courier.phase = 'ready';
        return;
      case 'result':
        courier.was = 'useful';
        this.#useless = 0;
        this.#problem = null;
        return;
      case 'talk':
        return;
    }
  }

  #lose({ was }: Courier, how: string): void {
    this.#courier = null;
    if (was === 'useless') this.#pause(how);
    this.#parts.onLost(how, was);
  }

  #pause(how: string): void {
    this.#useless += 1;
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** (this.#useless - 1), LONGEST_PAUSE_MS);
    this.#pausedUntil = this.#parts.clock.now() + pause;
    if (this.#problem === null) this.#parts.say(`notices cannot be sent: ${how}; tried again after ${inWords(pause)}`);
    this.#problem = how;
  }
}
