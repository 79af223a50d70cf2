// A terminal (or a pipe) that keeps what a command prints, and that a test can press Ctrl-C on.

import type { CliPorts } from '../../src/cli/ports.js';
import type { Output, Terminal } from '../../src/cli/terminal.js';

export interface FakeTerminalOptions {
  /** null: a pipe. */
  readonly columns?: number | null;
  readonly colours?: 'yes' | 'no';
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly cwd?: string;
  /** What a person answers to a question; without it there is nobody to ask. */
  readonly answer?: string;
}

export interface FakeTerminal extends Terminal {
  readonly printed: () => string;
  readonly complained: () => string;
  /** Ctrl-C. */
  readonly interrupt: () => void;
  /** The reader of stdout goes away, as `head -1` does. */
  readonly hangUp: () => void;
  readonly questions: readonly string[];
}

export function fakeTerminal(options: FakeTerminalOptions = {}): FakeTerminal {
  const { columns = null, colours = 'no', env = {}, uid = 0, cwd = '/srv', answer } = options;
  const out = fakeOutput(columns, colours);
  const err = fakeOutput(columns, colours);
  const interrupted = new Set<() => void>();
  const questions: string[] = [];
  return {
    out: out.output,
    err: err.output,
    who: { uid, env: { HOME: '/nonexistent', ...env }, home: '/nonexistent', cwd },
    hostName: 'web1',
    ask: async (question) => {
      questions.push(question);
      return answer ?? null;
    },
    onInterrupt: (callback) => {
      interrupted.add(callback);
      return () => interrupted.delete(callback);
    },
    printed: out.text,
    complained: err.text,
    interrupt: () => {
      for (const callback of interrupted) callback();
    },
    hangUp: out.close,
    questions,
  };
}

/** Ports of which no heavy one may be used, unless the test brings it. */
export function fakePorts(terminal: Terminal, more: Partial<CliPorts> = {}): CliPorts {
  const unused = (name: string) => () => Promise.reject(new Error(`${name} was not to be used`));
  return {
    version: '1.2.3',
    terminal,
    runKeeper: unused('runKeeper'),
    rehearseKeeper: unused('rehearseKeeper'),
    once: unused('once'),
    match: unused('match'),
    logs: unused('logs'),
    installer: unused('installer'),
    whoKeeps: () => Promise.resolve(null),
    ...more,
  };
}

function fakeOutput(
  columns: number | null,
  colours: 'yes' | 'no',
): {
  readonly output: Output;
  readonly text: () => string;
  readonly close: () => void;
} {
  const chunks: Buffer[] = [];
  const closed = new AbortController();
  return {
    text: () => Buffer.concat(chunks).toString('utf8'),
    close: () => closed.abort(),
    output: {
      columns: () => columns,
      rows: () => (columns === null ? null : 24),
      colours,
      closed: closed.signal,
      write: async (data) => {
        if (closed.signal.aborted) return 'closed';
        chunks.push(Buffer.from(data));
        return 'open';
      },
    },
  };
}
