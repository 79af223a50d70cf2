// A command beside a service that is no part of its start or stop: a readiness probe, or what stands for a failed heartbeat. Its
// output is thrown away, and it is killed with its group when nobody wants it any more. It must not know what comes of it.

import type { ExitStatus } from '../core/process.js';
import type { Command, ServiceSpec } from '../core/spec.js';
import type { Exits } from './exits.js';
import type { Features } from './features.js';
import { signalGroup } from './signals.js';
import { type Order, type Spawned, spawn } from './spawn.js';

export interface Errand {
  readonly role: Exclude<Order['role'], 'main'>;
  readonly spec: ServiceSpec;
  readonly command: Command;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** `failed`: it could not be started. */
export type ErrandEnd = ExitStatus | Extract<Spawned, { type: 'failed' }>;

/** Never rejects. */
export function runErrand(
  { role, spec, command, env, signal }: Errand,
  token: string,
  { exits, features }: { readonly exits: Exits; readonly features: Features },
): Promise<ErrandEnd> {
  return new Promise((resolve) => {
    const done = spawn(
      { spec, command, role, generation: 0, token, env, output: null, passed: [], ownPid: [] },
      features,
    );
    if (done.type === 'failed') return resolve(done);
    const end = (): void => void signalGroup(done.process, 'SIGKILL', features);
    signal.addEventListener('abort', end, { once: true });
    const onExit = ({ status }: { readonly status: ExitStatus }): void => {
      signal.removeEventListener('abort', end);
      resolve(status);
    };
    exits.follow(`${role} ${spec.name}`, done.process, onExit, { pidfd: done.pidfd });
    if (signal.aborted) end();
  });
}
