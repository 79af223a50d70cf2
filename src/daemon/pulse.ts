// The keeper's signs of life: one timer for the progress stamp, for WATCHDOG=1 where somebody waits for it, and for noticing
// that nobody was at home. It is the loop's own timer, so that a loop that hangs gives no sign. Knows no service but by count.

import type { Change } from '../core/change.js';
import { countOf } from '../core/message.js';
import type { ServiceSet } from '../core/state.js';
import type { Sink } from '../keeper/ports.js';
import type { SdNotify } from '../kernel/sd-notify.js';
import type { Progress } from './progress.js';

export interface PulseParts {
  readonly sdNotify: SdNotify;
  readonly progress: Progress;
  /** Of the watchdog, in ms; null: nobody waits. */
  readonly watchdog: number | null;
  readonly services: () => ServiceSet;
  /** Called with each beat, and how many milliseconds it came too late. */
  readonly onBeat: (late: number) => void;
}

/** A check finds the stamp stale after a minute. */
const stampEvery = 20_000;

export class Pulse implements Sink {
  readonly #parts: PulseParts;
  #timer: NodeJS.Timeout | null = null;
  #stamped = 0;
  #due = 0;
  #word: 'ready' | 'reloading' = 'ready';

  constructor(parts: PulseParts) {
    this.#parts = parts;
  }

  /** The keeper keeps: says so, and goes on giving signs of life until `close`. */
  begin(): void {
    const { sdNotify } = this.#parts;
    this.tell([]);
    sdNotify.ready();
    this.#beat();
  }

  /** STATUS= follows the services; nothing is sent where it stays as it was. */
  tell(_changes: readonly Change[]): void {
    if (this.#parts.sdNotify.isHeard) this.#parts.sdNotify.status(statusLine(this.#parts.services()));
  }

  /** The program is about to be replaced: the time for that begins now. */
  reloading(): void {
    this.#word = 'reloading';
    this.#parts.sdNotify.reloading();
  }

  /** The keeper is about to end; it goes on giving signs of life meanwhile. */
  stopping(): void {
    this.#parts.sdNotify.stopping();
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#parts.sdNotify.close();
  }

  #beat(): void {
    const { sdNotify, progress, watchdog, onBeat } = this.#parts;
    const now = performance.now();
    if (this.#word === 'reloading') {
      // Still this program: the replacement came to nothing, or is about to come, and the next one says READY too.
      this.#word = 'ready';
      sdNotify.ready();
    }
    if (watchdog !== null) sdNotify.watchdog();
    if (this.#stamped === 0 || now - this.#stamped >= stampEvery - 1000) {
      this.#stamped = now;
      progress.renew();
    }
    onBeat(this.#due === 0 ? 0 : Math.max(0, now - this.#due));
    const pause = Math.min(stampEvery, watchdog ?? stampEvery);
    this.#due = performance.now() + pause;
    this.#timer = setTimeout(() => this.#beat(), pause);
    this.#timer.unref();
  }
}

/** `keeping 12 services, 1 failed`. */
export function statusLine(services: ServiceSet): string {
  let failed = 0;
  for (const { state } of services.values()) if (state.name === 'failed') failed += 1;
  return `keeping ${countOf(services.size, 'service')}${failed === 0 ? '' : `, ${failed} failed`}`;
}
