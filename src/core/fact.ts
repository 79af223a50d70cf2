// Vocabulary: the facts that the state functions answer. Wishes (what operators and configurations ask) are in `wish.ts`.

import type { ServiceEvent } from './event.js';

export type Fact = Extract<
  ServiceEvent,
  {
    readonly type:
      | 'spawned'
      | 'spawnFailed'
      | 'exited'
      | 'looked'
      | 'becameReady'
      | 'prepared'
      | 'emptied'
      | 'deadlinePassed';
  }
>;
