// The parts of a question as they pass: which of them took how long, and what it says when the deadline finds one of them open.
// Knows no question, and asks no clock of its own.

import { countOf } from '../core/message.js';
import type { AskStep } from '../core/question.js';
import { inFineWords, type Millis, tenths } from '../core/time.js';
import { type Finding, failed, unasked } from './kind.js';

export interface Steps {
  readonly begin: (name: string, detail?: string) => void;
  /** By what the bytes are counted that come from now on. */
  readonly hears: (bytes: () => number) => void;
  /** Those that have ended, and with them the one that is open now. */
  readonly all: () => readonly AskStep[];
  /** The answer when the time is over now. */
  readonly late: (timeout: Millis) => Finding;
}

/** Those in which nobody has asked the service yet. */
const OURS: Readonly<Record<string, string>> = {
  resolve: 'the name was not resolved within',
  look: 'the file system did not answer within',
  queue: 'other questions took all turns for',
};

export function recordSteps(now: () => number): Steps {
  const ended: AskStep[] = [];
  let open: { readonly name: string; readonly since: number } | null = null;
  let bytes = (): number => 0;
  let before = 0;
  const close = (
    { name, since }: { readonly name: string; readonly since: number },
    detail: string | null,
  ): AskStep => ({
    name,
    ms: tenths(now() - since),
    detail,
  });
  return {
    begin: (name, detail) => {
      if (open !== null) ended.push(close(open, detail ?? null));
      open = { name, since: now() };
      before = bytes();
    },
    hears: (count) => {
      bytes = count;
      before = count();
    },
    all: () => (open === null ? ended : [...ended, close(open, null)]),
    late: (timeout) => latenessOf(ended, open?.name ?? null, bytes() - before, timeout),
  };
}

function latenessOf(ended: readonly AskStep[], open: string | null, heard: number, timeout: Millis): Finding {
  const within = `${timeout / 1000} s`;
  if (open === 'run') return failed(`did not end within ${within}, killed`);
  const ours = open === null ? undefined : OURS[open];
  if (ours !== undefined) return unasked(`${ours} ${within}`);
  const asked = ended.filter(({ name }) => OURS[name] === undefined);
  if (open === null) return failed(`no answer within ${within}`);
  if (asked.length === 0) return failed(`no answer within ${within} (in: ${open})`);
  const passed = asked.map(({ name, ms }) => `${name} ${inFineWords(ms)}`).join(', ');
  const then = heard > 0 ? `${countOf(heard, 'byte')} without an end` : 'silence';
  return failed(`no answer within ${within} (${passed}, then ${then}${open === 'answer' ? '' : ` in: ${open}`})`);
}
