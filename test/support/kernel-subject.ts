// What the kernel contract is run on: one kernel, the programs that it can start, and a way to wait. Made by
// real-kernel.ts on this machine, and by the contract test itself on the simulated host.

import type { Event } from '../../src/core/event.js';
import type { ProcessRef } from '../../src/core/process.js';
import type { Command } from '../../src/core/spec.js';
import type { Kernel } from '../../src/keeper/ports.js';

/** Commands whose processes do what the name says, in the main process unless said otherwise. */
export interface Programs {
  lives(): Command;
  exits(code: number): Command;
  /** By this signal, with a core where the machine allows one. */
  dies(signal: `SIG${string}`): Command;
  missing(): Command;
  /** Binds a socket to this path, or exits with 1 where there is something. */
  binds(path: string): Command;
  /** It obeys SIGTERM, its child in the same group does not. */
  leavesDeafChild(): Command;
  /** Brings up a daemon at this path, in a session of its own, and hangs. */
  startsAndHangs(daemon: string): Command;
}

export interface Subject {
  readonly kernel: Kernel;
  readonly events: readonly Event[];
  readonly programs: Programs;
  /** A path that a daemon of `startsAndHangs` may have. */
  readonly daemonPath: string;
  /** A path that nobody else has. */
  pathOf(name: string): string;
  /** What is there; null: nothing. */
  at(path: string): 'socket' | 'file' | 'directory' | null;
  place(path: string, what: 'file' | 'directory'): void;
  /** Lets time pass until it holds; throws after a generous while. */
  until(what: string, holds: () => boolean): Promise<void>;
  /** Lets enough pass that what was going to happen has happened. */
  quiet(): Promise<void>;
  /** Is it there, and no zombie? */
  isAlive(process: ProcessRef): boolean;
  /** Has it ended, and its parent asked about it? */
  isReaped(process: ProcessRef): boolean;
  /** Ends it from outside, as anybody else might. */
  kill(process: ProcessRef, signal: `SIG${string}`): void;
  /** Has a `leavesDeafChild` come so far? */
  hasDeafChild(process: ProcessRef): boolean;
  /** Who is in the group of this process. */
  groupOf(process: ProcessRef): readonly number[];
  /** Of the daemons of `startsAndHangs`. */
  daemons(): readonly number[];
  /** A process that the kernel did not start; it ends with this code when it is told to. */
  stranger(): Promise<ProcessRef>;
  close(): Promise<void>;
}
