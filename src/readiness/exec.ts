// Ready when a command exits 0. Knows nothing of how commands are run and ended.

import type { ExitStatus } from '../core/process.js';
import type { Command, ServiceSpec } from '../core/spec.js';
import type { Attempt } from './attempt.js';

/**
 * Runs a command as a process of this service would be run (its user, environment, limits), without a shell, its output
 * thrown away. Resolves with how it ended; never rejects: what cannot be started has ended `unknown`. When `signal`
 * aborts, it and its group are killed first.
 */
export type RunCommand = (command: Command, spec: ServiceSpec, signal: AbortSignal) => Promise<ExitStatus>;

export function execProbe(command: Command, spec: ServiceSpec, run: RunCommand): Attempt {
  return async (signal) => {
    const status = await run(command, spec, signal);
    return status.type === 'exited' && status.code === 0 ? 'ready' : 'not yet';
  };
}
