// Where the processes of each service write: opened once, handed to every start, and kept open, so that no start waits
// for a disk. The files are the services' own from then on: nobody here reads or forwards a byte. It must not know how
// they are indexed and rotated; it tells the disk thread which there are.

import { closeSync, constants, fstatSync, lstatSync, mkdirSync, openSync, statSync } from 'node:fs';
import type { Rotation, ServiceName, ServiceSpec } from '../core/spec.js';
import type { Outputs, Report } from '../keeper/ports.js';
import type { LogJob, LogNews } from './job.js';
import { logPath } from './log-files.js';

export interface OutputsOptions {
  /** Made with mode 0750 when it is missing. */
  readonly directory: string;
  readonly send: (job: LogJob) => void;
  readonly report: Report;
  /** For `log: inherit`: the keeper's own output. */
  readonly inherited: number;
}

/** From where on a log holds what a service wrote since its last start. */
export interface LogStart {
  readonly path: string;
  /** Bytes from the beginning of the file; negative when a rotation has already moved some of it away. */
  readonly offset: number;
}

interface OpenLog {
  readonly fd: number;
  readonly path: string;
  readonly rotation: Rotation;
  readonly forward: 'no' | 'syslog';
  /** `moved`: somebody moved or removed the file, so the next start gets a new one. */
  at: 'path' | 'moved';
}

interface Losses {
  /** Bytes thrown away for want of room. */
  dropped: number;
  /** Rotations in which a line may have been lost, because the file system cannot collapse. */
  inexactRotations: number;
}

const FAR_BACK = 1024 * 1024;

/** Of the output, for the record of a death. */
const LAST_LINES = 20;

/** Answers that are waited for. A job for a disk that hangs may be dropped, and is never answered. */
const MOST_QUESTIONS = 256;

/** For `log: syslog`: only as much as the receiver has not had yet, and some to look back at. */
const SPOOL: Rotation = { size: 1024 * 1024, keep: 0, compress: 'no' };

export class ServiceOutputs implements Outputs {
  readonly #options: OutputsOptions;
  readonly #open = new Map<ServiceName, OpenLog>();
  readonly #starts = new Map<ServiceName, LogStart>();
  readonly #losses = new Map<ServiceName, Losses>();
  /** Where in its log the output of the latest start begins; unknown after an adoption. */
  readonly #begun = new Map<ServiceName, number>();
  /** Who waits for last lines, by the key of the job. */
  readonly #questions = new Map<string, (lines: readonly string[] | null) => void>();
  #asked = 0;
  /** Services whose log could not be opened, told once until it can. */
  readonly #closed = new Set<ServiceName>();

  constructor(options: OutputsOptions) {
    this.#options = options;
  }

