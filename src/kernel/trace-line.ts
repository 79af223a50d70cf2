// The text of a tracefs trace_pipe → what it says of signals and of memory. Pure, and linear in the text: whoever likes may
// send a million signals a second. The names in it are chosen by whoever runs a program, blanks and line ends included; so
// a record is found by a word that is longer than any name, and read from there to both ends.

import { bytesIn } from './kilobytes.js';

/** What happened, and when: in milliseconds since boot, sleep included, and on the clock of start times (ticks of 10 ms). */
interface Timed {
  readonly at: number;
  readonly ticks: number;
}

export interface Signalled extends Timed {
  readonly type: 'signalled';
  /** A thread's number and name, in the first PID namespace; null: the kernel had not kept the name. */
  readonly sender: { readonly pid: number; readonly name: string | null };
  readonly signal: number;
  /** si_code: 0 kill(2), -6 tgkill(2), above 0 from the kernel itself. */
  readonly code: number;
  /** A thread's number and name too. */
  readonly target: number;
  readonly name: string;
}

/** The kernel's choice when memory ran out. */
export interface Starved extends Timed {
  readonly type: 'starved';
  readonly target: number;
  /** Bytes: memory of its own, and all of its address space; null before Linux 6.8. */
  readonly held: number | null;
  readonly mapped: number | null;
}

/** The ring was overwritten; null: the kernel does not say how often. */
export interface Lost {
  readonly type: 'lost';
  readonly count: number | null;
}

export type TraceRecord = Signalled | Starved | Lost;

// A name has at most 15 bytes: neither `signal_generate: sig=` nor `mark_victim: pid=` fits into one, nor into two with what
// stands between them.
const BODY = new RegExp(
  [
    String.raw`signal_generate: sig=(?<signal>\d+) errno=-?\d+ code=(?<code>-?\d+) comm=(?<comm>.{0,15}?) pid=(?<target>\d+) grp=\d+ res=\d+\n`,
    String.raw`mark_victim: pid=(?<victim>\d+)(?<sizes> comm=.{0,15}? total-vm=[^\n]*)?\n`,
    String.raw`^CPU:\d+ \[LOST (?:(?<lost>\d+) )?EVENTS\]\n`,
  ].join('|'),
  'gms',
);
/** What stands before the word, behind whatever is no record at all. */
const HEAD =
  /^(?:.*\n)?? *(?<name>.{0,15})-(?<pid>\d+) +(?:\([ \d-]+\) +)?\[\d+\] \S+ +(?<seconds>\d+)\.(?<fraction>\d+): $/s;
const SIZES = / total-vm=(?<mapped>\d+)kB anon-rss=(?<held>\d+)kB/;
/** A head is shorter; what is no record is not looked at for longer. */
const HEAD_LENGTH = 256;

type Words = Readonly<Record<string, string | undefined>>;

/** Whole records of `text`; what is no record, or not one of these, is left out. */
export function parseTrace(text: string): readonly TraceRecord[] {
  const records: TraceRecord[] = [];
  let end = 0;
  for (const match of text.matchAll(BODY)) {
    const head = text.slice(Math.max(end, match.index - HEAD_LENGTH), match.index);
    const record = recordOf(head, match.groups ?? {});
    if (record !== null) records.push(record);
    end = match.index + match[0].length;
  }
  return records;
}

function recordOf(head: string, body: Words): TraceRecord | null {
  const { signal, code, comm, target, victim, sizes, lost } = body;
  if (signal === undefined && victim === undefined)
    return { type: 'lost', count: lost === undefined ? null : Number(lost) };
  const known = HEAD.exec(head)?.groups;
  if (known === undefined) return null;
  const seconds = Number(known.seconds);
  const fraction = Number(`0.${known.fraction}`);
  const time: Timed = { at: seconds * 1000 + fraction * 1000, ticks: seconds * 100 + Math.floor(fraction * 100) };
  if (victim !== undefined) {
    const size: Words = SIZES.exec(sizes ?? '')?.groups ?? {};
    return { type: 'starved', ...time, target: Number(victim), held: bytesIn(size.held), mapped: bytesIn(size.mapped) };
  }
  return {
    type: 'signalled',
    ...time,
    sender: { pid: Number(known.pid), name: known.name === '<...>' ? null : (known.name ?? null) },
    signal: Number(signal),
    code: Number(code),
    target: Number(target),
    name: comm ?? '',
  };
}
