// What a process is told of sd_notify in its environment: where to say how it is, how often it has to say that it lives, and
// how many descriptors it may keep. Pure. WATCHDOG_PID is not here: only the process itself knows it.

import type { Role } from '../core/effect.js';
import type { ServiceSpec } from '../core/spec.js';

/** `path`: of the socket of this service. `keeper`: our own pid. */
export function notifyEnvironment(
  { notifyAccess, watchdog, fdStore }: Pick<ServiceSpec, 'notifyAccess' | 'watchdog' | 'fdStore'>,
  role: Role,
  path: string,
  keeper: number,
): Readonly<Record<string, string>> {
  const isMain = role === 'main';
  const env: Record<string, string> = {};
  if (notifyAccess !== 'none' && (isMain || notifyAccess !== 'main')) {
    env.NOTIFY_SOCKET = path;
    // systemd-notify of root speaks in the name of its parent, unless that is the manager: then it is itself the command.
    env.MANAGERPID = String(keeper);
  }
  if (isMain && watchdog !== null) env.WATCHDOG_USEC = String(Math.round(watchdog * 1000));
  if (isMain && fdStore > 0) env.FDSTORE = String(fdStore);
  return env;
}
