// Vocabulary: what all processes of a service take together. How it is measured is in kernel/usage.ts; whether that is too
// much, in heartbeats/process.ts.

export type Usage =
  | {
      readonly type: 'measured';
      readonly processes: number;
      /** Bytes that it would take with it: its own memory, shared memory, and what of both is swapped out; no files. At most so much, and exactly where that decides. */
      readonly memory: number;
      /** Percent of one processor since the last question of this heartbeat; null: there is no such time yet. */
      readonly cpu: number | null;
      readonly threads: number;
      /** null: not asked for, or not to be seen by this keeper. */
      readonly openFiles: number | null;
    }
  /** The main process has ended meanwhile, or may not be seen. */
  | { readonly type: 'unseen' };
