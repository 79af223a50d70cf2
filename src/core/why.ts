// What `upkeep why` answers, versioned: the CLI, the control socket and whoever asks it read this.

import type { Finding, Mark, PostMortem } from './post-mortem.js';
import type { Remedy } from './remedy.js';
import type { ServiceStatus } from './status.js';

export type { Finding, Mark, PostMortem, Remedy };

export interface WhyDocument {
  readonly version: 1;
  readonly host: string;
  readonly time: string;
  readonly services: readonly Why[];
  /** Those that were asked for and are not for this host. */
  readonly elsewhere: readonly { readonly name: string; readonly hosts: string; readonly reason: string }[];
  /** `withheld`: output and command lines are not for whoever asked. */
  readonly details: 'shown' | 'withheld';
  /** Why the history could not be asked: then there is only what each service itself remembers. null: it answered. */
  readonly historyProblem: string | null;
}

export interface Why {
  readonly service: ServiceStatus;
  /** Why it is as it is, the sentence that explains most first. */
  readonly standing: { readonly asWanted: 'yes' | 'no'; readonly sentences: readonly string[] };
  /** What comes next by itself; null: nothing. */
  readonly next: string | null;
  /** What changes that. */
  readonly commands: readonly Remedy[];
  /** Of its last end, or of as many as are known: newest first. */
  readonly postMortems: readonly PostMortem[];
}
