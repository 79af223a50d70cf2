// A change → what is known of its service at that time, for whoever reads of it later.

import type { Change } from './change.js';
import type { About } from './entry.js';
import { openIncident } from './incident.js';
import { messageOf } from './message.js';
import { countRecent } from './restart.js';
import { desiredOf, type Service } from './state.js';
import type { Now } from './time.js';

/** `service`: as it is after the change; null: it is gone. */
export function aboutOf(change: Change, service: Service | null, heldBack: readonly string[], now: Now): About {
  const message = messageOf(change, service);
  const line = message === null ? null : message.text.slice(change.service.length + 2);
  const told = { line, level: message?.level ?? ('debug' as const) };
  if (service === null) {
    const unknown = {
      description: null,
      runbook: null,
      tags: [],
      desired: 'down',
      hold: 'no',
      incident: null,
    } as const;
    return { kind: 'supervised', ...unknown, ...unasked, window: 0, total: 0, healthyAfter: 0, heldBack, ...told };
  }
  const { spec, restarts, hold, health } = service;
  return {
    kind: spec.kind.type,
    description: spec.description,
    runbook: spec.runbook,
    tags: spec.tags,
    desired: desiredOf(service),
    hold: hold === null ? 'no' : 'yes',
    window: countRecent(spec.restart, restarts, now.instant),
    total: restarts.total,
    incident: openIncident(service, now),
    healthyAfter: spec.restart.healthyAfter,
    heldBack,
    ailing: health.filter(({ ailing }) => ailing !== null).map(({ name }) => name),
    unasked: health.filter(({ unaskedSince }) => unaskedSince !== null).map(({ name }) => name),
    ...told,
  };
}

const unasked = { ailing: [], unasked: [] } as const;
