// What a watched daemon looks like, and the rule that picks its main process out of the processes of the host.
// Pure: `kernel/processes.ts` brings the facts. Product.md 2.2 is the contract of every line here.

import { isSameProcess, type ProcessRef } from './process.js';

/** What to look for. Each form is narrowed by user and count. */
export interface Pattern {
  readonly by:
    | { readonly type: 'exe'; readonly path: string }
    | { readonly type: 'name'; readonly name: string }
    | { readonly type: 'match'; readonly regex: string }
    | { readonly type: 'pidFile' };
  /** Believed only when it names a live matching process. */
  readonly pidFile: string | null;
  readonly user: string | null;
  readonly count: { readonly min: number; readonly max: number };
  /** `yes`: processes of other PID namespaces count too. */
  readonly containers: 'yes' | 'no';
}

/** What is known of one process of the host. */
export interface ProcessFacts {
  readonly process: ProcessRef;
  readonly ppid: number;
  /** Parent, its parent and so on, nearest first; without pid 1 and below, and without the keeper and what is above it. */
  readonly ancestors: readonly number[];
  /** The effective user. */
  readonly uid: number;
  readonly comm: string;
  /** Arguments; empty for kernel threads and zombies. */
  readonly argv: readonly string[];
  /** The resolved executable without " (deleted)"; null where it may not be read. */
  readonly exe: string | null;
  /** Device and inode of the executable, as the kernel layer writes them; null where nobody asked or it may not be read. */
  readonly exeId: string | null;
  /** The script that an interpreter runs, as an absolute path, links not resolved; null for anything else. */
  readonly script: string | null;
  /** `yes`: it lives in a PID namespace below the keeper's own, as the processes of containers do. */
  readonly foreignNamespace: 'yes' | 'no';
}

/** What a look found: every process that matches, with what is needed to choose, and what the pid file says. */
export interface Look {
  readonly matches: readonly ProcessFacts[];
  readonly pidFile: PidFile;
  /** Why the processes could not all be seen; null when they could. */
  readonly unseen: string | null;
}

/** What a pid file said. `none`: there is none to read, or it is not there (yet). `refused`: it may not be believed, with the reason in words. */
export type PidFile =
  | { readonly type: 'none' }
  | { readonly type: 'names'; readonly pid: number }
  | { readonly type: 'refused'; readonly reason: string };

/** How the last main process was called and by whom it was run; by that a hand-over is recognized. */
interface Kin {
  readonly uid: number;
  readonly argv: readonly string[];
}

/** What is known from earlier. `deadSince`: the start-tick clock at the last main process's death; null when none has died. */
export interface Memory {
  readonly identity: Kin | null;
  readonly deadSince: number | null;
}

export type Choice =
  | { readonly type: 'none' }
  | { readonly type: 'main'; readonly facts: ProcessFacts }
  | { readonly type: 'ambiguous'; readonly pids: readonly number[] }
  | { readonly type: 'unseen'; readonly reason: string };

/** Which of the matches is the main process. */
export function chooseMain(pattern: Pattern, look: Look, memory: Memory): Choice {
  const named = namedByPidFile(look);
  if (named !== null) return { type: 'main', facts: named };
  const masters = look.matches.filter((facts) => !isWorkerByTitle(facts));
  // With several independent ones allowed, the others outlive each other's death.
  const deadSince = pattern.count.max > 1 ? null : memory.deadSince;
  // A process that lived before the last main process died belongs to that generation: an sshd's sessions, an apache's
  // workers. So does what those have started since. Ticks of 10 ms are rounded down, so a start in the tick of the death counts as new.
  const isOld = (facts: ProcessFacts): boolean => deadSince !== null && facts.process.startTicks < deadSince;
  const old = masters.filter(isOld);
  const fresh = topmost(masters.filter((facts) => !isOld(facts))).filter((facts) => !descendsFromOneOf(old, facts));
  if (fresh.length > 0) return within(pattern, withPathInTitle(pattern, fresh));
  const heir = memory.identity === null ? null : onlyMasterLike(memory.identity, old, look.matches);
  if (heir !== null) return { type: 'main', facts: heir };
  return look.unseen === null ? { type: 'none' } : { type: 'unseen', reason: look.unseen };
}

/** How many there may be. With room for several the oldest is followed, and all of them together are the service. */
function within({ count }: Pattern, found: readonly ProcessFacts[]): Choice {
  const [first, ...others] = [...found].sort(
    (a, b) => a.process.startTicks - b.process.startTicks || a.process.pid - b.process.pid,
  );
  if (first === undefined || found.length < count.min) return { type: 'none' };
  if (found.length > count.max) {
    return { type: 'ambiguous', pids: [first, ...others].map((facts) => facts.process.pid).sort((a, b) => a - b) };
  }
  return { type: 'main', facts: first };
}

