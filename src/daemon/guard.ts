// The guard: the small shell (lib/guard.sh) that starts this keeper again. Becomes one where the configuration wants it, and
// tells it when an end is meant. Knows the words between the two, not what the guard does.

import { fileURLToPath } from 'node:url';
import { replaceImage } from '../kernel/replace-image.js';
import type { Successor } from './successor.js';

const script = fileURLToPath(new URL('../../lib/guard.sh', import.meta.url));

export interface GuardSource {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly ppid: () => number;
  readonly kill: (pid: number, signal: NodeJS.Signals) => void;
}

/** `none`: nobody started us so. `gone`: it was there, and we have another parent now. */
export type GuardState = { readonly type: 'none' } | { readonly type: 'there' | 'gone'; readonly pid: number };

export class Guard {
  readonly #source: GuardSource;
  readonly #pid: number | null;
  /** The first life under this guard: a keeper that refuses to start will refuse the second time too. */
  #end: 'a surprise' | 'meant';

  constructor(source: GuardSource) {
    this.#source = source;
    const pid = Number(source.env.UPKEEP_GUARD);
    this.#pid = Number.isInteger(pid) && pid > 0 ? pid : null;
    this.#end = source.env.UPKEEP_GUARD_LIFE === '1' ? 'meant' : 'a surprise';
  }

  get state(): GuardState {
    if (this.#pid === null) return { type: 'none' };
    return { type: this.#source.ppid() === this.#pid ? 'there' : 'gone', pid: this.#pid };
  }

  /** What a status says of a guard that is gone; empty otherwise. */
  get problems(): readonly string[] {
    const { state } = this;
    if (state.type !== 'gone') return [];
    const remedy =
      this.#source.env.UPKEEP_OWNER === undefined
        ? '`upkeep shutdown --leave`, then start it anew'
        : '`upkeep install` puts it below a new one';
    return [`the guard (pid ${state.pid}) is gone: nobody starts this keeper again; ${remedy}`];
  }

  /** It keeps: an end that nobody asks for is a surprise from now on. */
  keeps(): void {
    this.#end = 'a surprise';
  }

  /** It was asked to end. */
  meant(): void {
    this.#end = 'meant';
  }

  /** The last word before the end. A parent that is not the guard would die of it. */
  farewell(): void {
    const { state } = this;
    if (this.#end === 'meant' && state.type === 'there') this.#source.kill(state.pid, 'SIGUSR1');
  }
}

/** Puts the guard in the place of this process, which starts the same call again below it. Returns only why it cannot. */
export function becomeGuard({ path, script: program, args, env }: Successor): Error {
  const argv = ['sh', script, path, ...program, ...args];
  return replaceImage({ path: '/bin/sh', argv, env, keep: [] });
}
