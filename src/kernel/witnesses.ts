// Everybody who can add to what an end shows by itself: the kernel's notes of signals, its log, its setting for core dumps,
// its clocks. Each is asked once, at the moment of the end, and never waited for: the restart comes first. Each may be
// missing. It must not know services, nor what anybody makes of it.

import type { CoreDump, ExitEvidence, ExitStatus, Fault, Findings, OomKill, ProcessRef } from '../core/process.js';
import type { Report } from '../keeper/ports.js';
import { bootSeconds } from './boot-clock.js';
import { coreDumpOf } from './core-dump.js';
import { faultKind, isFaultSignal } from './fault-kind.js';
import type { KernelLog } from './kernel-log.js';
import type { KernelNews } from './kernel-log-line.js';
import type { Account, Killers } from './killers.js';
import { signalName } from './signal-number.js';
import type { Sleeps } from './sleeps.js';

export interface Sources {
  /** Null where the kernel does not tell who signals. */
  readonly killers: Killers | null;
  /** Null where its log is not for us. */
  readonly log: KernelLog | null;
  readonly sleeps: Sleeps;
  readonly report: Report;
}

const NOTHING: Account = { killer: null, signal: null, target: null, starved: null };

/** How far the clock of the kernel's log may be from the others: nobody adjusts it, and they are by up to 0.02 %. */
const LOG_SLACK = 1000;
const LOG_DRIFT = 2e-4;

export class Witnesses {
  readonly #sources: Sources;

  constructor(sources: Sources) {
    this.#sources = sources;
  }

  /** The same evidence with what is known beside. Never throws: a death must be told. */
  testify(process: ProcessRef, evidence: ExitEvidence): ExitEvidence {
    try {
      return this.#testify(process, evidence);
    } catch (error) {
      this.#sources.report(`why process ${process.pid} ended could not be found out`, error);
      return evidence;
    }
  }

  close(): void {
    this.#sources.killers?.close();
    this.#sources.log?.close();
  }

  #testify(process: ProcessRef, evidence: ExitEvidence): ExitEvidence {
    const { killers, sleeps } = this.#sources;
    const { status } = evidence;
    const account = killers?.about(process, status) ?? NOTHING;
    const away = evidence.ticks === null ? 'yes' : 'no';
    const news = mayKnowMore(account, status) ? this.#newsOf(process, account, away) : null;
    const oomKill = isKill(status) ? oomKillOf(account, news) : null;
    const oom = evidence.oom || oomKill !== null;
    const findings: Findings = {
      oomKill,
      fault: faultOf(account, news, status),
      core: isDumped(status) ? this.#coreOf(process, account, status.signal) : null,
      sleep: away === 'yes' ? null : sleeps.recent(),
      sentAt: account.signal === null ? null : account.signal.at - sleeps.total,
    };
    return {
      ...evidence,
      oom,
      by: oom ? null : account.killer,
      peakMemory: evidence.peakMemory ?? account.target?.peakMemory ?? null,
      findings: Object.values(findings).every((one) => one === null) ? null : findings,
    };
  }

  /** The log has threads' numbers, and so has the note. */
  #newsOf({ pid, startTicks }: ProcessRef, { signal, starved }: Account, away: 'yes' | 'no'): KernelNews | null {
    const { log, sleeps } = this.#sources;
    const since = startTicks * 10 - sleeps.total - LOG_SLACK - bootSeconds() * 1000 * LOG_DRIFT;
    return log?.about(starved?.target ?? signal?.target ?? pid, since, away) ?? null;
  }

  #coreOf({ pid }: ProcessRef, { signal, target }: Account, by: Dumped['signal']): CoreDump | null {
    const since = signal === null ? null : bootSeconds() - signal.at / 1000;
    return coreDumpOf({
      ...{ pid, signal: by, name: signal?.name ?? null, uid: target?.uid ?? null, gid: target?.gid ?? null },
      ...{ exe: target?.exe ?? null, cwd: target?.cwd ?? null },
      seconds: since === null ? null : Math.floor(Date.now() / 1000 - since),
    });
  }
}

type Dumped = Extract<ExitStatus, { type: 'signaled' }>;

const isDumped = (status: ExitStatus): status is Dumped => status.type === 'signaled' && status.coreDumped;

const isKill = (status: ExitStatus): boolean =>
  status.type === 'unknown' || (status.type === 'signaled' && status.signal === 'SIGKILL');

const mayBeFault = (status: ExitStatus): boolean =>
  status.type === 'unknown' || (status.type === 'signaled' && isFaultSignal(status.signal));

/** Is the kernel's log worth reading? Not where the notes say already that somebody did it. */
function mayKnowMore({ killer, signal, starved }: Account, status: ExitStatus): boolean {
  if (starved !== null) return true;
  if (signal !== null) return signal.code > 0;
  return killer === null && (isKill(status) || mayBeFault(status));
}

/** The notes name the victim and its size, the log the group and its limit. */
function oomKillOf({ starved, killer }: Account, news: KernelNews | null): OomKill | null {
  const told = news?.type === 'oom' ? news.kill : null;
  if (starved === null) return killer === null ? told : null;
  return {
    group: told?.group ?? null,
    scope: told?.scope ?? 'unknown',
    held: starved.held ?? told?.held ?? null,
    mapped: starved.mapped ?? told?.mapped ?? null,
    limit: told?.limit ?? null,
    source: 'trace',
  };
}

/** The log knows where, the notes only what. */
function faultOf({ signal, killer }: Account, news: KernelNews | null, status: ExitStatus): Fault | null {
  if (killer !== null || !mayBeFault(status)) return null;
  if (news?.type === 'fault') return news.fault;
  const kind = signal === null ? null : faultKind(signalName(signal.signal), signal.code);
  return kind === null ? null : { kind, address: null, instruction: null, inside: null, source: 'trace' };
}
