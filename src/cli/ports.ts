// What the commands need from the rest of the program. main.ts composes it, each part imported only when it is used:
// `upkeep status` is to answer before a person notices, so nothing but the client of the control socket is loaded for it.

import type { Places } from './places.js';
import type { Terminal } from './terminal.js';

export interface CliPorts {
  /** The version of this program. */
  readonly version: string;
  /** `processTerminal()` of terminal.ts; tests bring their own. */
  readonly terminal: Terminal;
  /** `upkeep run`: resolves to the exit code when the keeper ends. */
  readonly runKeeper: (options: RunOptions) => Promise<number>;
  /** `upkeep run --rehearse`: resolves when a keeper would run; throws what keeps it from that. */
  readonly rehearseKeeper: (options: RunOptions) => Promise<void>;
  /** `upkeep once` where no keeper answers: looks, repairs and says what it did on `terminal.out`. Resolves to the exit code. */
  readonly once: (options: OnceOptions) => Promise<number>;
  /** `upkeep match`: looks at the processes of this host. */
  readonly match: (pattern: string) => Promise<MatchAnswer>;
  /** `upkeep logs`: src/logs/read.ts and display.ts. */
  readonly logs: () => Promise<LogReader>;
  /** `upkeep install` and `uninstall`: src/install/. */
  readonly installer: (places: Places) => Promise<Installer>;
  /** No keeper answers here: who starts it again, and who stopped it, as a clause; null: nobody. */
  readonly whoKeeps: (places: Places) => Promise<string | null>;
}

export interface RunOptions {
  readonly places: Places;
  /** At its end the services go on. */
  readonly leave: 'yes' | 'no';
  /** Refuses to start with a broken file, also where there is a last good configuration. */
  readonly strict: 'yes' | 'no';
  /** The service whose end ends the keeper, with its exit code. */
  readonly exitWith: string | null;
  /** `upkeep run -- COMMAND`: keep this one, without a file. */
  readonly command: readonly string[] | null;
}

export interface OnceOptions {
  readonly places: Places;
}

export type MatchAnswer =
  /** It is no pattern. One sentence. */
  { readonly type: 'bad'; readonly problem: string } | { readonly type: 'looked'; readonly report: MatchReport };

export interface MatchReport {
  /** How the pattern was understood, like `executable /usr/sbin/sshd`. */
  readonly understood: string;
  /** Which one would be watched. */
  readonly main:
    | { readonly type: 'one'; readonly pid: number }
    | { readonly type: 'none' }
    | { readonly type: 'ambiguous'; readonly pids: readonly number[] };
  /** Those that match, then those that resemble it and do not. */
  readonly processes: readonly MatchedProcess[];
  /** Why not all could be seen; null when they could. */
  readonly unseen: string | null;
}

export interface MatchedProcess {
  readonly pid: number;
  readonly ppid: number;
  readonly user: string;
  /** The command line. */
  readonly command: string;
  /** `main`: the one to watch; `below`: matches, and an ancestor of it does too; `rival`: another topmost match; `other`: does not match. */
  readonly part: 'main' | 'below' | 'rival' | 'other';
  /** Why it matches, or why not. */
  readonly why: string;
}

export interface LogReader {
  /** Oldest first. Throws when a log is there and may not be read. */
  readonly read: (sources: readonly LogSource[], options: LogOptions) => AsyncIterable<LogLine>;
  /** The text of a line, made safe for a terminal. */
  readonly forTerminal: (line: Uint8Array) => string;
  /** Where the log of this service lies in the directory of logs. */
  readonly pathOf: (directory: string, service: string) => string;
}

export interface LogSource {
  readonly service: string;
  readonly path: string;
  /** `own`: ours, with archives and an index of times. `foreign`: a file that the daemon writes itself. */
  readonly kind: 'own' | 'foreign';
}

export interface LogOptions {
  readonly lines: number | 'all';
  /** Milliseconds since 1970. */
  readonly since: number | null;
  readonly follow: 'yes' | 'no';
  readonly signal: AbortSignal;
}

export interface LogLine {
  readonly service: string;
  readonly bytes: Uint8Array;
  /** Milliseconds since 1970; null where nobody knows. */
  readonly time: number | null;
  /** `more`: the line goes on in the next piece. `open`: it has no newline yet. */
  readonly ends: 'newline' | 'open' | 'more';
}

export interface Installer {
  /** What --via may be. */
  readonly ways: readonly string[];
  /** Touches nothing. `files`: it is not to be started now. */
  readonly plan: (via: string | null, want: 'start' | 'files') => InstallPlan;
  readonly removal: (via: string | null) => RemovalPlan;
}

export type InstallPlan =
  /** One sentence. */
  | { readonly type: 'refused'; readonly problem: string }
  | {
      readonly type: 'ready';
      readonly via: string;
      readonly chosen: 'by us' | 'by name' | 'before';
      readonly state: 'installed' | 'to do';
      /** What would be written and run, for people. */
      readonly lines: readonly string[];
      readonly startLine: string;
      /** The configuration that it runs by. */
      readonly config: string;
      /** The places that are new or different. */
      readonly written: readonly string[];
      /** How it comes back, in a sentence. */
      readonly keeps: string;
      /** What a person types to start it. */
      readonly startText: string;
      readonly notes: readonly string[];
      /** Throws a sentence. */
      readonly carryOut: () => void;
      /** Throws a sentence. */
      readonly start: () => void;
    };

export type RemovalPlan =
  | { readonly type: 'nothing' }
  /** One sentence. */
  | { readonly type: 'refused'; readonly problem: string }
  | {
      readonly type: 'ready';
      readonly via: string;
      readonly lines: readonly string[];
      /** Has the owner end the keeper, where it can; the services go on. */
      readonly stop: () => void;
      /** Whatever would start it again. Throws a sentence. */
      readonly takeAway: () => void;
      /** The pid of a guard that was told to end; null: there is none. */
      readonly endGuard: () => number | null;
      /** The pid of a keeper that is there, whether it answers or not; null: there is none. */
      readonly keeper: () => number | null;
      /** The traces. */
      readonly forget: () => void;
    };
