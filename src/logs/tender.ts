// Looks after every log in the disk thread: notes the time of new output in its index and rotates it when it is big.
// Wakes only when something is written, and looks at most every LOOK_EVERY_MS. It must not know services beyond their
// names, nor who writes.

import { type FSWatcher, type Stats, statSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { errorCode, errorText } from '../core/error-text.js';
import type { Rotation, ServiceName } from '../core/spec.js';
import { Forwarder, type SendLine } from './forward.js';
import type { DiskCalls, LogJob, LogNews } from './job.js';
import { lastLines } from './last-lines.js';
import { type Rotated, type RotateOptions, recover, rotate } from './rotate.js';
import { addTime, beginIndex, mendIndex, readIndex } from './time-index.js';
import { LOOK_EVERY_MS } from './times.js';

interface Tended {
  readonly service: ServiceName;
  readonly path: string;
  readonly rotation: Rotation;
  readonly inode: number;
  /** null: its lines are not handed on. */
  forwarder: Forwarder | null;
  /** Bytes that left the head in the log's whole life, and the last offset in the index, see times.ts. */
  base: number;
  end: number;
  /** After a rotation that failed: not before this wall time; 0 after one that went well. */
  rotateAfter: number;
  state: 'here' | 'gone';
  /** `torn`: the last entry may be half written. */
  index: 'whole' | 'torn';
  /** A trouble that lasts is told once. */
  trouble: 'none' | 'told';
}

interface Watched {
  watcher: FSWatcher | null;
  readonly logs: Map<string, Tended>;
  readonly touched: Set<Tended>;
  /** Events since the last look. */
  events: number;
  timer: NodeJS.Timeout | null;
  trouble: 'none' | 'told';
}

// More events than this between two looks, and the watch is put aside until the next one: a writer at full speed would
// keep the thread busy with nothing but events (538,000 of them in 3.5 s were seen).
const STORM = 64;
const POLL_MS = 2_000;
const ROTATE_AGAIN_MS = 10_000;

export class LogTender {
  readonly #calls: DiskCalls;
  readonly #tell: (news: LogNews) => void;
  readonly #directories = new Map<string, Watched>();

  constructor(calls: DiskCalls, tell: (news: LogNews) => void) {
    this.#calls = calls;
    this.#tell = tell;
  }

  /** Does one job. Never throws: what goes wrong is told. */
  perform(job: LogJob): void {
    switch (job.type) {
      case 'tend':
        this.#tend(job);
        return;
      case 'leave':
        this.#leave(job.path);
        return;
      case 'lastLines': {
        const { service, key } = job;
        this.#tell({ type: 'lastLines', service, key, lines: lastLines(job) });
        return;
      }
    }
  }

  close(): void {
    for (const directory of this.#directories.values()) stopWatching(directory);
    this.#directories.clear();
  }

  #tend(job: Extract<LogJob, { type: 'tend' }>): void {
    const { service, path, rotate: rotation } = job;
    try {
      const stats = statSync(path);
      const log: Tended = {
        service,
        path,
        rotation,
        inode: stats.ino,
        forwarder: null,
        base: 0,
        end: 0,
        rotateAfter: 0,
        state: 'here',
        index: 'whole',
        trouble: 'none',
      };
      const index = readIndex(path);
      if (index === null) beginIndex(path, 0);
      else mendIndex(path);
      log.base = index?.base ?? 0;
      this.#count(log, recover(this.#optionsFor(log)));
      this.#readPosition(log);
      const send: SendLine = (to, line) => this.#calls.sendToSyslog(to, line);
      // A new log from its beginning; one that was not handed on before from where it was last looked at.
      if (job.forward === 'syslog') log.forwarder = new Forwarder(path, service, send, log.end);
      const directory = this.#watch(dirname(path));
      forget(directory, path);
      directory.logs.set(basename(path), log);
      // What was written while nobody looked is as old as the file says.
      this.#look(log, 'mtime');
    } catch (error) {
      this.#problem(`the log ${path} cannot be looked after, so it has no times and is not rotated`, error);
    }
  }

  #leave(path: string): void {
    const directory = this.#directories.get(dirname(path));
    if (directory === undefined) return;
    forget(directory, path);
    if (directory.logs.size > 0) return;
    stopWatching(directory);
    this.#directories.delete(dirname(path));
  }

  #watch(path: string): Watched {
    const known = this.#directories.get(path);
    // A new log may mean a new directory of the same name: the old watch would see nothing.
    if (known?.watcher != null) known.watcher.close();
    const directory: Watched = known ?? {
      watcher: null,
      logs: new Map(),
      touched: new Set(),
      events: 0,
      timer: null,
      trouble: 'none',
    };
    this.#directories.set(path, directory);
    this.#openWatch(path, directory);
    return directory;
  }

  #openWatch(path: string, directory: Watched): void {
    directory.events = 0;
    try {
      const watcher = watch(path, (_event, name) => this.#hear(path, directory, name));
      watcher.on('error', (error) => this.#loseWatch(path, directory, error));
      directory.watcher = watcher;
      directory.trouble = 'none';
    } catch (error) {
      this.#loseWatch(path, directory, error);
    }
  }

  #loseWatch(path: string, directory: Watched, error: unknown): void {
    directory.watcher?.close();
    directory.watcher = null;
    if (directory.trouble === 'none') {
      this.#problem(`${path} cannot be watched, so its logs are looked at every ${POLL_MS / 1000} s`, error);
    }
    directory.trouble = 'told';
    this.#lookSoon(path, directory, POLL_MS);
  }

  #hear(path: string, directory: Watched, name: string | null): void {
    directory.events += 1;
    if (directory.events > STORM) {
      directory.watcher?.close();
      directory.watcher = null;
      this.#lookSoon(path, directory, LOOK_EVERY_MS);
      return;
    }
    const log = name === null ? undefined : directory.logs.get(name);
    // Our own files lie in the same directory.
    if (log === undefined && name !== null) return;
    for (const touched of log === undefined ? directory.logs.values() : [log]) directory.touched.add(touched);
    if (directory.timer !== null) return;
    this.#lookAtTouched(directory);
    this.#lookSoon(path, directory, LOOK_EVERY_MS);
  }

  #lookSoon(path: string, directory: Watched, after: number): void {
    directory.timer ??= setTimeout(() => {
      directory.timer = null;
      if (!this.#directories.has(path)) return;
      if (directory.watcher === null) {
        // Watched again first: what is written from here on makes an event, what was before is seen by looking.
        this.#openWatch(path, directory);
        for (const log of directory.logs.values()) directory.touched.add(log);
      }
      directory.events = 0;
      if (directory.touched.size === 0) return;
      this.#lookAtTouched(directory);
      this.#lookSoon(path, directory, LOOK_EVERY_MS);
    }, after);
  }

  #lookAtTouched(directory: Watched): void {
    const logs = [...directory.touched];
    directory.touched.clear();
    for (const log of logs) {
      try {
        this.#look(log, 'now');
      } catch (error) {
        this.#trouble(log, `the log ${log.path} cannot be looked after`, error);
      }
    }
  }

  /** Notes the time of what is new, and rotates. `time`: what to take for it. */
  #look(log: Tended, time: 'now' | 'mtime'): void {
    const stats = statIfThere(log.path);
    if (stats === null || stats.ino !== log.inode) {
      if (log.state === 'here') this.#tell({ type: 'moved', service: log.service });
      log.state = 'gone';
      return;
    }
    log.state = 'here';
    try {
      this.#note(log, stats.size, time === 'now' ? Date.now() : Math.round(stats.mtimeMs));
      log.trouble = 'none';
    } catch (error) {
      // A full disk. Rotation can help against that, so on to it.
      log.index = 'torn';
      this.#trouble(log, `the times of the log ${log.path} cannot be written`, error);
    }
    if (log.forwarder !== null) this.#forward(log, log.forwarder);
    this.#rotateIfBig(log, stats.size);
  }

  #forward(log: Tended, forwarder: Forwarder): void {
    const { skipped, left } = forwarder.forward(log.base, log.end);
    if (skipped > 0) this.#tell({ type: 'dropped', service: log.service, bytes: skipped });
    if (left === 'none') return;
    const path = dirname(log.path);
    const directory = this.#directories.get(path);
    directory?.touched.add(log);
    if (directory !== undefined) this.#lookSoon(path, directory, LOOK_EVERY_MS);
  }

  #note(log: Tended, size: number, wall: number): void {
    if (log.index === 'torn') {
      if (readIndex(log.path) === null) beginIndex(log.path, log.base);
      else mendIndex(log.path);
      log.index = 'whole';
    }
    if (log.base + size < log.end) {
      // Somebody emptied it. Those bytes are gone, their times too.
      log.base = log.end;
      beginIndex(log.path, log.base);
    }
    const end = log.base + size;
    if (end <= log.end) return;
    addTime(log.path, end, wall);
    log.end = end;
  }

  #rotateIfBig(log: Tended, size: number): void {
    if (log.rotation.size === null || size < log.rotation.size || Date.now() < log.rotateAfter) return;
    try {
      // Also finishes what an earlier try left after its cut; mostly a look for one file that is not there.
      this.#count(log, recover(this.#optionsFor(log)));
      this.#readPosition(log);
      // Nothing is cut from a log smaller than a block.
      this.#count(log, rotate(this.#optionsFor(log)));
      this.#readPosition(log);
      log.rotateAfter = 0;
    } catch (error) {
      const seconds = ROTATE_AGAIN_MS / 1000;
      if (log.rotateAfter === 0)
        this.#problem(`the log ${log.path} cannot be rotated; tried again every ${seconds} s`, error);
      log.rotateAfter = Date.now() + ROTATE_AGAIN_MS;
    }
  }

  #count(log: Tended, rotated: Rotated): void {
    if (rotated.cut === 0) return;
    log.base += rotated.cut;
    this.#tell({ type: 'rotated', service: log.service, cut: rotated.cut, exact: rotated.exact });
    if (rotated.dropped > 0) this.#tell({ type: 'dropped', service: log.service, bytes: rotated.dropped });
  }

  #readPosition(log: Tended): void {
    const index = readIndex(log.path);
    if (index === null) beginIndex(log.path, log.base);
    log.base = index?.base ?? log.base;
    log.end = Math.max(log.base, index?.end ?? log.base);
  }

  #optionsFor(log: Tended): RotateOptions {
    const { keep, compress } = log.rotation;
    const most = log.forwarder === null ? null : log.forwarder.sent - log.base;
    return { log: log.path, keep, compress, base: log.base, most, calls: this.#calls };
  }

  #trouble(log: Tended, problem: string, error: unknown): void {
    if (log.trouble === 'none') this.#problem(problem, error);
    log.trouble = 'told';
  }

  #problem(problem: string, error: unknown): void {
    this.#tell({ type: 'problem', problem, error: errorText(error) });
  }
}

/** Forgets the log at this path, also where it waits for a look. */
function forget(directory: Watched, path: string): void {
  const log = directory.logs.get(basename(path));
  if (log === undefined) return;
  directory.logs.delete(basename(path));
  directory.touched.delete(log);
}

function stopWatching(directory: Watched): void {
  directory.watcher?.close();
  if (directory.timer !== null) clearTimeout(directory.timer);
}

/** Null when there is no such file. @throws any other error of the disk. */
function statIfThere(path: string): Stats | null {
  try {
    return statSync(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}
