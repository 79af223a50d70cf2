// GET: what can be read, by its path. Knows no peers: whether the one who asks may have the details is decided before.

import type { ServerResponse } from 'node:http';
import { graphOf } from '../core/graph-view.js';
import { namedBy } from '../core/pool.js';
import { type Status, statusForAll } from '../core/status.js';
import { type ActRoute, patienceIn } from './act-route.js';
import { ControlError } from './control-error.js';
import type { HistoryRoute } from './history-route.js';
import { answerWhy, type WhyParts } from './why.js';

export interface ReadParts extends WhyParts {
  /** What `upkeep status --keeper` shows. */
  readonly keeper: () => unknown;
  /** The channels of notices and how they do; `details`: also in which words they failed. */
  readonly channels: (details: Details) => unknown;
  /** More about one service for those who may see it: its definition and last output. */
  readonly detail: (name: string) => unknown;
  /** The sockets and descriptors that are held for it; null: there is no such service. */
  readonly fds: (name: string) => unknown;
}

export type Details = 'yes' | 'no';

export class ReadRoute {
  readonly #parts: ReadParts;
  readonly #acts: ActRoute;
  readonly #history: HistoryRoute;

  constructor(parts: ReadParts, acts: ActRoute, history: HistoryRoute) {
    this.#parts = parts;
    this.#acts = acts;
    this.#history = history;
  }

  /** What is answered, or a promise of it. `response`: only to be told when nobody waits any more. @throws ControlError */
  find(path: readonly string[], url: URL, details: Details, response: ServerResponse): unknown {
    const [version, kind = '', name = ''] = path;
    const { searchParams } = url;
    if (version === 'v1' && path.length === 2) {
      switch (kind) {
        case 'status':
          return this.#status(details);
        case 'graph':
          return graphOf(this.#parts.status(), this.#parts.services());
        case 'keeper':
          return this.#parts.keeper();
        case 'notices':
          return this.#parts.channels(details);
        case 'history':
          return this.#history.answer(searchParams, details, goneWith(response));
        case 'why':
          return this.#why(null, searchParams, details);
      }
    }
    if (version === 'v1' && path.length === 3 && kind === 'services') return this.#card(name, details);
    if (version === 'v1' && path.length === 4 && kind === 'services' && path[3] === 'why')
      return this.#why(name, searchParams, details);
    if (version === 'v1' && path.length === 4 && kind === 'services' && path[3] === 'fds')
      return this.#fds(name, details);
    if (version === 'v1' && path.length === 3 && kind === 'operations')
      return this.#acts.operation(name, patienceIn(url), response);
    throw new ControlError(404, 'not-found', `GET /${path.join('/')} is not known`);
  }

  #status(details: Details): Status {
    const status = this.#parts.status();
    return details === 'yes' ? status : statusForAll(status);
  }

  /** One service; or the members of a pool. */
  #card(name: string, details: Details): unknown {
    const { services } = this.#status(details);
    if (this.#acts.isPool(name)) {
      const members = new Set<string>(namedBy(this.#parts.services(), name));
      return { version: 1, pool: name, services: services.filter((service) => members.has(service.name)) };
    }
    const status = services.find((service) => service.name === name);
    if (status === undefined) throw new ControlError(404, 'no-service', `there is no service ${name}`);
    return { version: 1, service: status, detail: details === 'yes' ? this.#parts.detail(name) : null };
  }

  /** Paths, and who is connected, are as much a service's own as what it prints. */
  #fds(name: string, details: Details): unknown {
    if (details === 'no')
      throw new ControlError(
        403,
        'forbidden',
        'what is open for a service is for root, the user of the keeper and group upkeep',
      );
    const answer = this.#parts.fds(name);
    if (answer === null) throw new ControlError(404, 'no-service', `there is no service ${name}`);
    return answer;
  }

  async #why(name: string | null, query: URLSearchParams, details: Details): Promise<unknown> {
    const ends = query.get('all') === '1' ? 'all' : 'last';
    const answer = await answerWhy({ name, ends, details }, this.#parts);
    if (answer === null) throw new ControlError(404, 'no-service', `there is no service ${name}`);
    return answer;
  }
}

function goneWith(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  return gone.signal;
}
