// What a process is told of sd_notify in its environment: where to say how it is, how often it has to say that it lives, and
// how many descriptors it may keep. Pure. WATCHDOG_PID is not here: only the process itself knows it.

import type { Role } from '../core/effect.js';
import type { ServiceSpec } from '../core/spec.js';

/** `path`: of the socket of this service. */
export function notifyEnvironment(
  { notifyAccess, watchdog, fdStore }: Pick<ServiceSpec, 'notifyAccess' | 'watchdog' | 'fdStore'>,
  role: Role,
  path: string,
): Readonly<Record<string, string>> {
  const isMain = role === 'main';
  const env: Record<string, string> = {};
  if (notifyAccess !== 'none' && (isMain || notifyAccess !== 'main')) env.NOTIFY_SOCKET = path;
  if (isMain && watchdog !== null) env.WATCHDOG_USEC = String(Math.round(watchdog * 1000));
  if (isMain && fdStore > 0) env.FDSTORE = String(fdStore);
  return env;
}
