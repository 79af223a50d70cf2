// Goes through all processes of the host in slices, once for everybody who looks for something, and gives each what it
// looked for. It must not know services; when to look is for others.

import type { Judgement, Matcher } from '../core/match.js';
import type { ProcessFacts } from '../core/pattern.js';
import { clearSight, factsOf, glimpse, type Sight } from './facts.js';
import type { Features } from './features.js';
import { close, lastErrno, libc, O_RDONLY, open, SystemCallFailure } from './syscalls.js';

/** What a scan found, in the order of the matchers. */
export interface ScanResult {
  readonly found: readonly Finding[];
  /** How often the loop had its turn, plus one. */
  readonly slices: number;
}

export interface Finding {
  readonly matches: readonly ProcessFacts[];
  /** Why some of the processes could not be seen; null when all could. `hidden`: those of other users are kept from us. */
  readonly unseen: { readonly type: 'hidden' | 'failed'; readonly reason: string } | null;
}

export interface ScanOptions {
  readonly features: Features;
  /** Milliseconds of the loop at once. 0 gives it its turn after each process. */
  readonly slice?: number;
}

// Half of what the loop may be held at most: the kernel may take as long over one process again.
const SLICE = 2.5;

/**
 * Begins at once, within this call: on a small host the first slice is all of it. `done` is called once, never after the
 * returned function was, which stops the scan. The kernel may let a read wait while the process holds its own memory map;
 * nothing can be done about that but to read no more than is needed.
 */
export function scanProcesses(
  matchers: readonly Matcher[],
  options: ScanOptions,
  done: (result: ScanResult) => void,
): () => void {
  const slice = options.slice ?? SLICE;
  const sight = clearSight();
  const found: Collected[] = matchers.map((matcher) => ({ matcher, matches: [], doubt: null }));
  const listing = listPids(sight);
  let slices = 0;
  let sawInit: 'yes' | 'no' = 'no';
  let next: NodeJS.Immediate | null = null;

  const goOn = (): void => {
    next = null;
    slices += 1;
    const end = performance.now() + slice;
    for (let { value, done: isAll } = listing.next(); !isAll; { value, done: isAll } = listing.next()) {
      if (value === 1) sawInit = 'yes';
      if (value !== undefined) judge(value, found, options.features, sight);
      if (performance.now() < end) continue;
      next = setImmediate(goOn);
      return;
    }
    done({ found: found.map((one) => ({ matches: one.matches, unseen: unseenBy(one, sight, sawInit) })), slices });
  };
  goOn();
  return () => {
    if (next !== null) clearImmediate(next);
    listing.return(undefined);
  };
}

interface Collected {
  readonly matcher: Matcher;
  readonly matches: ProcessFacts[];
  doubt: string | null;
}

function judge(pid: number, found: readonly Collected[], features: Features, sight: Sight): void {
  const seen = glimpse(pid, sight);
  let facts: ProcessFacts | null | undefined;
  for (const one of found) {
    const { match } = one.matcher.judge(seen);
    if (match === 'no') continue;
    // What was glimpsed may be of two moments, before and after an exec; what counts is read again as a whole.
    facts ??= wholeFacts(pid, features, sight);
    if (facts === null) return;
    const judgement = one.matcher.judge(facts);
    if (judgement.match === 'yes') one.matches.push(facts);
    else if (judgement.match === 'unseen') one.doubt = doubtOf(judgement, facts);
  }
}

function wholeFacts(pid: number, features: Features, sight: Sight): ProcessFacts | null {
  try {
    return factsOf(pid, features, sight);
  } catch (error) {
    if (!(error instanceof SystemCallFailure)) throw error;
    sight.failed = error.errno;
    return null;
  }
}

/** What one process is to a matcher. `doubt`: it may be meant, but cannot be seen well enough. */
export type Verdict =
  | { readonly type: 'match'; readonly facts: ProcessFacts }
  | { readonly type: 'none' }
  | { readonly type: 'doubt'; readonly reason: string };

/** Judges one process now, in the order of the matchers. */
export function judgeProcess(pid: number, matchers: readonly Matcher[], features: Features): readonly Verdict[] {
  const sight = clearSight();
  const found: Collected[] = matchers.map((matcher) => ({ matcher, matches: [], doubt: null }));
  judge(pid, found, features, sight);
  return found.map(({ matches: [facts], doubt }) => {
    if (facts !== undefined) return { type: 'match', facts };
    const reason = sight.failed === null ? doubt : failure(sight.failed);
    return reason === null ? NOTHING : { type: 'doubt', reason };
  });
}

const NOTHING: Verdict = { type: 'none' };
const doubtOf = ({ because }: Judgement, facts: ProcessFacts): string =>
  `process ${facts.process.pid}: ${because(facts)}`;
const failure = (errno: string): string => `the processes of the host cannot be read: ${errno}`;

function unseenBy(one: Collected, sight: Sight, sawInit: 'yes' | 'no'): Finding['unseen'] {
  if (sight.failed !== null) return { type: 'failed', reason: failure(sight.failed) };
  if (one.doubt !== null) return { type: 'failed', reason: one.doubt };
  // With hidepid=2 (proc(5)) the processes of others are not even listed, the first one among them.
  if (sawInit === 'no')
    return { type: 'hidden', reason: '/proc hides the processes of other users (mount option hidepid)' };
  if (sight.hidden > 0) return { type: 'hidden', reason: `${sight.hidden} processes of other users may not be read` };
  return null;
}

const getdents = libc.func('long getdents64(int fd, void *entries, ulong length)');

// Some 300 entries at a time: a hundred microseconds. Node's readdirSync would take 16 ms at once for 10,000 processes.
const ENTRIES = 8192;

/** The numbers in /proc, in slices of the kernel's own. */
function* listPids(sight: Sight): Generator<number, undefined, undefined> {
  let fd: number;
  try {
    fd = open('/proc', O_RDONLY);
  } catch (error) {
    if (!(error instanceof SystemCallFailure)) throw error;
    sight.failed = error.errno;
    return;
  }
  const entries = Buffer.alloc(ENTRIES);
  try {
    for (;;) {
      const length = Number(getdents(fd, entries, entries.length));
      if (length < 0) sight.failed = lastErrno();
      if (length <= 0) return;
      for (let at = 0; at < length; at += entries.readUInt16LE(at + 16)) {
        const pid = numberAt(entries, at + 19);
        if (pid !== null) yield pid;
      }
    }
  } finally {
    close(fd);
  }
}

/** A name of digits, up to its zero byte; null for any other name. struct linux_dirent64: inode @0, offset @8, length @16, type @18, name @19. */
function numberAt(entries: Buffer, start: number): number | null {
  let number = 0;
  for (let at = start; entries[at] !== 0; at++) {
    const digit = (entries[at] ?? 0) - 48;
    if (digit < 0 || digit > 9) return null;
    number = number * 10 + digit;
  }
  return number;
}
