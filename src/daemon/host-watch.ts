// Keeps the keeper informed of the phase of the host: asks while it boots (at most `bootGrace`), and again whenever a
// service ended as an init system ends them, because that may be the host going down. Nothing is asked while nothing happens.

import type { Change } from '../core/change.js';
import { mayBeWanted } from '../core/death.js';
import type { HostPhase } from '../core/time.js';
import type { Sink } from '../keeper/ports.js';

export interface HostWatchParts {
  readonly ask: () => Promise<HostPhase>;
  readonly turn: (to: HostPhase) => void;
  /** Milliseconds after which booting counts as done. */
  readonly bootGrace: number;
  /** Milliseconds since the machine started. */
  readonly uptime: () => number;
}

/** How often a booting host is asked. */
const askEvery = 1000;

export class HostWatch implements Sink {
  readonly #parts: HostWatchParts;
  #timer: NodeJS.Timeout | null = null;
  #asking: 'no' | 'yes' = 'no';

  constructor(parts: HostWatchParts) {
    this.#parts = parts;
  }

  /** The phase at the beginning; goes on asking while it is `booting`. */
  async begin(): Promise<HostPhase> {
    const phase = await this.#parts.ask();
    if (phase !== 'booting' || this.#graceIsOver()) return phase === 'booting' ? 'up' : phase;
    this.#askLater();
    return phase;
  }

  tell(changes: readonly Change[]): void {
    if (changes.some(({ what }) => what.type === 'died' && mayBeWanted(what.death))) this.#askNow();
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #graceIsOver(): boolean {
    return this.#parts.uptime() >= this.#parts.bootGrace;
  }

  #askLater(): void {
    this.#timer = setTimeout(() => this.#askNow(), askEvery);
  }

  #askNow(): void {
    if (this.#asking === 'yes') return;
    this.#asking = 'yes';
    this.#parts.ask().then(
      (phase) => {
        this.#asking = 'no';
        const booting = phase === 'booting' && !this.#graceIsOver();
        if (booting) this.#askLater();
        this.#parts.turn(booting ? 'booting' : phase === 'booting' ? 'up' : phase);
      },
      () => {
        this.#asking = 'no';
      },
    );
  }
}
