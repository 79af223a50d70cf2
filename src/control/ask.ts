// The body of POST /v1/services/NAME/VERB → an ask. Refuses what it does not understand, with what would do.

import type { Ask } from '../core/event.js';
import { type SignalName, signalNames } from '../core/process.js';
import { type WallTime, wallTime } from '../core/time.js';
import { ControlError } from './control-error.js';
import { parseDuration } from './duration.js';

const verbs = ['start', 'stop', 'restart', 'reload', 'hold', 'unhold', 'reset', 'signal'];

/** Throws a ControlError that says what is wrong. */
export function parseAsk(verb: string, body: unknown): Ask {
  const fields = new Fields(body);
  switch (verb) {
    case 'start':
    case 'restart':
      return { verb, reason: fields.reason() };
    case 'stop':
      return {
        verb,
        reason: fields.reason(),
        until: fields.until(),
        lasts: fields.flag('untilBoot') ? 'boot' : 'always',
      };
    case 'hold':
      return { verb, reason: fields.reason(), until: fields.until() };
    case 'reload':
    case 'unhold':
    case 'reset':
      return { verb };
    case 'signal':
      return { verb, signal: fields.signal() };
  }
  throw new ControlError(404, 'no-verb', `there is no verb ${verb}; there are ${verbs.join(', ')}`);
}

class Fields {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(body: unknown) {
    if (typeof body !== 'object' || body === null || Array.isArray(body))
      throw new ControlError(400, 'bad-body', 'the body is to be a JSON object');
    this.#values = { ...body };
  }

  /** At most 500 characters on one line: it is shown in tables and logs. */
  reason(): string | null {
    const { reason } = this.#values;
    if (reason === undefined || reason === null) return null;
    if (typeof reason !== 'string') throw new ControlError(400, 'bad-reason', '`reason` is to be a text');
    return reason
      .replace(/\p{Cc}+/gu, ' ')
      .trim()
      .slice(0, 500);
  }

  /** `for` is a length of time from now on. */
  until(): WallTime | null {
    const { for: length } = this.#values;
    if (length === undefined || length === null) return null;
    const ms = typeof length === 'string' ? parseDuration(length) : null;
    if (ms === null || ms === 0) throw new ControlError(400, 'bad-for', '`for` is to be a duration like 30m or 2h');
    return wallTime(Date.now() + ms);
  }

  flag(name: string): boolean {
    const value = this.#values[name];
    if (value === undefined || value === null) return false;
    if (typeof value !== 'boolean') throw new ControlError(400, 'bad-flag', `\`${name}\` is to be true or false`);
    return value;
  }

  signal(): SignalName {
    const { signal } = this.#values;
    if (typeof signal !== 'string') throw new ControlError(400, 'bad-signal', '`signal` is to be a name like SIGHUP');
    const name = signal.toUpperCase();
    const full: SignalName = name.startsWith('SIG') ? `SIG${name.slice(3)}` : `SIG${name}`;
    if (!signalNames.includes(full))
      throw new ControlError(400, 'bad-signal', `there is no signal ${signal}; there are ${signalNames.join(', ')}`);
    return full;
  }
}
