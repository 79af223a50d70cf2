// Starts the courier as a process of its own, with as little of ours as it needs. Owns its pipes and what becomes of a
// courier that was sent away. It must not know which letters there are.

import { errorText } from '../core/error-text.js';
import type { Channel } from '../core/notice-spec.js';
import type { Companion, StartCompanion } from '../kernel/companion.js';
import { heardFrom, Lines, lineOf } from '../notices/post.js';
import { attend, chosen } from './companion-ears.js';
import type { CourierEars, CourierLink, StartCourier } from './courier-life.js';

/** A letter of the longest deadline, and more: whoever does not end by then hangs. */
const DISMISSAL_MS = 12 * 60_000;
/** An answer is a line; what a server says is cut before. */
const LONGEST_LINE = 64 * 1024;

/** What a program needs to find its files, its time and its language, and whom to believe. */
const PASSED = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LC_ALL', 'TZ', 'SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS'];
/** One for each channel that hangs in a file system, and some for names that are looked up. */
const THREADS = '16';

export const courierStarter =
  (outbox: string, startCompanion: StartCompanion, program = new URL('../courier.js', import.meta.url)): StartCourier =>
  (channels, ears) => {
    let courier: Companion;
    try {
      courier = startCompanion({
        argv: [process.execPath, program.pathname, outbox],
        env: { ...chosen([...PASSED, ...secretsOf(channels)]), UV_THREADPOOL_SIZE: THREADS },
      });
    } catch (error) {
      // Its ears expect an answer first.
      setImmediate(() => ears.gone(`it cannot be started: ${errorText(error)}`));
      return { say: () => {}, dismiss: () => {}, kill: () => {} };
    }
    listen(courier, ears);
    return linkTo(courier);
  };

function linkTo({ input, output, errors, ended, kill }: Companion): CourierLink {
  return {
    say: (message) => void input.write(lineOf(message)),
    dismiss: () => {
      input.end();
      // Nothing that it says is of use any more, and nobody waits at its pipes to end.
      output.destroy();
      errors.destroy();
      const patience = setTimeout(kill, DISMISSAL_MS);
      patience.unref();
      void ended.then(() => clearTimeout(patience));
    },
    kill,
  };
}

function listen(courier: Companion, { hear, gone }: CourierEars): void {
  const lines = new Lines((line) => {
    const message = heardFrom(line);
    if (message !== null) hear(message);
  }, LONGEST_LINE);
  attend(courier, { hear: (text) => lines.add(text), gone });
}

/** The variables in which secrets lie that its channels need, and no others. */
export const secretsOf = (channels: Readonly<Record<string, Channel>>): readonly string[] =>
  Object.values(channels).flatMap((channel) => {
    const secret =
      channel.type === 'webhook' && typeof channel.url !== 'string'
        ? channel.url
        : channel.type === 'mail' && channel.via.type === 'smtp'
          ? channel.via.password
          : null;
    return secret?.type === 'env' ? [secret.name] : [];
  });
