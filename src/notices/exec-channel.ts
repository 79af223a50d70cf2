// The channel `exec`: a program that gets the letter as JSON on its stdin, and the first notice in its environment. No shell
// is involved, and nothing of ours is left behind: a session of its own, killed as a whole at its deadline.

import type { Letter } from '../core/notice.js';
import type { Command } from '../core/spec.js';
import { iso } from '../core/time.js';
import { type Delivery, later, type Send } from './channel.js';
import { oneLine } from './clean.js';
import { jsonOf } from './letter-json.js';
import { subjectOf } from './letter-subject.js';
import { type Ended, run } from './program.js';

/** How a command is started: kernel/lone-command.ts. */
export type Prepare = (command: Command) => Prepared;
export type Prepared =
  | {
      readonly type: 'ready';
      readonly path: string;
      readonly argv: readonly string[];
      readonly env: Readonly<Record<string, string>>;
    }
  | { readonly type: 'refused'; readonly detail: string };

/** Of what it prints, for the reason of a failure. */
const LONGEST_REASON = 300;
const LONGEST_FIELD = 1000;
/** sysexits.h */
const EX_TEMPFAIL = 75;

export function execSender(command: Command, prepare: Prepare): Send {
  return async (letter, { signal, talk }) => {
    const prepared = prepare(command);
    if (prepared.type === 'refused') return later(prepared.detail);
    talk(`running ${command.argv.join(' ')}`);
    const { path, argv } = prepared;
    const env = { ...prepared.env, ...variablesOf(letter) };
    const over = new AbortController();
    // The collector may take AbortSignal.timeout away from AbortSignal.any; a timer it leaves alone.
    const timer = command.timeout === null ? null : setTimeout(() => over.abort(), command.timeout);
    const ended = await run({
      path,
      argv,
      env,
      input: `${jsonOf(letter)}\n`,
      signal: AbortSignal.any([signal, over.signal]),
    });
    if (timer !== null) clearTimeout(timer);
    if (ended.type !== 'not-started') repeat(ended.output, talk);
    return deliveryOf(ended, command, signal);
  };
}

function repeat(output: string, talk: (line: string) => void): void {
  for (const line of output.split('\n')) if (line.trim() !== '') talk(`it says: ${oneLine(line, LONGEST_REASON)}`);
}

function deliveryOf(ended: Ended, { argv, timeout }: Command, signal: AbortSignal): Delivery {
  const name = argv[0] ?? '';
  switch (ended.type) {
    case 'not-started':
      return later(`${name} cannot be started (${ended.code})`);
    case 'over': {
      const isLate = signal.aborted || timeout === null;
      const why = isLate
        ? 'was killed, because its time was over'
        : `did not end within ${timeout / 1000} s and was killed`;
      return later(withOutput(`${name} ${why}`, ended.output));
    }
    case 'killed':
      return later(withOutput(`${name} was killed by ${ended.by}`, ended.output));
    case 'exited': {
      const { code, output } = ended;
      if (code === 0) return { type: 'delivered', answer: withOutput(`${name} ended with exit code 0`, output) };
      const what =
        code === EX_TEMPFAIL ? 'asks to be tried again later (exit code 75)' : `ended with exit code ${code}`;
      return later(withOutput(`${name} ${what}`, output));
    }
  }
}

function withOutput(what: string, output: string): string {
  const last = oneLine(output.trim().split('\n').at(-1) ?? '', LONGEST_REASON);
  return last === '' ? what : `${what}: ${last}`;
}

/** The first notice, for programs that read no JSON. Cleaned, because shell scripts are careless. */
function variablesOf(letter: Letter): Readonly<Record<string, string>> {
  const { notices, host } = letter;
  const [first] = notices;
  const clean = (text: string | null): string => oneLine(text ?? '', LONGEST_FIELD);
  const variables: Record<string, string> = {
    UPKEEP_LETTER: letter.id,
    UPKEEP_CHANNEL: letter.channel,
    UPKEEP_HOST: clean(host),
    UPKEEP_COUNT: String(notices.length),
    UPKEEP_SUBJECT: subjectOf(letter),
    UPKEEP_NOTICE: first?.id ?? '',
    UPKEEP_KIND: first?.kind ?? '',
    UPKEEP_LABEL: first?.label ?? '',
    UPKEEP_TIME: first === undefined ? '' : iso(first.time),
    UPKEEP_SERVICE: clean(first?.service ?? null),
    UPKEEP_INCIDENT: clean(first?.incident ?? null),
    UPKEEP_HEADLINE: clean(first?.headline ?? null),
    UPKEEP_DESCRIPTION: clean(first?.description ?? null),
    UPKEEP_RUNBOOK: clean(first?.runbook ?? null),
    UPKEEP_REMINDER: String(first?.reminder ?? 0),
  };
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, value.replaceAll('\0', '')]));
}