  descriptorFor(spec: ServiceSpec): number | null {
    if (spec.ready.probe.type === 'log') this.#markStart(spec, 0);
    const fd = this.#descriptorFor(spec);
    const size = sizeOf(this.#open.get(spec.name) ?? null);
    if (size !== null) this.#begun.set(spec.name, size);
    return fd;
  }

  /** Opens the log of a service that was adopted: its output is to be indexed and rotated too. */
  prepare(spec: ServiceSpec): void {
    this.#descriptorFor(spec);
  }

  release(service: ServiceName): void {
    this.#close(service);
    this.#starts.delete(service);
    this.#losses.delete(service);
    this.#begun.delete(service);
    this.#closed.delete(service);
  }

  /**
   * The last lines that it has printed until now, whatever is written from now on; null where they cannot be read. Of a
   * watched daemon those of the file that it writes itself, where `of` is not its start command.
   */
  lastLinesOf(spec: ServiceSpec, of: 'main' | 'start', callback: (lines: readonly string[] | null) => void): void {
    const foreign = of === 'main' && spec.kind.type === 'watched' ? spec.kind.logFrom : null;
    const where = foreign === null ? this.#placeNow(spec.name) : { path: foreign, inode: null, begin: 0, end: null };
    if (where === null) {
      callback(null);
      return;
    }
    this.#asked += 1;
    const key = `last lines ${this.#asked}`;
    this.#questions.set(key, callback);
    const [oldest] = this.#questions.keys();
    if (this.#questions.size > MOST_QUESTIONS && oldest !== undefined) this.#answer(oldest, null);
    // The place as it is now, but the question later: a restart waits for us, and waking a thread takes 0.2 ms.
    setImmediate(() => {
      this.#options.send({ type: 'lastLines', key, lasts: 'once', service: spec.name, ...where, lines: LAST_LINES });
    });
  }

  /**
   * From where on to read for `ready: {log: REGEX}`; null when there is no log. Of a start that an earlier keeper began
   * it is not known: then from some way back, because an old line that matches does less harm than one that is missed.
   */
  startOf(spec: ServiceSpec): LogStart | null {
    if (!this.#starts.has(spec.name)) this.#markStart(spec, FAR_BACK);
    return this.#starts.get(spec.name) ?? null;
  }

  /** What was lost of a service's output, for its status. */
  lossesOf(service: ServiceName): Readonly<Losses> {
    return this.#losses.get(service) ?? { dropped: 0, inexactRotations: 0 };
  }

  /** Takes what the disk thread has to say. */
  hear(news: LogNews): void {
    switch (news.type) {
      case 'rotated': {
        const start = this.#starts.get(news.service);
        if (start?.path === this.#open.get(news.service)?.path && start !== undefined) {
          this.#starts.set(news.service, { path: start.path, offset: start.offset - news.cut });
        }
        const begun = this.#begun.get(news.service);
        if (begun !== undefined) this.#begun.set(news.service, begun - news.cut);
        if (news.exact === 'no') this.#lossesFor(news.service).inexactRotations += 1;
        return;
      }
      case 'dropped': {
        const losses = this.#lossesFor(news.service);
        losses.dropped += news.bytes;
        this.#options.report(
          `the disk of the logs is full: ${news.bytes} bytes of the output of ${news.service} were dropped, ${losses.dropped} so far`,
          null,
        );
        return;
      }
      case 'moved': {
        const log = this.#open.get(news.service);
        if (log !== undefined) log.at = 'moved';
        return;
      }
      case 'lastLines':
        this.#answer(news.key, news.lines);
        return;
      case 'problem':
        this.#options.report(news.problem, news.error);
        return;
    }
  }

  /** Closes every descriptor of ours; those of the services stay theirs. */
  close(): void {
    for (const { fd } of this.#open.values()) closeSync(fd);
    this.#open.clear();
  }

  #descriptorFor(spec: ServiceSpec): number | null {
    if (spec.log.to === 'none' || spec.log.to === 'inherit') this.#close(spec.name);
    switch (spec.log.to) {
      case 'none':
        return null;
      case 'inherit':
        return this.#options.inherited;
      case 'syslog':
        return this.#file(spec.name, SPOOL, 'syslog');
      case 'file':
        return this.#file(spec.name, spec.log.rotate, 'no');
    }
  }

  #file(service: ServiceName, rotation: Rotation, forward: OpenLog['forward']): number | null {
    const known = this.#open.get(service);
    if (known?.at === 'path') {
      const isSame = isSameRotation(known.rotation, rotation) && known.forward === forward;
      if (!isSame) this.#tend(service, { ...known, rotation, forward });
      return known.fd;
    }
    if (known !== undefined) this.#close(service);
    const path = logPath(this.#options.directory, service);
    try {
      const fd = openLog(this.#options.directory, path);
      this.#closed.delete(service);
      this.#tend(service, { fd, path, rotation, forward, at: 'path' });
      return fd;
    } catch (error) {
      this.#tellOnce(
        service,
        `the log ${path} cannot be opened, so the output of ${service} is thrown away until its next start`,
        error,
      );
      return null;
    }
  }

  #tend(service: ServiceName, log: OpenLog): void {
    this.#open.set(service, log);
    const { path, rotation, forward } = log;
    this.#options.send({
      type: 'tend',
      key: `log ${path}`,
      lasts: 'standing',
      service,
      path,
      rotate: rotation,
      forward,
    });
  }

  #answer(key: string, lines: readonly string[] | null): void {
    const callback = this.#questions.get(key);
    this.#questions.delete(key);
    callback?.(lines);
  }

  /** Up to where its log goes now: the kernel knows it without the disk. */
  #placeNow(service: ServiceName): { path: string; inode: number; begin: number; end: number } | null {
    const log = this.#open.get(service);
    if (log === undefined) return null;
    const { ino: inode, size: end } = fstatSync(log.fd);
    return { path: log.path, inode, begin: this.#begun.get(service) ?? 0, end };
  }

  #close(service: ServiceName): void {
    const log = this.#open.get(service);
    if (log === undefined) return;
    this.#open.delete(service);
    closeSync(log.fd);
    this.#options.send({ type: 'leave', key: `log ${log.path}`, lasts: 'once', path: log.path });
  }

  /** Sizes come from the kernel's memory of the file, not from the disk; and only where readiness asks for them. */
  #markStart({ name, kind, log }: ServiceSpec, back: number): void {
    const own = kind.type === 'watched' ? kind.logFrom : null;
    const path = own ?? (log.to === 'file' || log.to === 'syslog' ? logPath(this.#options.directory, name) : null);
    this.#starts.delete(name);
    if (path === null) return;
    try {
      const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
      this.#starts.set(name, { path, offset: Math.max(0, size - back) });
    } catch {
      // A log that cannot be read shows no readiness; the start then runs into its timeout.
    }
  }

  #lossesFor(service: ServiceName): Losses {
    const losses = this.#losses.get(service) ?? { dropped: 0, inexactRotations: 0 };
    this.#losses.set(service, losses);
    return losses;
  }

  #tellOnce(service: ServiceName, problem: string, error: unknown): void {
    if (this.#closed.has(service)) return;
    this.#closed.add(service);
    this.#options.report(problem, error);
  }
}

const sizeOf = (log: OpenLog | null): number | null => (log === null ? null : fstatSync(log.fd).size);

const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;

/** @throws why it cannot be opened, or that it is no plain file: opening a FIFO that nobody reads would hang the keeper. */
function openLog(directory: string, path: string): number {
  mkdirSync(directory, { recursive: true, mode: 0o750 });
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there !== undefined && !there.isFile()) throw new Error(`${path} is no plain file; move it away`);
  // Node sets O_CLOEXEC on every descriptor that it opens.
  return openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o640);
}

const isSameRotation = (a: Rotation, b: Rotation): boolean =>
  a.size === b.size && a.keep === b.keep && a.compress === b.compress;
