// Which ends belong together: an incident begins with an end that nobody asked for, and is over when the service has been
// well for as long as its restart rule calls healthy. Its id stands in every message, in the history and on the card.

import { healthyFor } from './ailment.js';
import type { Death } from './death.js';
import { lastWordsOf } from './last-words-of.js';
import type { Service } from './state.js';
import { elapsed, type Now } from './time.js';

/**
 * The record of an end as the service's last one, with what the process had said of itself, filed under the incident that it
 * belongs to. An attempt that came to
 * nothing ended no generation: what was old before it is old still, else an apache's orphaned workers would pass for a new
 * apache after the first start that failed because of them. Filing it again changes nothing.
 */
export function filed(service: Pick<Service, 'lastDeath' | 'spec' | 'said'>, death: Death): Death {
  const { lastDeath, spec } = service;
  const ticks = death.ticks ?? lastDeath?.ticks ?? null;
  const isSame = lastDeath !== null && !wasMeant(lastDeath) && (death.served ?? 0) < spec.restart.healthyAfter;
  const said = death.process === null ? undefined : (death.said ?? lastWordsOf(service));
  return {
    ...death,
    ...(said === undefined ? {} : { said }),
    ticks,
    incident: isSame ? lastDeath.incident : death.incident,
  };
}

/** Somebody asked for it, or another service moved it. */
const wasMeant = ({ cause }: Death): boolean => cause === 'requested' || cause === 'coupling';

/** The incident that is open now; null: all is well, or it is down because that was asked for. */
export function openIncident(service: Service, now: Now): string | null {
  const { lastDeath, state, spec, health } = service;
  const ailing =
    state.name === 'running' || state.name === 'handover' ? health.find((beat) => beat.ailing !== null)?.ailing : null;
  if (ailing != null) return ailing.incident;
  if (lastDeath === null || wasMeant(lastDeath) || state.name === 'done') return null;
  const since = state.name === 'running' ? state.since : state.name === 'handover' ? state.servedSince : null;
  const isWell = since !== null && (healthyFor(service) ?? elapsed(since, now.instant)) >= spec.restart.healthyAfter;
  return isWell ? null : lastDeath.incident;
}
