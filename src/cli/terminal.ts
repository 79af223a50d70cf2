// The two streams that a command writes to, and what surrounds it: everything of the process that the commands see.
// A reader that goes away (`upkeep logs -f | head -1`) ends the command quietly. Knows nothing of what is written.

import { homedir, hostname } from 'node:os';
import type { Who } from './places.js';

export interface Terminal {
  readonly out: Output;
  readonly err: Output;
  readonly who: Who;
  readonly hostName: string;
  /** Asks a person one line; null: there is nobody to ask. */
  readonly ask: (question: string) => Promise<string | null>;
  /** Calls back at Ctrl-C instead of ending; returns how to stop that. */
  readonly onInterrupt: (callback: () => void) => () => void;
}

export interface Output {
  /** Resolves when more may be written; `closed`: nobody reads any more. */
  readonly write: (data: string | Uint8Array) => Promise<'open' | 'closed'>;
  /** The width in columns; null: no terminal. */
  readonly columns: () => number | null;
  /** The height in lines; null: no terminal. */
  readonly rows: () => number | null;
  /** `yes`: may be coloured and rewritten. */
  readonly colours: 'yes' | 'no';
  /** Aborted when nobody reads any more. */
  readonly closed: AbortSignal;
}

/** The terminal that this process was started from. */
export function processTerminal(): Terminal {
  const out = outputTo(process.stdout);
  return {
    out,
    err: outputTo(process.stderr),
    who: { uid: process.getuid?.() ?? 0, env: process.env, home: homedir(), cwd: process.cwd() },
    hostName: hostname(),
    ask: askPerson,
    onInterrupt: (callback) => {
      process.on('SIGINT', callback);
      return () => process.off('SIGINT', callback);
    },
  };
}

function outputTo(stream: NodeJS.WriteStream): Output {
  const closed = new AbortController();
  // EPIPE comes as an event too, and an event that nobody hears would end the process with a stack.
  stream.on('error', () => closed.abort());
  return {
    closed: closed.signal,
    colours: stream.isTTY && !process.env.NO_COLOR && process.env.TERM !== 'dumb' ? 'yes' : 'no',
    // A terminal that does not know its size says 0: a serial line.
    columns: () => (stream.isTTY ? stream.columns || 80 : null),
    rows: () => (stream.isTTY ? stream.rows || 24 : null),
    write: (data) =>
      new Promise((resolve) => {
        if (closed.signal.aborted) resolve('closed');
        else stream.write(data, (error) => resolve(error ? 'closed' : 'open'));
      }),
  };
}

async function askPerson(question: string): Promise<string | null> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return null;
  const { createInterface } = await import('node:readline');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  return new Promise((resolve) => {
    // Ctrl-C and Ctrl-D are an answer too: not yes.
    const onClose = (): void => {
      process.stderr.write('\n');
      resolve('');
    };
    lines.once('close', onClose);
    lines.question(question, (answer) => {
      lines.off('close', onClose);
      lines.close();
      resolve(answer);
    });
  });
}
