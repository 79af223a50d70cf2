// GET /metrics: the status in Prometheus' text format (version 0.0.4). Pure.

import type { HeartbeatStatus, ServiceStatus, Status } from '../core/status.js';
import type { Counts } from './tally.js';

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly value: (service: ServiceStatus, counts: Counts) => number | null;
}

const metrics: readonly Metric[] = [
  {
    name: 'upkeep_service_up',
    help: '1 if the service is running, also while it hands over.',
    type: 'gauge',
    value: (s) => (s.state === 'running' || s.state === 'handover' ? 1 : 0),
  },
  {
    name: 'upkeep_service_desired_up',
    help: '1 if the service is wanted up.',
    type: 'gauge',
    value: (s) => (s.desired === 'up' ? 1 : 0),
  },
  {
    name: 'upkeep_service_held',
    help: '1 if the service is on hold.',
    type: 'gauge',
    value: (s) => (s.hold === null ? 0 : 1),
  },
  {
    name: 'upkeep_service_blocked',
    help: '1 if it waits for a service that is down and does not come up by itself soon.',
    type: 'gauge',
    value: (s) => (s.blockedBy.length === 0 ? 0 : 1),
  },
  {
    name: 'upkeep_service_restarts_total',
    help: 'Restarts that were not asked for.',
    type: 'counter',
    value: (s) => s.restarts.total,
  },
  {
    name: 'upkeep_service_generation',
    help: 'Number of the current incarnation.',
    type: 'counter',
    value: (s) => s.generation,
  },
  {
    name: 'upkeep_service_since_seconds',
    help: 'When it came into its state, in Unix time.',
    type: 'gauge',
    value: (s) => Date.parse(s.since) / 1000,
  },
  {
    name: 'upkeep_service_last_death_seconds',
    help: 'When it last died, in Unix time.',
    type: 'gauge',
    value: (s) => (s.lastDeath === null ? null : Date.parse(s.lastDeath.time) / 1000),
  },
  {
    name: 'upkeep_service_draining',
    help: 'Generations that serve no more and have not ended yet.',
    type: 'gauge',
    value: (s) => s.draining.length,
  },
  {
    name: 'upkeep_service_handovers_total',
    help: 'Times that a new generation took over from one that served, since the keeper started.',
    type: 'counter',
    value: (_, { committed }) => committed,
  },
  {
    name: 'upkeep_service_handovers_refused_total',
    help: 'Hand-overs that came to nothing, since the keeper started.',
    type: 'counter',
    value: (_, { refused }) => refused,
  },
  {
    name: 'upkeep_service_watchdog_misses_total',
    help: 'Times that it did not say in time that it lives, since the keeper started.',
    type: 'counter',
    value: (_, { missed }) => missed,
  },
];

interface HeartbeatMetric {
  readonly name: string;
  readonly help: string;
  readonly value: (heartbeat: HeartbeatStatus) => number | null;
}

const heartbeatMetrics: readonly HeartbeatMetric[] = [
  {
    name: 'upkeep_heartbeat_up',
    help: '1 if the heartbeat is good, 0 if it fails; nothing while it is not known.',
    value: ({ state }) => (state === 'unknown' ? null : state === 'ok' ? 1 : 0),
  },
  {
    name: 'upkeep_heartbeat_unasked',
    help: '1 if the heartbeat could not be asked, which says nothing about the service.',
    value: ({ unaskedSince }) => (unaskedSince === null ? 0 : 1),
  },
  {
    name: 'upkeep_heartbeat_seconds',
    help: 'How long the last answer took.',
    value: ({ ms }) => (ms === null ? null : ms / 1000),
  },
];

export function metricsText(status: Status, countsOf: (service: string) => Counts): string {
  const lines: string[] = [];
  for (const { name, help, type, value } of metrics) {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    for (const service of status.services) {
      const n = value(service, countsOf(service.name));
      if (n !== null) lines.push(`${name}{service="${escapeLabel(service.name)}",kind="${service.kind}"} ${n}`);
    }
  }
  lines.push(
    '# HELP upkeep_service_state The state of the service: 1 for the one it is in.',
    '# TYPE upkeep_service_state gauge',
  );
  for (const service of status.services)
    lines.push(`upkeep_service_state{service="${escapeLabel(service.name)}",state="${service.state}"} 1`);
  lines.push(...heartbeatLines(status));
  lines.push(
    '# HELP upkeep_keeper_start_seconds When the keeper started, in Unix time.',
    '# TYPE upkeep_keeper_start_seconds gauge',
  );
  lines.push(`upkeep_keeper_start_seconds ${Date.parse(status.keeper.since) / 1000}`, '');
  return lines.join('\n');
}

function heartbeatLines({ services }: Status): readonly string[] {
  return heartbeatMetrics.flatMap(({ name, help, value }) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} gauge`,
    ...services.flatMap((service) =>
      service.health.heartbeats.flatMap((heartbeat) => {
        const n = value(heartbeat);
        const labels = `service="${escapeLabel(service.name)}",heartbeat="${escapeLabel(heartbeat.name)}"`;
        return n === null ? [] : [`${name}{${labels}} ${n}`];
      }),
    ),
  ]);
}

function escapeLabel(value: string): string {
  return value.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`));
}
