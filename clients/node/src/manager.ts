// What the three managers have in common, as `service` sees them, and what they may ask of this generation. Each has a folder.

import type { Writable } from 'node:stream';
import type { DrainReason } from './drain-reason.js';
import type { HeldSockets } from './held-sockets.js';
import type { Guarantees } from './mode.js';
import type { Notify } from './notify.js';
import type { Settings } from './options.js';
import type { IncomingState, ReadRules } from './state-reader.js';

export interface Manager {
  /** From 1; of systemd it is known only where a state has come. */
  readonly generation: number;
  readonly notify: Notify;
  /** What holds, beside the watchdog. */
  readonly guarantees: () => Omit<Guarantees, 'watchdog'>;
  /** Resolves when this generation may serve. */
  readonly mayAccept: Promise<void>;
  /** The state of the generation before; null: there is none. Asked once. @throws StateError */
  readonly incoming: (rules: ReadRules) => Promise<IncomingState | null>;
  /** Something is offered to the next generation now. */
  readonly offered: () => void;
  /** Says that this generation is ready, with other words, and resolves when it is accepted. */
  readonly ready: (words: readonly string[]) => Promise<boolean>;
  /** This generation listens now. */
  readonly serves: () => void;
  /** Tells whoever may care; the process ends afterwards. */
  readonly refuse: (reason: string) => Promise<void>;
  /** The pid of the next generation, which serves by then; 0: there is none yet. Has this one drain. @throws Error */
  readonly restart: (how: RestartOrder) => Promise<number>;
  /** This generation was told to end, by a signal. Tells why. */
  readonly leave: () => Promise<DrainReason>;
}

/** This generation, as its manager moves it. */
export interface Ward {
  readonly settings: () => Settings;
  readonly held: HeldSockets;
  /** The socket where others ask this generation for a restart; null: there is none. */
  readonly requests: () => RequestSocket | null;
  /** Has the program anything to give? */
  readonly hasState: () => boolean;
  /** Freezes and writes the state, with its end mark; returns its bytes. What fails is undone before it throws. */
  readonly send: (out: Writable, onProgress?: () => void) => Promise<number>;
  /** It came to nothing: what was frozen goes on. */
  readonly thaw: (reason: string) => Promise<void>;
  /** Has the program anything to finish? Otherwise it has its own way to end. */
  readonly canDrain: () => boolean;
  /** Finish, and end with this code. Never rejects. */
  readonly drain: (code: number, why: DrainReason) => Promise<void>;
}

export interface RestartOrder {
  readonly reason: string | null;
  /** `exit`: with the state left behind, and the agreed code; whoever started this process starts the next one. */
  readonly by: 'request' | 'exit';
}

export interface RequestSocket {
  readonly fd: number;
  readonly path: string;
}
