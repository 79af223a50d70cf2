// Runs the commands that stand for failed heartbeats (`then: {exec}`), each with a deadline, and says what came of them. What
// such a command does may end the service that it is about: it is not ended with that. It must not know how it is started.

import type { Effect } from '../core/effect.js';
import { seconds } from '../core/time.js';
import type { Post } from '../keeper/ports.js';
import type { Errand, ErrandEnd } from './errand.js';

type React = Extract<Effect, { type: 'react' }>;

/** As long as a stop command is given, by the same default. */
const LONGEST = seconds(90);

export interface ReactionParts {
  readonly post: Post;
  /** Never rejects. */
  readonly run: (errand: Errand) => Promise<ErrandEnd>;
}

export class Reactions {
  readonly #parts: ReactionParts;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(parts: ReactionParts) {
    this.#parts = parts;
  }

  begin({ spec, heartbeat, command, env }: React): void {
    const { run, post } = this.#parts;
    const limit = new AbortController();
    const longest = command.timeout ?? LONGEST;
    const timer = setTimeout(() => limit.abort(), longest);
    this.#timers.add(timer);
    void run({ role: 'react', spec, command, env, signal: limit.signal }).then((end) => {
      clearTimeout(timer);
      this.#timers.delete(timer);
      const problem = limit.signal.aborted ? `did not end within ${longest / 1000} s, killed` : problemOf(end);
      post({ type: 'reacted', service: spec.name, heartbeat, problem });
    });
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }
}

function problemOf(end: ErrandEnd): string | null {
  switch (end.type) {
    case 'exited':
      return end.code === 0 ? null : `exit code ${end.code}`;
    case 'signaled':
      return `killed by ${end.signal}`;
    case 'unknown':
      return 'how it ended is not known';
    case 'failed':
      return end.detail;
  }
}
