// Vocabulary: a command as the operator wrote it.

import type { Millis } from './time.js';

/** A program and its arguments; never a shell's line. `timeout` null: no deadline. `user` null: the service's. */
export interface Command {
  readonly argv: readonly string[];
  readonly timeout: Millis | null;
  readonly user: string | null;
}
