// Who a process is, for people: name, the person behind it, what was run and by whom, as far as /proc still tells. The
// moment is everything: /bin/kill is gone a tenth of a millisecond after its signal. Knows nothing of deaths.

import { listedName } from './account.js';
import { readStat } from './identity.js';
import { fromLatin1, printable } from './printable.js';
import { readText } from './processes-of.js';
import { processIn, uidIn } from './status-text.js';

export interface SenderFacts {
  /** Of the whole process, where the number was a thread's. */
  readonly pid: number;
  readonly name: string | null;
  readonly uid: number | null;
  readonly user: string | null;
  readonly command: string | null;
  readonly parent: { readonly pid: number; readonly name: string } | null;
}

/** As much of a command line as a message has room for. */
const LONGEST = 200;
const NO_LOGIN = 0xffffffff;

/** What is known of the process or thread that had this number at `ticks`; `name` is what the kernel had noted. */
export function senderFacts(number: number, name: string | null, ticks: number): SenderFacts {
  const nothing = { pid: number, name: name === null ? null : printable(name), uid: null, user: null };
  const gone: SenderFacts = { ...nothing, command: null, parent: null };
  const status = readText(`/proc/${number}/status`);
  if (status === '') return gone;
  // Whoever began after the signal has only inherited the number.
  const pid = processIn(status) ?? number;
  const stat = readStat(pid);
  if (stat === null || stat.startTicks > ticks) return gone;
  const uid = loginUid(pid) ?? uidIn(status);
  const now = printable(fromLatin1(stat.comm));
  // A thread may be called anything, the process has the name that people know.
  const then = name === null || pid !== number ? now : printable(name);
  return {
    pid,
    name: then,
    uid,
    user: uid === null ? null : listedName(uid),
    // It may be another program by now: `sh -c 'kill 812; exec sleep 600'`.
    command: then === now ? commandOf(pid) : null,
    parent: parentOf(stat.ppid),
  };
}

/** The process that this thread belongs to; null when it is gone. */
export function processOfThread(number: number): number | null {
  return processIn(readText(`/proc/${number}/status`));
}

/** The person who logged in, behind sudo and su; null where nobody did. */
function loginUid(pid: number): number | null {
  const text = readText(`/proc/${pid}/loginuid`);
  return text === '' || Number(text) === NO_LOGIN ? null : Number(text);
}

function commandOf(pid: number): string | null {
  const words = readText(`/proc/${pid}/cmdline`).split('\0').join(' ').trim();
  return words === '' ? null : printable(fromLatin1(words)).slice(0, LONGEST);
}

function parentOf(pid: number): { readonly pid: number; readonly name: string } | null {
  const stat = pid === 0 ? null : readStat(pid);
  return stat === null ? null : { pid, name: printable(fromLatin1(stat.comm)) };
}
