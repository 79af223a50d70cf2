// What a simulated program does once it is executed, as small values that combine: `program(lives, ignoresTerm)`.
// Only describes; simulated-host.ts acts it out.

export type Life =
  | { readonly type: 'lives' }
  | { readonly type: 'exits'; readonly after: number; readonly code: number }
  | { readonly type: 'dies'; readonly after: number; readonly signal: `SIG${string}`; readonly core: boolean };

export interface Program {
  /** Why it cannot be executed; null: it can. */
  readonly refused: { readonly errno: string; readonly detail: string } | null;
  readonly life: Life;
  /** What SIGTERM, SIGINT and SIGQUIT do to it. */
  readonly onTerm:
    | { readonly type: 'dies' }
    | { readonly type: 'ignores' }
    | { readonly type: 'exits'; readonly after: number; readonly code: number };
  /** `sleeps`: in a call of the kernel that nothing interrupts; SIGKILL waits for `SimulatedHost.release`. */
  readonly onKill: 'dies' | 'sleeps';
  /** Forked at once, in its group. */
  readonly children: readonly Program[];
  /** Daemons that it leaves behind in sessions of their own. */
  readonly daemons: readonly Daemon[];
  /** What a stop command does: ends every process of that executable. */
  readonly ends: { readonly exe: string; readonly after: number } | null;
  /** The socket that it binds at once; where there is something at that path already, it ends with code 1. */
  readonly binds: string | null;
  /** How long after its start its readiness shows; null: never. */
  readonly readyAfter: number | null;
  /** What whoever asks it finds, and from when on it does not answer any more; null: it does not come to that. */
  readonly doing: Doing;
  readonly hangsAfter: number | null;
  /** How often it says that it lives; null: never. What hangs or stands still says nothing. */
  readonly pings: number | null;
  /** What it does on the hand-over channel; null: it does not know that there is one. */
  readonly manners: Manners | null;
}

/** How a generation behaves in a hand-over. */
export interface Manners {
  /** As the old one, told to write its state: what comes of it, and when. */
  readonly exports: { readonly after: number; readonly as: 'written' | 'none' | 'failed' | 'never' };
  /** As the new one: does it ask for the state of the old one before it says anything else? */
  readonly wants: 'state' | 'nothing';
  /** What it says once it has all that it needs; after its `readyAfter`. */
  readonly verdict: 'ready' | 'refused' | 'silence';
  /** As a new one that was not accepted yet, when the keeper is gone. */
  readonly orphaned: 'exits' | 'waits';
}

/** What a heartbeat finds: `wrong` answers at once, and not what was wanted; `unreachable` cannot be asked. */
export type Doing = 'its work' | 'wrong' | 'hangs' | 'unreachable';

export interface Daemon {
  readonly after: number;
  readonly argv: readonly string[];
  readonly program: Program;
  /** Written once the daemon runs. */
  readonly pidFile: { readonly path: string; readonly after: number } | null;
}

const plain: Program = {
  refused: null,
  life: { type: 'lives' },
  onTerm: { type: 'dies' },
  onKill: 'dies',
  children: [],
  daemons: [],
  ends: null,
  binds: null,
  readyAfter: 0,
  doing: 'its work',
  hangsAfter: null,
  pings: null,
  manners: null,
};

/** A program with these traits; later ones win, what none says is that of a plain program that lives. */
export function program(...traits: readonly Partial<Program>[]): Program {
  return Object.assign({}, plain, ...traits) as Program;
}

export const lives: Partial<Program> = { life: { type: 'lives' } };

export const exitsAfter = (after: number, code: number): Partial<Program> => ({ life: { type: 'exits', after, code } });

export const diesAfter = (after: number, signal: `SIG${string}`, core = false): Partial<Program> => ({
  life: { type: 'dies', after, signal, core },
});

export const ignoresTerm: Partial<Program> = { onTerm: { type: 'ignores' } };

export const drains = (after: number, code = 0): Partial<Program> => ({ onTerm: { type: 'exits', after, code } });

export const sleepsInKernel: Partial<Program> = { onTerm: { type: 'ignores' }, onKill: 'sleeps' };

export const forks = (...children: readonly Program[]): Partial<Program> => ({ children });

export const refused = (errno: string): Partial<Program> => ({
  refused: { errno, detail: `cannot execute: ${errno}` },
});

export const binds = (path: string): Partial<Program> => ({ binds: path });

export const readyAfter = (length: number | null): Partial<Program> => ({ readyAfter: length });

export const does = (doing: Doing): Partial<Program> => ({ doing });

/** It lives on, and does its work no more. */
export const hangsAfter = (length: number): Partial<Program> => ({ hangsAfter: length });

/** It says that it lives so often. */
export const pings = (every: number): Partial<Program> => ({ pings: every });

/** It knows the hand-over channel: it gives its state and takes one, unless told otherwise. */
export const handsOver = (wish: Partial<Manners> = {}): Partial<Program> => ({
  manners: {
    exports: { after: 20, as: 'written' },
    wants: 'state',
    verdict: 'ready',
    orphaned: 'exits',
    ...wish,
  },
});

/** A stop command: after a while every process of that executable gets SIGTERM. */
export const ends = (exe: string, after = 5): Partial<Program> => ({ ends: { exe, after } });

/** A start command as /etc/init.d has them: the daemon is there a while after, then the command itself ends with this code. */
export function startsDaemon(
  argv: readonly string[],
  daemon: Program,
  { after = 20, exit = 30, code = 0, pidFile = null as string | null, pidFileAfter = 0 } = {},
): Program {
  return program(exitsAfter(exit, code), {
    daemons: [
      { after, argv, program: daemon, pidFile: pidFile === null ? null : { path: pidFile, after: pidFileAfter } },
    ],
  });
}
