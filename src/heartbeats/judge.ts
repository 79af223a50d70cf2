// What an error of the system says about the service that was asked, the same for all kinds. Knows no question and no socket.

import { errorCode, errorText } from '../core/error-text.js';
import { type Finding, failed, unasked } from './kind.js';

/** Ends a question from within, with what was found. */
export class Verdict extends Error {
  readonly finding: Finding;

  constructor(finding: Finding) {
    super(finding.detail);
    this.finding = finding;
  }
}

/**
 * Whom it is about. `way`: no road leads there, as where a host has no IPv6; others may have one. `us`: what we lack says
 * nothing at all, not even beside an address that has refused.
 */
export interface Meaning {
  readonly about: 'service' | 'way' | 'us';
  /** Followed by whom: `refused by` */
  readonly words: string;
}

const MEANINGS: Readonly<Record<string, Meaning>> = {
  ECONNREFUSED: { about: 'service', words: 'refused by' },
  ECONNRESET: { about: 'service', words: 'reset by' },
  ECONNABORTED: { about: 'service', words: 'reset by' },
  EPIPE: { about: 'service', words: 'reset by' },
  ETIMEDOUT: { about: 'service', words: 'no answer from' },
  // Of Unix sockets: the service has not made it, or takes nothing from its full queue.
  ENOENT: { about: 'service', words: 'no socket at' },
  ENOTDIR: { about: 'service', words: 'no socket at' },
  EAGAIN: { about: 'service', words: 'full queue at' },
  EHOSTUNREACH: { about: 'way', words: 'no route to' },
  ENETUNREACH: { about: 'way', words: 'no route to' },
  EHOSTDOWN: { about: 'way', words: 'no route to' },
  ENETDOWN: { about: 'way', words: 'no route to' },
  EAFNOSUPPORT: { about: 'way', words: 'no such network for' },
  EADDRNOTAVAIL: { about: 'way', words: 'no address of ours for' },
  // A socket of datagrams, which nobody can connect a stream to.
  EPROTOTYPE: { about: 'us', words: 'no stream socket at' },
  EACCES: { about: 'us', words: 'no permission for' },
  EPERM: { about: 'us', words: 'no permission for' },
  EMFILE: { about: 'us', words: 'no descriptors left for' },
  ENFILE: { about: 'us', words: 'no descriptors left for' },
  ENOMEM: { about: 'us', words: 'no memory left for' },
  ENOBUFS: { about: 'us', words: 'no memory left for' },
};

/** What is not known is not held against a service. */
export function meaningOf(error: unknown): Meaning {
  const code = errorCode(error, errorText(error));
  return MEANINGS[code] ?? { about: 'us', words: `${code}:` };
}

/** What was found where a question threw. `whom` ends the sentence: `reset by the server`. */
export function judge(error: unknown, whom = 'the server'): Finding {
  if (error instanceof Verdict) return error.finding;
  const { about, words } = meaningOf(error);
  return about === 'service' ? failed(`${words} ${whom}`) : unasked(`${words} ${whom}`);
}