/** What was the main process, and how it ended: `abnormal` is a crash, SIGKILL or the OOM killer, all that no daemon plans. */
export interface Departed {
  readonly process: ProcessRef;
  readonly identity: Kin | null;
  readonly abnormal: 'yes' | 'no';
}

/**
 * The process that the dead one handed over to, or null. That is the one that the pid file names now (nginx after USR2,
 * haproxy, unicorn), else the only topmost match with the same uid and command line.
 *
 * After an end that nobody plans the second rule asks for more. The kernel gives the workers of a killed master to init,
 * and a prefork server's workers have the same uid and command line as their master (gunicorn, any plain fork): a lone
 * survivor is then most likely an orphan that serves until its next error and will never be replaced. A new master, in
 * contrast, has workers of its own. A daemon that ended as planned took its workers along, so a lone survivor is the child
 * of a double fork or the new process of a restart in place.
 */
export function findSuccessor(pattern: Pattern, look: Look, dead: Departed): ProcessFacts | null {
  const living = look.matches.filter((facts) => !isSameProcess(facts.process, dead.process));
  const named = namedByPidFile({ ...look, matches: living });
  if (named !== null) return named;
  const masters = living.filter((facts) => !isWorkerByTitle(facts));
  if (pattern.count.max > 1) {
    const choice = within(pattern, topmost(masters));
    return choice.type === 'main' ? choice.facts : null;
  }
  if (dead.identity === null) return null;
  return dead.abnormal === 'yes' ? onlyMasterLike(dead.identity, masters, living) : onlyOneLike(dead.identity, masters);
}

function namedByPidFile({ pidFile, matches }: Look): ProcessFacts | null {
  if (pidFile.type !== 'names') return null;
  return matches.find((facts) => facts.process.pid === pidFile.pid) ?? null;
}

function onlyOneLike(kin: Kin, candidates: readonly ProcessFacts[]): ProcessFacts | null {
  const alike = topmost(candidates).filter((facts) => isLike(kin, facts));
  return alike.length === 1 ? (alike[0] ?? null) : null;
}

function onlyMasterLike(
  kin: Kin,
  candidates: readonly ProcessFacts[],
  all: readonly ProcessFacts[],
): ProcessFacts | null {
  return onlyOneLike(
    kin,
    topmost(candidates).filter((facts) => all.some((other) => other.ppid === facts.process.pid)),
  );
}

const isLike = (kin: Kin, facts: ProcessFacts): boolean =>
  kin.uid === facts.uid && kin.argv.length === facts.argv.length && kin.argv.every((word, i) => word === facts.argv[i]);

/** Those of which no ancestor is among them. */
function topmost(candidates: readonly ProcessFacts[]): readonly ProcessFacts[] {
  return candidates.filter((facts) => !descendsFromOneOf(candidates, facts));
}

function descendsFromOneOf(others: readonly ProcessFacts[], facts: ProcessFacts): boolean {
  return others.some(
    ({ process }) =>
      process.pid !== facts.process.pid && (facts.ppid === process.pid || facts.ancestors.includes(process.pid)),
  );
}

// The titles that well-known daemons give to processes which never are the main one. An orphan of them, such as the
// session of an sshd whose listener was killed before the keeper came, must not pass for the service.
const WORKER_TITLES: readonly RegExp[] = [
  /^sshd: (?!.*\[listener\])(?!\/)/,
  /^nginx: (worker|cache)/,
  /^php-fpm\S*: pool /,
  /^postgres: /,
  /^gunicorn: worker/,
  /^unicorn(_rails)? worker/,
  /^puma: cluster worker/,
  /^uWSGI worker/i,
];

function isWorkerByTitle({ argv }: ProcessFacts): boolean {
  const title = argv[0] ?? '';
  return argv.length === 1 && WORKER_TITLES.some((regex) => regex.test(title));
}

/**
 * Several topmost matches, some with the watched path on their command line, all others with titles that lack it: those
 * others are orphans of an earlier main process that called themselves after what they do.
 */
function withPathInTitle({ by }: Pattern, found: readonly ProcessFacts[]): readonly ProcessFacts[] {
  if (found.length < 2) return found;
  const carries = (facts: ProcessFacts): boolean => {
    const words = facts.argv.flatMap((word) => word.split(' '));
    return [by.type === 'exe' ? by.path : null, facts.exe, facts.script].some(
      (path) => path !== null && words.includes(path),
    );
  };
  const isTitle = ({ argv }: ProcessFacts): boolean => argv.length === 1 && /^\S+: /.test(argv[0] ?? '');
  const carriers = found.filter(carries);
  const others = found.filter((facts) => !carries(facts));
  return carriers.length > 0 && others.every(isTitle) ? carriers : found;
}
