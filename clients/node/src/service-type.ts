// What `service` can do for a program. The same words under every manager; `mode` says what stands behind them.

import type { Server } from 'node:net';
import type { DrainReason } from './drain-reason.js';
import type { Mode } from './mode.js';
import type { Offer, Received } from './offer.js';
import type { Options } from './options.js';
import type { NamedDescriptor } from './sockets.js';

export interface Service {
  /** Who runs this process, and what holds now. */
  readonly mode: Mode;
  /** Which generation of the service this is, from 1. */
  readonly generation: number;
  /** The sockets that were opened for this process. Names may come more than once. */
  readonly sockets: readonly NamedDescriptor[];
  /** To be said before `ready`. */
  configure(options: Options): void;

  /**
   * Has a server listen on the socket of that name; where there is none, at `address`, which then is the socket that a successor
   * gets. In a generation that gets ready beside another one it resolves at once, and listens when this one is accepted.
   */
  listen(server: Server, name: string, address?: Address): Promise<void>;
  /** Registers a server that listens already, under a name, for a successor. `listen` does it by itself. */
  hold(server: Server, name: string): void;
  /** Resolves when this generation may take connections: at once, unless another one still serves. Never rejects. */
  readonly mayAccept: Promise<void>;

  /**
   * Says READY=1, waits until this generation is accepted, and has its servers listen. False: nobody was told.
   * @throws StateError where the state of the generation before was not whole
   */
  ready(words?: { readonly status?: string }): Promise<boolean>;
  /** One line for people, in `upkeep status` and `systemctl status`. */
  status(text: string): Promise<boolean>;
  /** Says that the configuration is read anew; `ready` says that it is done. `onReload` does both. */
  reloading(): Promise<boolean>;
  /** SIGHUP: says RELOADING=1, calls this, says READY=1. One at a time. */
  onReload(reload: () => Promise<void> | void): void;
  /** Says that this generation has begun to end. */
  stopping(words?: { readonly status?: string }): Promise<boolean>;
  /**
   * Called once when this generation is to take no more and to finish what it has begun: on SIGTERM and SIGINT, and when another
   * generation has taken over. `why` tells which: at a `stop` somebody waits, and has little patience. The process ends when all
   * of these have resolved; a second SIGTERM does not end it sooner, a second Ctrl-C of a program that nobody manages does.
   */
  onDrain(drain: (why: DrainReason) => Promise<void> | void): void;

  /** The state of the generation before; null: there is none. Asked again, the same. @throws StateError */
  receive(): Promise<Received | null>;
  /**
   * What `load` makes of it; null: there is no state. Where `load` throws and another generation can go on, this one refuses with
   * that text; where none can, it throws.
   */
  receive<T>(load: (state: Received) => Promise<T> | T): Promise<T | null>;
  /** What this generation gives to the next one. */
  onHandover(offer: Offer): void;
  /** This generation will not take over: tells why, and ends with 1. The old one goes on where the mode can do that. */
  refuse(reason: string): Promise<never>;
  /**
   * Has the next generation take over. Resolves with its pid; this generation drains then. Under systemd it resolves with 0 when
   * the state is stored, and this process ends with `restartCode` when it has drained. With `handover: {mode: replace}` it does not resolve: this process ends before the next one starts.
   * @throws Error that says why this generation goes on
   */
  restart(request?: RestartRequest): Promise<number>;
}

export interface RestartRequest {
  /** For the history of the keeper. */
  readonly reason?: string;
  /**
   * `exit`: under Upkeep too the state is stored and the process ends with `restartCode`, which `restart.alwaysAfter` has to
   * name, without asking the keeper. Nobody can refuse then. Alone it is the same as `request`, the default.
   */
  readonly by?: 'request' | 'exit';
}

/** Where to listen when nobody opened a socket. `mode`: permission bits of a Unix socket. */
export type Address =
  | { readonly port: number; readonly host?: string; readonly backlog?: number }
  | { readonly path: string; readonly mode?: number; readonly backlog?: number };
