// The keeper replaced by the program on disk: rehearsed first in a process of its own, then execve in place, under the same
// pid and with the same children (docs/decisions/0004). Until the very call nothing is given up: whatever fails before it
// leaves the keeper as it was, and the reason is told.

import { ControlError } from '../control/control-error.js';
import { errorText } from '../core/error-text.js';
import type { Level } from '../core/message.js';
import { bequeath } from '../kernel/inheritance.js';
import { replaceImage } from '../kernel/replace-image.js';
import type { ControlSocket } from './control-socket.js';
import { type Rehearsed, rehearse, type Successor } from './successor.js';

export interface UpgradeParts {
  readonly version: string;
  readonly successor: () => Successor;
  /** The descriptor of the lock. */
  readonly lock: () => number;
  readonly control: ControlSocket;
  /** Resolves when nothing waits for the disk any more, or late. */
  readonly flush: (within: number) => Promise<'done' | 'late'>;
  readonly say: (level: Level, text: string) => void;
  /** Called when everything is decided, and the last word may still be written. */
  readonly beforeReplacing: () => void;
}

/** What the asker is told before it happens. */
export interface Promised {
  readonly version: string;
  readonly was: string;
}

/** Loading takes a third of a second; on a host that is overloaded, a hundred times that. */
const rehearsalWithin = 30_000;
/** For what the disk has to do already, a thousand logs after a start: everything goes on meanwhile. */
const idleWithin = 20_000;
/** As an ending keeper gives the disk for its last words; nobody is answered meanwhile. */
const flushWithin = 2_000;
/** For answers that are under way. Who follows events or waits for more is hung up on: it would not end. */
const answersWithin = 300;

export class Upgrade {
  readonly #parts: UpgradeParts;
  readonly #ending = new AbortController();
  #doing: 'nothing' | 'rehearsal' | 'replacement' = 'nothing';

  constructor(parts: UpgradeParts) {
    this.#parts = parts;
  }

  /** Resolves when it is sure to be tried. @throws ControlError: refused, the keeper goes on */
  async ask(): Promise<Promised> {
    if (this.#doing !== 'nothing') throw new ControlError(409, 'upgrade-under-way', 'an upgrade is under way already');
    const { version: was, say } = this.#parts;
    this.#doing = 'rehearsal';
    const successor = this.#parts.successor();
    const rehearsed = await this.#mayReplace(successor);
    if (rehearsed.type === 'refused') {
      this.#doing = 'nothing';
      say('error', `not upgraded, ${was} goes on: ${rehearsed.reason}`);
      throw new ControlError(409, 'upgrade-refused', `not upgraded, ${was} goes on: ${rehearsed.reason}`);
    }
    const { version } = rehearsed;
    this.#doing = 'replacement';
    // From here on nobody new is accepted: the next one who is answered is answered by the new program, or by us, to whom
    // it came to nothing.
    void this.#replace(successor, version, this.#parts.control.pause(answersWithin));
    return { version, was };
  }

  /** The keeper ends: nothing is replaced any more. */
  close(): void {
    this.#ending.abort();
  }

  async #mayReplace(successor: Successor): Promise<Rehearsed> {
    const rehearsed = await rehearse(successor, rehearsalWithin, this.#ending.signal);
    if (rehearsed.type === 'refused') return rehearsed;
    // A thread that hangs in a call to a disk cannot be ended, and execve would wait for it for ever.
    if ((await this.#parts.flush(idleWithin)) === 'late')
      return { type: 'refused', reason: 'the disk does not answer; try again when it does' };
    return rehearsed;
  }

  async #replace(successor: Successor, version: string, answered: Promise<void>): Promise<void> {
    const { control, say, version: was } = this.#parts;
    await answered;
    say('notice', `replacing this program, upkeep ${was}, by upkeep ${version}`);
    const why = await this.#tryReplacing(successor).catch(errorText);
    if (this.#ending.signal.aborted) return;
    say('error', `not upgraded, ${was} goes on: ${why}`);
    this.#doing = 'nothing';
    try {
      await control.resume();
    } catch {
      // Out of descriptors, for one: a socket that is made anew is tried until it is there.
      await control.renew().catch((error: unknown) => say('error', `the control socket is lost: ${errorText(error)}`));
    }
  }

  /** Resolves to why it came to nothing. */
  async #tryReplacing({ path, script, args, env }: Successor): Promise<string> {
    const { control, flush, beforeReplacing } = this.#parts;
    const lock = this.#parts.lock();
    beforeReplacing();
    const flushed = await flush(flushWithin);
    if (this.#ending.signal.aborted) return 'it is asked to end';
    if (flushed === 'late') return 'the disk does not answer';
    return replaceImage({
      path,
      argv: [process.argv0, ...script, ...args],
      env: bequeath(env, { lock, ...control.legacy }),
      keep: [lock, ...Object.values(control.legacy)],
    }).message;
  }
}
