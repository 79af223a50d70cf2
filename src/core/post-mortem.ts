// Vocabulary of a post-mortem: what is known of one end, for people. The card of `upkeep why`, its JSON and the mails are made of it.

/** How sure it is. `unknown`: the source that would tell is missing, and `text` says which. */
export type Grade = 'seen' | 'inferred' | 'unknown';

/** A moment of the timeline. */
export interface Mark {
  readonly what: 'unhealthy' | 'sent' | 'died' | 'noticed' | 'stopped' | 'started' | 'ready' | 'failed';
  readonly time: string;
  /** Milliseconds after the first mark. */
  readonly after: number;
  readonly text: string;
}

/** One piece of evidence. `command` (the sender's command line) and `heartbeat-output` (what a program answered) are not for everybody. `source`: who says so, like `tracefs`, `kernel log`, `wait status`, `cgroup`. */
export interface Finding {
  readonly about:
    | 'status'
    | 'sender'
    | 'command'
    | 'heartbeat'
    | 'heartbeat-output'
    | 'oom'
    | 'fault'
    | 'core'
    | 'exec'
    | 'memory'
    | 'cpu'
    | 'uptime'
    | 'sleep'
    | 'said';
  readonly text: string;
  readonly grade: Grade;
  readonly source: string;
}

/** Another service that ended within the same second, or was moved by this end. */
export interface Neighbour {
  readonly service: string;
  readonly text: string;
  /** Milliseconds after this end; negative: before it. */
  readonly after: number;
}

export interface PostMortem {
  readonly incident: string;
  readonly service: string;
  readonly generation: number;
  readonly time: string;
  /** One sentence without a full stop. */
  readonly sentence: string;
  readonly timeline: readonly Mark[];
  readonly evidence: readonly Finding[];
  /** The last lines that it printed, oldest first, cleaned of control characters; null: they are not for whoever asks, or could not be read. */
  readonly output: readonly string[] | null;
  readonly neighbours: readonly Neighbour[];
}

const forOperators: readonly Finding['about'][] = ['command', 'heartbeat-output'];

/** What everybody may see of it: no output, no command lines. */
export const withoutDetails = (postMortem: PostMortem): PostMortem => ({
  ...postMortem,
  evidence: postMortem.evidence.filter(({ about }) => !forOperators.includes(about)),
  output: null,
});
