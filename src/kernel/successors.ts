// Who came after a main process that forked its own successor and ended: the process that its pid file names, if it was born of
// the dead one. Some rename the file only when the old one is gone (gunicorn), so it is looked for a while. It must not know
// what becomes of the service.

import { isSameProcess, type ProcessRef } from '../core/process.js';
import type { ServiceName, ServiceSpec } from '../core/spec.js';
import type { Millis } from '../core/time.js';
import { readPidFile } from './pid-file.js';
import { watchPidFile } from './pid-file-watch.js';

export interface SuccessorParts {
  /** Living processes that the dead one has left. */
  readonly left: (service: ServiceName, dead: ProcessRef) => Promise<readonly ProcessRef[]>;
  readonly answer: (service: ServiceName, dead: ProcessRef, successor: ProcessRef | null) => void;
}

interface Search {
  readonly service: ServiceName;
  readonly dead: ProcessRef;
  readonly path: string;
  timer: NodeJS.Timeout | null;
  watch: { close(): void } | null;
}

export class Successors {
  readonly #parts: SuccessorParts;
  readonly #searches = new Map<ServiceName, Search>();

  constructor(parts: SuccessorParts) {
    this.#parts = parts;
  }

  /** Answers later; at once where nobody is left who could be it. Without patience it is looked once. */
  seek({ name: service, handover }: ServiceSpec, dead: ProcessRef, patience: Millis): void {
    this.#stop(service);
    if (handover.pidFile === null) {
      this.#parts.answer(service, dead, null);
      return;
    }
    const search: Search = { service, dead, path: handover.pidFile, timer: null, watch: null };
    this.#searches.set(service, search);
    if (patience === 0) {
      this.#look(search, 'no more');
      return;
    }
    search.timer = setTimeout(() => this.#end(search, null), patience);
    search.watch = watchPidFile(search.path, () => this.#look(search, 'and again'));
    this.#look(search, 'and again');
  }

  close(): void {
    for (const service of [...this.#searches.keys()]) this.#stop(service);
  }

  #look(search: Search, then: 'and again' | 'no more'): void {
    const found = (process: ProcessRef | null | 'not yet'): void => {
      if (process !== 'not yet') this.#end(search, process);
      else if (then === 'no more') this.#end(search, null);
    };
    this.#findIn(search).then(found, () => found('not yet')); // no descriptors
  }

  async #findIn({ service, dead, path }: Search): Promise<ProcessRef | null | 'not yet'> {
    const left = await this.#parts.left(service, dead);
    if (left.length === 0) return null;
    const file = readPidFile(path);
    const named = file.type === 'names' ? left.find(({ pid }) => pid === file.pid) : undefined;
    return named === undefined || isSameProcess(named, dead) ? 'not yet' : named;
  }

  #end(search: Search, found: ProcessRef | null): void {
    if (this.#searches.get(search.service) !== search) return;
    this.#stop(search.service);
    this.#parts.answer(search.service, search.dead, found);
  }

  #stop(service: ServiceName): void {
    const search = this.#searches.get(service);
    if (search === undefined) return;
    if (search.timer !== null) clearTimeout(search.timer);
    search.watch?.close();
    this.#searches.delete(service);
  }
}
