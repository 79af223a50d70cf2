// Who needs whom, versioned: what `upkeep graph` and whoever asks the control socket for it read. Each service says of
// itself; nothing is derived that a reader could not see.

import { couplingOf } from './graph.js';
import type { Coupling, Pool, ServiceSpec } from './spec.js';
import { latestSpec, type ServiceSet, type StateName } from './state.js';
import type { ServiceStatus, Status } from './status.js';

export interface GraphDocument {
  readonly version: 1;
  /** null: made of a file, not of what a keeper keeps. */
  readonly host: string | null;
  readonly time: string | null;
  readonly services: readonly GraphNode[];
}

export interface GraphNode {
  readonly name: string;
  readonly kind: 'supervised' | 'watched';
  readonly desired: 'up' | 'down';
  /** null: nobody keeps it. */
  readonly state: StateName | null;
  readonly reason: string | null;
  /** The member of a service with `instances` that it is. */
  readonly pool: Pool | null;
  /** `grace`: milliseconds. */
  readonly needs: readonly { readonly service: string; readonly grace: number; readonly onReload: string }[];
  readonly wants: readonly string[];
  readonly after: readonly string[];
  readonly restartWith: readonly string[];
}

/** Of the services that are kept now. */
export function graphOf({ host, time, services }: Status, set: ServiceSet): GraphDocument {
  const nodes = services.flatMap((status) => {
    const service = set.get(status.name);
    return service === undefined ? [] : [nodeOf(latestSpec(service), couplingOf(service), status)];
  });
  return { version: 1, host, time, services: nodes };
}

/** Of what a configuration says, whoever keeps it. */
export const graphOfSpecs = (specs: readonly ServiceSpec[]): GraphDocument => ({
  version: 1,
  host: null,
  time: null,
  services: specs.map((spec) => nodeOf(spec, spec.coupling, null)),
});

function nodeOf(spec: ServiceSpec, coupling: Coupling, status: ServiceStatus | null): GraphNode {
  const { needs, wants, after, restartWith } = coupling;
  return {
    name: spec.name,
    kind: spec.kind.type,
    desired: status?.desired ?? spec.desired,
    state: status?.state ?? null,
    reason: status?.reason ?? null,
    pool: spec.pool,
    needs: needs.map(({ service, grace, onReload }) => ({ service, grace, onReload })),
    wants,
    after,
    restartWith,
  };
}
