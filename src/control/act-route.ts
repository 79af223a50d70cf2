// POST /v1/services/NAME/VERB for one service or the members of a pool, POST /v1/services for several at once, which are asked as
// one: then no order in which they come says anything. Each ask becomes an operation, which is waited for here. Judges by peer.

import type { ServerResponse } from 'node:http';
import type { Sender } from '../core/death.js';
import type { Ask, ServiceEvent } from '../core/event.js';
import { type Impact, impactOf } from '../core/impact.js';
import type { Outlook } from '../core/outlook.js';
import { namedBy } from '../core/pool.js';
import { serviceName } from '../core/spec.js';
import type { ServiceSet } from '../core/state.js';
import type { Post } from '../keeper/ports.js';
import { parseAsk } from './ask.js';
import { ControlError } from './control-error.js';
import { parseDuration } from './duration.js';
import type { Operation, OperationLog } from './operation-log.js';

export interface ActParts {
  readonly post: Post;
  readonly services: () => ServiceSet;
  readonly outlook: () => Outlook;
}

/** Why this peer may not do that to this service; null: it may. */
export type Objection = (verb: string, service: string) => string | null;

/** What came of one of several asks. `id` null: it was refused before it was asked. */
export type Asked = Pick<Operation, 'service' | 'verb' | 'progress'> & { readonly id: string | null };

export class ActRoute {
  readonly #parts: ActParts;
  readonly #operations: OperationLog;

  constructor(parts: ActParts, operations: OperationLog) {
    this.#parts = parts;
    this.#operations = operations;
  }

  /** @throws ControlError */
  askOne(name: string, verb: string, body: unknown, by: Sender, objection: Objection): string {
    const ask = parseAsk(verb, body);
    if (!this.#parts.services().has(name)) throw new ControlError(404, 'no-service', `there is no service ${name}`);
    const why = objection(verb, name);
    if (why !== null) throw new ControlError(403, 'forbidden', why);
    return this.#post([name], ask, by)[0] ?? '';
  }

  isPool(name: string): boolean {
    const set = this.#parts.services();
    return !set.has(name) && namedBy(set, name).length > 0;
  }

  /** One that is refused hinders no other. @throws ControlError for a body that says nothing */
  askSeveral(body: unknown, by: Sender, objection: Objection): readonly Asked[] {
    const { verb, services } = this.#meantBy(body);
    const ask = parseAsk(verb, body);
    const reasons = new Map(services.map((name) => [name, this.#whyNot(verb, name, objection)]));
    const meant = services.filter((name) => reasons.get(name) === null);
    const ids = new Map(this.#post(meant, ask, by).map((id, index) => [meant[index], id]));
    return services.map((service): Asked => {
      const operation = this.#operations.get(ids.get(service) ?? '');
      if (operation !== null) return operation;
      const text = reasons.get(service) ?? 'it is not known any more';
      return { service, verb: ask.verb, id: null, progress: { type: 'failed', text } };
    });
  }

  /** What a stop or a restart would do to others. @throws ControlError */
  impact(body: unknown): Impact & { readonly version: 1; readonly verb: string } {
    const { verb, services } = this.#meantBy(body);
    if (verb !== 'stop' && verb !== 'restart')
      throw new ControlError(400, 'bad-verb', 'only a stop and a restart move others; `verb` is to be one of them');
    return { version: 1, verb, ...impactOf(this.#parts.outlook(), services, verb) };
  }

  /** What was asked, when all of it is done, or as it is when the patience or the client is gone; null: as it is now. */
  async settled(asked: readonly Asked[], patience: number | null, response: ServerResponse): Promise<readonly Asked[]> {
    const ids = asked.map(({ id }) => id).filter((id) => id !== null);
    if (patience !== null) await this.#settled(ids, patience, response);
    return asked.map((one) => (one.id === null ? one : (this.#operations.get(one.id) ?? one)));
  }

  /** The same of one. @throws ControlError */
  async operation(id: string, patience: number | null, response: ServerResponse): Promise<Operation> {
    if (patience !== null) await this.#settled([id], patience, response);
    const operation = this.#operations.get(id);
    if (operation === null) throw new ControlError(404, 'no-operation', `there is no operation ${id}`);
    return operation;
  }

  #whyNot(verb: string, name: string, objection: Objection): string | null {
    return this.#parts.services().has(name) ? objection(verb, name) : `there is no service ${name}`;
  }

  /** The operations, in the order of the names. */
  #post(names: readonly string[], ask: Ask, by: Sender): readonly string[] {
    const { post, services } = this.#parts;
    const ids = names.map((name) => this.#operations.open(name, ask.verb));
    const events = names.map((name): ServiceEvent => ({ type: 'asked', service: serviceName(name), ask, by }));
    const [first] = events;
    if (first !== undefined) post(events.length === 1 ? first : { type: 'together', events });
    for (const id of ids) this.#operations.check(id, services());
    return ids;
  }

  #settled(ids: readonly string[], patience: number, response: ServerResponse): Promise<void> {
    return new Promise((resolve) => {
      const stops: (() => void)[] = [];
      const end = (): void => {
        clearTimeout(timer);
        for (const stop of stops) stop();
        resolve();
      };
      const timer = setTimeout(end, Math.min(patience, 2 ** 31 - 1));
      response.on('close', end);
      let open = ids.filter((id) => this.#operations.get(id) !== null).length;
      const settle = (): void => {
        open -= 1;
        if (open <= 0) end();
      };
      if (open === 0) end();
      for (const id of ids) stops.push(this.#operations.whenSettled(id, settle));
    });
  }

  /** With the plain names of pools as those of their members. @throws ControlError */
  #meantBy(body: unknown): ReturnType<typeof askedIn> {
    const { verb, services } = askedIn(body);
    const set = this.#parts.services();
    const meant = services.flatMap((name): readonly string[] => {
      const members = namedBy(set, name);
      // Whoever names nothing hears of it.
      return members.length === 0 ? [name] : members;
    });
    return { verb, services: [...new Set(meant)] };
  }
}

const isListOfNames = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((name) => typeof name === 'string');

/** How long whoever asks wants to wait; null: not at all. @throws ControlError */
export function patienceIn({ searchParams }: URL): number | null {
  const wait = searchParams.get('wait');
  const patience = wait === null ? null : parseDuration(wait);
  if (wait !== null && patience === null)
    throw new ControlError(400, 'bad-wait', `wait=${wait} is no duration; write 500ms, 30s or 5m`);
  return patience;
}

/** The body of an ask about one name, as that of an ask about several. */
export const severalIn = (body: unknown, verb: string, name: string): unknown => ({
  ...(typeof body === 'object' ? body : {}),
  verb,
  services: [name],
});

/** What several services are asked. @throws ControlError */
function askedIn(body: unknown): { readonly verb: string; readonly services: readonly string[] } {
  const fields = new Map<string, unknown>(typeof body === 'object' && body !== null ? Object.entries(body) : []);
  const verb = fields.get('verb');
  const services = fields.get('services');
  if (typeof verb !== 'string') throw new ControlError(400, 'bad-verb', '`verb` is to be a text, like stop');
  if (!isListOfNames(services)) throw new ControlError(400, 'bad-services', '`services` is to be a list of names');
  return { verb, services };
}
