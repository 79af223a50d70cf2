// The text of a tracefs trace_pipe → what it says of signals and of memory. Pure. The names in it are chosen by whoever
// runs a program, blanks and line ends included, so that a record is read from its ends, never split at blanks.

/** What happened, on the clock of /proc/PID/stat's start times (ticks of 10 ms since boot). */
export type TraceRecord =
  | {
      readonly type: 'signalled';
      readonly ticks: number;
      /** A thread's number and name, in the first PID namespace; null: the kernel had not kept the name. */
      readonly sender: { readonly pid: number; readonly name: string | null };
      readonly signal: number;
      /** si_code: 0 kill(2), -6 tgkill(2), above 0 from the kernel itself. */
      readonly code: number;
      readonly target: number;
    }
  | { readonly type: 'starved'; readonly ticks: number; readonly target: number }
  /** The ring was overwritten; null: the kernel does not say how often. */
  | { readonly type: 'lost'; readonly count: number | null };

const HEAD = String.raw`^ *(?<name>.*)-(?<pid>\d+) +(?:\([ \d-]+\) +)?\[\d+\] \S+ +(?<seconds>\d+)\.(?<fraction>\d+): `;
const SIGNAL = new RegExp(
  `${HEAD}${String.raw`signal_generate: sig=(?<signal>\d+) errno=-?\d+ code=(?<code>-?\d+) comm=.* pid=(?<target>\d+) grp=\d+ res=\d+$`}`,
  's',
);
// Before 6.8 the pid is all that it says; afterwards the name and the sizes follow.
const VICTIM = new RegExp(`${HEAD}${String.raw`mark_victim: pid=(?<target>\d+)(?: .*)?$`}`, 's');
const LOST = /^CPU:\d+ \[LOST (?:(\d+) )?EVENTS\]$/;

/** A name is at most 15 bytes and holds line ends where its owner likes: a record is put together from this many lines. */
const PIECES = 16;

/** Whole records of `text`; what is no record, or not one of these, is left out. */
export function parseTrace(text: string): readonly TraceRecord[] {
  const records: TraceRecord[] = [];
  let pieces: readonly string[] = [];
  for (const line of text.split('\n')) {
    const lost = LOST.exec(line);
    const together = [...pieces, line];
    const record: TraceRecord | null =
      lost === null
        ? (recordOf(line) ?? recordOf(together.join('\n')))
        : { type: 'lost', count: lost[1] === undefined ? null : Number(lost[1]) };
    if (record !== null) records.push(record);
    pieces = record !== null ? [] : together.slice(-PIECES);
  }
  return records;
}

function recordOf(text: string): TraceRecord | null {
  const signal = SIGNAL.exec(text)?.groups;
  if (signal !== undefined)
    return {
      type: 'signalled',
      ticks: ticksOf(signal),
      sender: { pid: Number(signal.pid), name: signal.name === '<...>' ? null : (signal.name ?? null) },
      signal: Number(signal.signal),
      code: Number(signal.code),
      target: Number(signal.target),
    };
  const victim = VICTIM.exec(text)?.groups;
  return victim === undefined ? null : { type: 'starved', ticks: ticksOf(victim), target: Number(victim.target) };
}

const ticksOf = ({ seconds, fraction }: Readonly<Record<string, string>>): number =>
  Number(seconds) * 100 + Math.floor(Number(`0.${fraction}`) * 100);
