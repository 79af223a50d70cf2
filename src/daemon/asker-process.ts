// Starts an asker as a process of its own, behind setpriv, with nothing of ours but its pipes. It must not know which questions
// there are.

import { errorText } from '../core/error-text.js';
import { type FromAsker, heardFromAsker, lineOf, type ToAsker } from '../heartbeats/wire.js';
import type { AskerRights } from '../kernel/asker-rights.js';
import type { Companion, StartCompanion } from '../kernel/companion.js';
import { Lines } from '../notices/post.js';
import { attend, chosen } from './companion-ears.js';

/** An asker that was started. What it says and that it is gone comes by the ears that it was started with. */
export interface AskerLink {
  readonly say: (message: ToAsker) => void;
  /** Bytes that it has not taken yet. */
  readonly backlog: () => number;
  /** Nothing more will be said: it ends. */
  readonly dismiss: () => void;
  /** At once, also when it is stopped. */
  readonly kill: () => void;
}

export interface AskerEars {
  readonly hear: (message: FromAsker) => void;
  /** Once, also when it could not be started at all. `how`: what is said of it, like `ended: exit code 1`. */
  readonly gone: (how: string) => void;
}

/** Never throws, and answers before its ears are called. */
export type StartAsker = (rights: AskerRights, ears: AskerEars) => AskerLink;

/** An answer with its steps. */
const LONGEST_LINE = 64 * 1024;
/** Whom to believe, for TLS. */
const PASSED = ['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS'];
/** A name server that does not answer holds a thread for half a minute. libuv starts all of them at the first use; an idle one costs 8 KB. */
const THREADS = '16';
/** Megabytes. It keeps 64 KiB of an answer at most; what grows beyond all that is a mistake, which ends here. */
const MOST_HEAP = 128;
/** It ends at once when its stdin does; one that is stopped does not. */
const DISMISSAL_MS = 5000;

export const askerStarter =
  (
    startCompanion: StartCompanion,
    /** What is said in one piece is taken as one. */
    together: (work: () => void) => void,
    program = new URL('../asker.js', import.meta.url),
  ): StartAsker =>
  ({ uid, gid, groups, hop, env }, ears) => {
    const node = [process.execPath, `--max-old-space-size=${MOST_HEAP}`, program.pathname];
    let asker: Companion;
    try {
      asker = startCompanion({
        argv: [...hop, ...node, String(uid), String(gid), groups],
        env: { ...chosen(PASSED), ...env, UV_THREADPOOL_SIZE: THREADS },
      });
    } catch (error) {
      // Its ears expect an answer first.
      setImmediate(() => ears.gone(`cannot be started: ${errorText(error)}`));
      return { say: () => {}, backlog: () => 0, dismiss: () => {}, kill: () => {} };
    }
    const lines = new Lines((line) => {
      const message = heardFromAsker(line);
      if (message !== null) ears.hear(message);
    }, LONGEST_LINE);
    attend(asker, {
      hear: (text) => together(() => lines.add(text)),
      gone: (how) => together(() => ears.gone(`ended: ${how}`)),
    });
    return linkTo(asker);
  };

function linkTo({ input, ended, kill }: Companion): AskerLink {
  let unsaid = '';
  const say = (): void => {
    const text = unsaid;
    unsaid = '';
    if (text !== '' && input.writable) input.write(text);
  };
  return {
    // Whatever falls due at once is one write.
    say: (message) => {
      if (unsaid === '') setImmediate(say);
      unsaid += lineOf(message);
    },
    backlog: () => input.writableLength + unsaid.length,
    dismiss: () => {
      say();
      input.end();
      const patience = setTimeout(kill, DISMISSAL_MS);
      patience.unref();
      void ended.then(() => clearTimeout(patience));
    },
    kill,
  };
}
