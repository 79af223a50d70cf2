// Processes of services that we were told of, and did not start in this life: they may be gone already, or may not be ours to see.
// It must not know who told us, nor what follows from their end.

import type { ExitEvidence, ProcessRef } from '../core/process.js';
import type { ServiceName } from '../core/spec.js';
import type { Report } from '../keeper/ports.js';
import type { Exits } from './exits.js';
import type { Generations } from './generations.js';
import type { Groups } from './groups.js';
import { withOom } from './oom-evidence.js';
import { environmentOf } from './processes-of.js';
import type { ServiceSockets } from './service-sockets.js';
import type { Speakers } from './speakers.js';
import type { StoredDescriptors } from './stored-descriptors.js';

/** A process of a service has ended. `away`: while nobody looked. */
export type Ended = (service: ServiceName, process: ProcessRef, evidence: ExitEvidence, away: 'yes' | 'no') => void;

export interface EncounterParts {
  readonly report: Report;
  readonly exits: Pick<Exits, 'follow' | 'ofMissed'>;
  readonly groups: Pick<Groups, 'recognize' | 'oomKillSince' | 'peakMemory'>;
  readonly speakers: Pick<Speakers, 'note'>;
  readonly sockets: Pick<ServiceSockets, 'met'>;
  readonly stored: Pick<StoredDescriptors, 'met'>;
  readonly generations: Generations;
  readonly ended: Ended;
}

/** Until following is tried again, in ms. */
const RETRY = 1000;

export class Encounters {
  readonly #parts: EncounterParts;
  readonly #retries = new Set<NodeJS.Timeout>();
  readonly #dead = new Map<ServiceName, number>();

  constructor(parts: EncounterParts) {
    this.#parts = parts;
  }

  follow(service: ServiceName, process: ProcessRef): void {
    const { exits, groups, speakers, report } = this.#parts;
    const variable = environmentOf(process.pid);
    const isHelper = ![null, 'main'].includes(variable('UPKEEP_ROLE'));
    speakers.note(service, process, isHelper ? 'helper' : 'main', variable('UPKEEP_TOKEN'));
    try {
      if (!isHelper) this.#meet(service, process);
      groups.recognize(service, process);
      const oomSince = groups.oomKillSince(service, process);
      const onExit = (seen: ExitEvidence): void => {
        const peakMemory = seen.peakMemory ?? groups.peakMemory(service, process);
        this.#ended(service, process, withOom({ ...seen, peakMemory }, oomSince), 'no');
      };
      if (exits.follow(service, process, onExit) === 'gone')
        this.#ended(service, process, exits.ofMissed(process), 'yes');
    } catch (error) {
      // No descriptor to be had: it is tried again, not given up.
      report(`process ${process.pid} of ${service} cannot be followed now; it is tried again`, error);
      const timer = setTimeout(() => {
        this.#retries.delete(timer);
        this.follow(service, process);
      }, RETRY);
      this.#retries.add(timer);
    }
  }

  /** The pid of the last one that has ended. */
  lastDead(service: ServiceName): number | undefined {
    return this.#dead.get(service);
  }

  close(): void {
    for (const timer of this.#retries) clearTimeout(timer);
  }

  #meet(service: ServiceName, process: ProcessRef): void {
    const { generations, sockets, stored } = this.#parts;
    generations.met(service, process);
    sockets.met(service, process);
    stored.met(service, process);
  }

  #ended(service: ServiceName, process: ProcessRef, evidence: ExitEvidence, away: 'yes' | 'no'): void {
    this.#dead.set(service, process.pid);
    this.#parts.ended(service, process, evidence, away);
  }
}
