// Which control group each generation of a service lives in: the first in `NAME.service`, and one that is started while another
// still has that in `NAME+GENERATION.service`, so that ending one never touches the other. It must not know what is written
// to a group.

import { basename } from 'node:path';
import { isSameProcess, type ProcessRef } from '../core/process.js';
import type { ServiceName } from '../core/spec.js';
import { isThere } from './identity.js';
import { readText } from './processes-of.js';

interface Home {
  readonly process: ProcessRef;
  readonly name: string;
  /** `yes`: all that the main process has started is there. */
  readonly settled: 'yes' | 'no';
}

export interface HomeParts {
  /** Pids in the group of this name. */
  readonly membersOf: (name: string) => readonly number[];
  /** Is the kernel about to kill whoever is in it? */
  readonly isDoomed: (name: string) => boolean;
  /** Nobody lives there, and nobody will. */
  readonly onLeft: (name: string) => void;
}

export class Homes {
  readonly #parts: HomeParts;
  readonly #homes = new Map<ServiceName, readonly Home[]>();

  constructor(parts: HomeParts) {
    this.#parts = parts;
  }

  /** The group that a new main process is to go to. Asking again gives the same. */
  assign(service: ServiceName, process: ProcessRef, generation: number): string {
    const known = this.nameOf(service, process);
    if (known !== null) return known;
    this.#clear(service);
    const plain = plainName(service);
    const name = this.#isFree(service, plain) ? plain : `${encodeURIComponent(service)}+${generation}${SUFFIX}`;
    this.#put(service, { process, name, settled: 'no' });
    return name;
  }

  /** All that it has started is in its group now. */
  settle(service: ServiceName, process: ProcessRef): void {
    const name = this.nameOf(service, process);
    if (name !== null) this.#put(service, { process, name, settled: 'yes' });
  }

  isSettled(service: ServiceName, process: ProcessRef): boolean {
    return this.#find(service, process)?.settled === 'yes';
  }

  /** A process of an earlier keeper: it is where that one has put it. */
  recognize(service: ServiceName, process: ProcessRef): void {
    const isIn = (name: string): boolean => this.#parts.membersOf(name).includes(process.pid);
    const plain = plainName(service);
    const name = isIn(plain) ? plain : groupNameOf(process.pid);
    if (name !== null && isNameOf(service, name) && isIn(name))
      this.#put(service, { process, name, settled: 'yes' }, 'shared');
  }

  nameOf(service: ServiceName, process: ProcessRef): string | null {
    return this.#find(service, process)?.name ?? null;
  }

  /** Those of all generations that are known. */
  namesOf(service: ServiceName): readonly string[] {
    return [...new Set((this.#homes.get(service) ?? []).map(({ name }) => name))];
  }

  #find(service: ServiceName, process: ProcessRef): Home | undefined {
    return this.#homes.get(service)?.find((home) => isSameProcess(home.process, process));
  }

  /** One group has one generation: who had it before has left it. `shared`: but one that forked its own successor lives with that one. */
  #put(service: ServiceName, home: Home, how: 'alone' | 'shared' = 'alone'): void {
    const others = (this.#homes.get(service) ?? []).filter(
      ({ process, name }) => !isSameProcess(process, home.process) && (how === 'shared' || name !== home.name),
    );
    this.#homes.set(service, [...others, home]);
  }

  #isFree(service: ServiceName, name: string): boolean {
    const isAssigned = this.#homes.get(service)?.some((home) => home.name === name && isThere(home.process)) ?? false;
    return !isAssigned && !this.#parts.isDoomed(name) && this.#parts.membersOf(name).length === 0;
  }

  /** Dead generations of which nothing is left. */
  #clear(service: ServiceName): void {
    const homes = this.#homes.get(service) ?? [];
    const kept = homes.filter(({ process, name }) => isThere(process) || this.#parts.membersOf(name).length > 0);
    this.#homes.set(service, kept);
    for (const { name } of homes)
      if (name !== plainName(service) && !kept.some((home) => home.name === name)) this.#parts.onLeft(name);
  }
}

/** So that no service can be called like a file of the kernel's. */
const SUFFIX = '.service';

export const plainName = (service: ServiceName): string => `${encodeURIComponent(service)}${SUFFIX}`;

/** Is it the group of one of its generations? `+` is in no name as it is encoded. */
export function isNameOf(service: ServiceName, name: string): boolean {
  const plain = plainName(service);
  if (name === plain) return true;
  const start = `${encodeURIComponent(service)}+`;
  return name.startsWith(start) && /^\d+$/.test(name.slice(start.length, -SUFFIX.length)) && name.endsWith(SUFFIX);
}

/** The last part of the group that a process is in. */
function groupNameOf(pid: number): string | null {
  const path = /^0::(.*)$/m.exec(readText(`/proc/${pid}/cgroup`))?.[1];
  return path === undefined ? null : basename(path);
}
