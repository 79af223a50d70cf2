// Looks for the processes of watched services, and while somebody seeks tells when what there is to see changes: by the
// proc connector's news, else by scans that grow rarer. Does nothing at all while nobody seeks. It must not know which of
// the matches is the main process, nor what an appearance means.

import { type Matcher, matcherOf } from '../core/match.js';
import type { Pattern, ProcessFacts } from '../core/pattern.js';
import type { ServiceName, ServiceSpec } from '../core/spec.js';
import type { Post } from '../keeper/ports.js';
import type { Features } from './features.js';
import { HOST, isMeant, lookOf, unseenFor } from './look.js';
import { watchPidFile } from './pid-file-watch.js';
import type { Listening, ProcConnector, ProcEvent } from './proc-connector.js';
import { type Finding, judgeProcess, scanProcesses } from './processes.js';

export interface LookerOptions {
  readonly features: Features;
  /** null: there is none, or it was switched off. */
  readonly connector: ProcConnector | null;
  readonly post: Post;
}

interface Seeker {
  readonly spec: ServiceSpec;
  readonly pattern: Pattern;
  readonly seek: 'once' | 'on';
  readonly watch: { close(): void } | null;
  matcher: Matcher;
  /** An answer is owed even if nothing changed. */
  owed: 'yes' | 'no';
  found: Map<number, ProcessFacts>;
  unseen: string | null;
  /** What was told last, in one word. */
  told: string | null;
}

// Without events: often while a start is under way, then rarely. A scan of 300 processes costs about 2 ms.
const FIRST_DELAY = 20;
const GROWTH = 1.5;
const LAST_DELAY = 1000;
const START_MS = 30_000;
const SLOW_DELAY = 5000;
// The net below events of which some were lost.
const NET_DELAY = 60_000;
// A program that execs, forks again or renames itself after its last event is seen by then.
const AGAIN_AFTER: readonly number[] = [50, 500];
const SLICE = 2.5;

const isSoughtByScan = ({ seek, pattern }: Seeker): boolean => seek === 'on' && pattern.by.type !== 'pidFile';

const NO_MATCHER: Matcher = { judge: () => ({ match: 'no', because: () => 'nobody has looked yet' }) };

export class Looker {
  readonly #options: LookerOptions;
  readonly #seekers = new Map<ServiceName, Seeker>();
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Processes to judge, by pid; `again` were judged before. */
  readonly #candidates = new Map<number, 'new' | 'again'>();
  #listening: Listening | null = null;
  #scan: 'none' | 'asked' | 'running' | 'running, asked again' = 'none';
  #cancelScan: (() => void) | null = null;
  #checking: NodeJS.Immediate | null = null;
  #nextScan: NodeJS.Timeout | null = null;
  #delay = FIRST_DELAY;
  #began = 0;
  #events: 'complete' | 'lost' = 'complete';

  constructor(options: LookerOptions) {
    this.#options = options;
  }

  /** Looks now, together with all others who ask in the same turn of the loop, and answers with `looked`, never from within this call. `on`: and again whenever the look changes. */
  look(spec: ServiceSpec, seek: 'once' | 'on'): void {
    if (spec.kind.type !== 'watched') return;
    const { pattern } = spec.kind;
    const before = this.#seekers.get(spec.name);
    before?.watch?.close();
    const seeker: Seeker = {
      spec,
      pattern,
      seek: before?.seek === 'on' ? 'on' : seek,
      watch: this.#watchFor(spec.name, pattern, before?.seek === 'on' ? 'on' : seek),
      matcher: NO_MATCHER,
      owed: 'yes',
      found: new Map(),
      unseen: null,
      told: null,
    };
    this.#seekers.set(spec.name, seeker);
    this.#delay = FIRST_DELAY;
    this.#began = performance.now();
    this.#listenIfSought();
    this.#askForScan();
  }

  /** Looks no more for this service; an answer that is still owed is not given. */
  stopSeeking(service: ServiceName): void {
    const seeker = this.#seekers.get(service);
    if (seeker === undefined) return;
    this.#forget(seeker);
  }

