// The services and all that is derived from them, kept in step: who depends on whom, who holds a place among those that
// start, who waits for one. Knows no event and no effect.

import type { Dependents } from '../core/graph.js';
import type { Service } from '../core/state.js';
import type { Step } from '../core/step.js';
import { holdsPlace, type World } from '../core/world.js';

export class Roster implements World {
  readonly #services = new Map<string, Service>();
  readonly #links = new Map<string, Dependents>();
  readonly #starting = new Set<string>();
  readonly #queued = new Set<string>();
  parallel: number;

  constructor(parallel: number) {
    this.parallel = parallel;
  }

  get services(): ReadonlyMap<string, Service> {
    return this.#services;
  }

  get links(): ReadonlyMap<string, Dependents> {
    return this.#links;
  }

  get starting(): ReadonlySet<string> {
    return this.#starting;
  }

  get queued(): ReadonlySet<string> {
    return this.#queued;
  }

  /** Takes in what a step has made of it. */
  take({ services, removed, links, queued }: Step): void {
    for (const service of services) {
      const { name } = service.spec;
      this.#services.set(name, service);
      if (holdsPlace(service)) this.#starting.add(name);
      else this.#starting.delete(name);
      if (service.state.name !== 'waiting') this.#queued.delete(name);
    }
    for (const name of removed) {
      this.#services.delete(name);
      this.#starting.delete(name);
      this.#queued.delete(name);
    }
    for (const [name, dependents] of links) this.#links.set(name, dependents);
    for (const name of queued) this.#queued.add(name);
  }
}
