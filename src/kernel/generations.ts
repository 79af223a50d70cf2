// The main processes of each service that this keeper has started or follows. One as a rule; several while one generation hands
// over to another, and while old ones drain. A program that forks its own successor has several main processes of one and the
// same generation, which cannot be told apart by what they leave behind. It must not know how a generation ends.

import { isSameProcess, type ProcessRef } from '../core/process.js';
import type { ServiceName } from '../core/spec.js';
import { isThere } from './identity.js';
import { originOf } from './kin.js';

interface Known {
  readonly process: ProcessRef;
  /** null: nothing in its environment says so. */
  readonly generation: number | null;
  /** `us`: started by this keeper, in this life. Then what it left behind is among our own descendants. */
  readonly by: 'us' | 'others';
}

export class Generations {
  readonly #known = new Map<ServiceName, readonly Known[]>();

  /** We have started it. */
  born(service: ServiceName, process: ProcessRef, generation: number): void {
    this.#add(service, { process, generation, by: 'us' });
  }

  /** We were told of it. */
  met(service: ServiceName, process: ProcessRef): void {
    if (this.#find(service, process) !== undefined) return;
    const origin = originOf(process.pid);
    const generation = origin?.service === service ? origin.generation : null;
    this.#add(service, { process, generation, by: 'others' });
  }

  isKnown(service: ServiceName, process: ProcessRef): boolean {
    return this.#find(service, process) !== undefined;
  }

  isOwn(service: ServiceName, process: ProcessRef): boolean {
    return this.#find(service, process)?.by === 'us';
  }

  /** Has this keeper started the service before? */
  hasStarted(service: ServiceName): boolean {
    return this.#known.get(service)?.some(({ by }) => by === 'us') ?? false;
  }

  generationOf(service: ServiceName, process: ProcessRef): number | null {
    return this.#find(service, process)?.generation ?? null;
  }

  /** All of them, the newest last; dead ones are among them until nothing is left of them. */
  of(service: ServiceName): readonly ProcessRef[] {
    return (this.#known.get(service) ?? []).map(({ process }) => process);
  }

  /** This one, and the other main processes of its generation, whom it was born of or who were born of it. */
  relatives(service: ServiceName, process: ProcessRef): readonly ProcessRef[] {
    const self = this.#find(service, process);
    if (self === undefined || self.generation === null) return [process];
    const others = (this.#known.get(service) ?? []).filter(({ generation }) => generation === self.generation);
    return others.map((one) => one.process);
  }

  /** Does another main process of its generation live? Then what is around is that one's. */
  livesOn(service: ServiceName, process: ProcessRef): boolean {
    return this.relatives(service, process).some((one) => !isSameProcess(one, process) && isThere(one));
  }

  /** Nothing is left of it, unless that is another's of its generation. The last one is remembered: it tells that the service is known. */
  forget(service: ServiceName, process: ProcessRef): void {
    if (this.livesOn(service, process)) return;
    const gone = this.relatives(service, process);
    const known = this.#known.get(service) ?? [];
    const isKept = (one: Known, i: number): boolean => i === known.length - 1 || !gone.includes(one.process);
    this.#known.set(service, known.filter(isKept));
  }

  #add(service: ServiceName, known: Known): void {
    const others = (this.#known.get(service) ?? []).filter(({ process }) => !isSameProcess(process, known.process));
    const isWorth = ({ process, by }: Known, i: number): boolean =>
      isThere(process) || (by === 'us' && i >= others.length - MOST_DEAD);
    this.#known.set(service, [...others.filter(isWorth), known]);
  }

  #find(service: ServiceName, process: ProcessRef): Known | undefined {
    return this.#known.get(service)?.find((one) => isSameProcess(one.process, process));
  }
}

/** Of the last of them something may still be left. */
const MOST_DEAD = 8;