  /** Is this process one of those that the service means, now? */
  matches(spec: ServiceSpec, pid: number): boolean {
    if (spec.kind.type !== 'watched') return false;
    const { pattern } = spec.kind;
    return isMeant(pattern, pid, this.#options.features);
  }

  close(): void {
    this.#cancelScan?.();
    this.#cancelScan = null;
    this.#scan = 'none';
    for (const seeker of [...this.#seekers.values()]) this.#forget(seeker);
  }

  #forget(seeker: Seeker): void {
    seeker.watch?.close();
    this.#seekers.delete(seeker.spec.name);
    if (this.#isSought()) return;
    this.#listening?.close();
    this.#listening = null;
    this.#candidates.clear();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    if (this.#checking !== null) clearImmediate(this.#checking);
    this.#checking = null;
    if (this.#nextScan !== null) clearTimeout(this.#nextScan);
    this.#nextScan = null;
  }

  #isSought(): boolean {
    return [...this.#seekers.values()].some(isSoughtByScan);
  }

  // ---- the whole of /proc ----

  #listenIfSought(): void {
    // Before the scan, so that what begins in its course is heard of.
    if (this.#listening !== null || !this.#isSought()) return;
    this.#listening = this.#options.connector?.listen((events) => this.#hear(events)) ?? null;
  }

  #askForScan(): void {
    if (this.#scan === 'running') this.#scan = 'running, asked again';
    if (this.#scan !== 'none') return;
    this.#scan = 'asked';
    queueMicrotask(() => this.#startScan());
  }

  #startScan(): void {
    if (this.#scan !== 'asked') return;
    if (this.#nextScan !== null) clearTimeout(this.#nextScan);
    this.#nextScan = null;
    this.#scan = 'running';
    const all = [...this.#seekers.values()];
    for (const seeker of all) seeker.matcher = matcherOf(seeker.pattern, HOST);
    const seekers = all.filter((seeker) => seeker.pattern.by.type !== 'pidFile');
    for (const seeker of all) if (seeker.pattern.by.type === 'pidFile') this.#settle(seeker);
    if (seekers.length === 0) {
      this.#endScan();
      return;
    }
    const { features } = this.#options;
    const cancel = scanProcesses(
      seekers.map((seeker) => seeker.matcher),
      { features },
      ({ found }) => {
        this.#cancelScan = null;
        for (const [i, seeker] of seekers.entries()) this.#fill(seeker, found[i]);
        this.#endScan();
      },
    );
    if (this.#isScanning()) this.#cancelScan = cancel;
  }

  #fill(seeker: Seeker, finding: Finding | undefined): void {
    if (finding === undefined || !this.#isCurrent(seeker)) return;
    seeker.found = new Map(finding.matches.map((facts) => [facts.process.pid, facts]));
    seeker.unseen = unseenFor(seeker.pattern, finding.unseen);
    this.#settle(seeker);
  }

  #endScan(): void {
    const before = this.#scan;
    this.#scan = 'none';
    if (before === 'running, asked again') this.#askForScan();
    else this.#planScan();
    this.#check();
  }

  #isScanning(): boolean {
    return this.#scan === 'running' || this.#scan === 'running, asked again';
  }

  #planScan(): void {
    const delay = this.#isSought() ? this.#delayToNext() : null;
    if (delay !== null) this.#nextScan = setTimeout(() => this.#askForScan(), delay);
  }

  #delayToNext(): number | null {
    if (this.#listening !== null) {
      const delay = this.#events === 'lost' ? NET_DELAY : null;
      this.#events = 'complete';
      return delay;
    }
    if (performance.now() - this.#began > START_MS) return SLOW_DELAY;
    const delay = this.#delay;
    this.#delay = Math.min(delay * GROWTH, LAST_DELAY);
    return delay;
  }

  // ---- one process after another ----

  #hear(events: readonly ProcEvent[]): void {
    for (const event of events) {
      switch (event.type) {
        case 'forked':
        case 'execed':
          this.#candidates.set(event.pid, 'new');
          break;
        case 'exited':
          this.#candidates.delete(event.pid);
          for (const pid of this.#touchedBy(event.pid)) this.#candidates.set(pid, 'again');
          break;
        case 'lost':
          this.#events = 'lost';
          this.#askForScan();
          break;
      }
    }
    this.#check();
  }

  /** Of what was found, that process and its descendants, who have another parent now. */
  #touchedBy(pid: number): readonly number[] {
    return [...this.#seekers.values()].flatMap(({ found }) =>
      [...found.values()]
        .filter((facts) => facts.process.pid === pid || facts.ancestors.includes(pid))
        .map((facts) => facts.process.pid),
    );
  }

  #check(): void {
    // What a running scan has passed already would be lost in its result.
    if (this.#scan !== 'none' || this.#checking !== null || this.#candidates.size === 0) return;
    const seekers = [...this.#seekers.values()].filter(isSoughtByScan);
    const matchers = seekers.map((seeker) => seeker.matcher);
    const changed = new Set<Seeker>();
    const again: number[] = [];
    const end = performance.now() + SLICE;
    for (const [pid, times] of this.#candidates) {
      this.#candidates.delete(pid);
      const verdicts = judgeProcess(pid, matchers, this.#options.features);
      for (const [i, seeker] of seekers.entries()) {
        const verdict = verdicts[i];
        if (verdict?.type === 'match') {
          seeker.found.set(pid, verdict.facts);
          changed.add(seeker);
        } else if (seeker.found.delete(pid)) changed.add(seeker);
      }
      if (times === 'new') again.push(pid);
      if (performance.now() >= end) break;
    }
    for (const seeker of changed) this.#settle(seeker);
    if (again.length > 0) for (const delay of AGAIN_AFTER) this.#checkAgain(again, delay);
    if (this.#candidates.size === 0) return;
    this.#checking = setImmediate(() => {
      this.#checking = null;
      this.#check();
    });
  }

  #checkAgain(pids: readonly number[], delay: number): void {
    if (!this.#isSought()) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      for (const pid of pids) if (!this.#candidates.has(pid)) this.#candidates.set(pid, 'again');
      this.#check();
    }, delay);
    this.#timers.add(timer);
  }

  // ---- what is told ----

  #settle(seeker: Seeker): void {
    if (!this.#isCurrent(seeker)) return;
    const look = lookOf(seeker, this.#options.features);
    const word = JSON.stringify(look);
    if (seeker.owed === 'no' && (seeker.seek === 'once' || word === seeker.told)) return;
    seeker.owed = 'no';
    seeker.told = word;
    if (seeker.seek === 'once') this.#forget(seeker);
    this.#options.post({ type: 'looked', service: seeker.spec.name, look });
  }

  #isCurrent(seeker: Seeker): boolean {
    return this.#seekers.get(seeker.spec.name) === seeker;
  }

  #watchFor(service: ServiceName, pattern: Pattern, seek: 'once' | 'on'): { close(): void } | null {
    if (pattern.pidFile === null || seek === 'once') return null;
    return watchPidFile(pattern.pidFile, () => {
      const seeker = this.#seekers.get(service);
      // An owed answer comes with the scan.
      if (seeker !== undefined && seeker.owed === 'no') this.#settle(seeker);
    });
  }
}
