// Sockets, watchdogs and hand-overs that are right and yet do not do what they seem to say, because of what else is said of
// their service.

import type { HeartbeatSpec } from '../core/heartbeat.js';
import type { SocketSpec } from '../core/socket.js';
import type { RestartWhen, ServiceSpec } from '../core/spec.js';
import { FIRST_PASSED, isMetBy } from './graceful-checks.js';
import type { Problems } from './problem.js';
import type { ReadService } from './service.js';
import { valueAt } from './tree.js';

// A missed watchdog is abnormal, a failure, and no signal that nobody sent; to these it is no reason to start again.
const RESTING: readonly RestartWhen[] = ['never', 'on-success', 'on-abort'];

/** All of them are right. The first member of a pool stands for all. */
export function warnOfGraceful(here: ReadonlyMap<string, ReadService>, warnings: Problems): void {
  for (const [name, { members, effective }] of here) {
    for (const { key, message } of warningsOf(members[0].spec)) {
      const at = valueAt(effective, key)?.at ?? effective.at;
      warnings.report(at, `services.${name}.${key}`, message);
    }
  }
}

interface Warning {
  readonly key: 'watchdog' | 'handover' | 'limits' | 'heartbeat';
  readonly message: string;
}

function warningsOf(spec: ServiceSpec): readonly Warning[] {
  return [...ofWatchdog(spec), ...ofVerdict(spec), ...ofRoom(spec), ...ofHeartbeats(spec)];
}

function ofWatchdog({ watchdog, restart: { when } }: ServiceSpec): readonly Warning[] {
  if (watchdog === null || !RESTING.includes(when)) return [];
  return [
    {
      key: 'watchdog',
      message: `with \`restart: ${when}\` a missed watchdog stops it for good; write another \`restart\``,
    },
  ];
}

/** The old generation is let go of when the new one is ready, so that should mean something. */
function ofVerdict({ handover, ready: { probe } }: ServiceSpec): readonly Warning[] {
  if (handover.mode !== 'overlap') return [];
  if (probe.type === 'alive') {
    const message =
      'the new generation is ready when it is alive, so the old one is let go of whether or not it can serve; write `ready: notify`';
    return [{ key: 'handover', message }];
  }
  if (probe.type !== 'exec') return [];
  const message =
    'the command of `ready` is asked while the old generation still serves; where that could answer it, write `ready: notify`';
  return [{ key: 'handover', message }];
}

/** Descriptors that are passed have to be below the limit. */
function ofRoom({ sockets, fdStore, settings: { limits } }: ServiceSpec): readonly Warning[] {
  const soft = limits.nofile?.soft ?? null;
  const passed = sockets.length + fdStore;
  if (soft === null || passed === 0 || soft > FIRST_PASSED + passed) return [];
  const message = `${passed} descriptors of \`sockets\` and \`fdStore\` leave no room for its own with nofile: ${soft}; write a higher limit`;
  return [{ key: 'limits', message }];
}

/** Whoever is connected to before the service accepts has not been answered by it. */
function ofHeartbeats({ heartbeats, sockets }: ServiceSpec): readonly Warning[] {
  return heartbeats.flatMap((heartbeat) => {
    const held = sockets.find((socket) => onlyConnects(heartbeat, socket));
    if (held === undefined) return [];
    const message = `heartbeat ${heartbeat.name} only connects to socket ${held.name}, which Upkeep holds: it is good also while the service hangs; ask with \`expect\`, or by http`;
    return [{ key: 'heartbeat', message }];
  });
}

function onlyConnects({ question }: HeartbeatSpec, { address }: SocketSpec): boolean {
  if (question.kind === 'tcp')
    return (
      question.expect === null &&
      address.type === 'tcp' &&
      address.port === question.port &&
      isMetBy(question.host, address.host)
    );
  return (
    question.kind === 'unix' && question.expect === null && address.type === 'stream' && address.path === question.path
  );
}
