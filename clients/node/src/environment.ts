// What whoever started this process says in its environment, read once and taken out of it, so that no child takes the words
// for its own. Knows no descriptor and opens nothing.

import { type Handed, handedIn } from './alone/handed.js';
import { type NamedDescriptor, socketsIn } from './sockets.js';
import { watchdogIn } from './watchdog.js';

/** Who started us, and what it told us alone. */
export type Origin =
  | {
      readonly manager: 'upkeep';
      readonly socket: string;
      readonly service: string;
      readonly generation: number;
      readonly handover: 'overlap' | 'replace';
      /** The generation that goes on beside us until we are accepted; null: none, we may serve at once. */
      readonly succeeds: number | null;
      readonly stateFile: string | null;
    }
  /** `storeMax`: how many descriptors it keeps for us; older ones do not say. */
  | { readonly manager: 'systemd'; readonly runtimeDirectory: string | null; readonly storeMax: number | null }
  | { readonly manager: 'alone'; readonly handed: Handed | null };

export interface Surroundings {
  readonly origin: Origin;
  readonly notifySocket: string | null;
  /** How often to say that we live, in ms; null: nobody waits for it. */
  readonly watchdog: number | null;
  readonly sockets: readonly NamedDescriptor[];
}

/** Words that mean this process and none of its children. UPKEEP_SERVICE and the like stay: by them the keeper knows its kin. */
const OURS = [
  'NOTIFY_SOCKET',
  'LISTEN_FDS',
  'LISTEN_PID',
  'LISTEN_PIDFDID',
  'LISTEN_FDNAMES',
  'WATCHDOG_USEC',
  'WATCHDOG_PID',
  'FDSTORE',
  'UPKEEP_HANDOVER',
  'UPKEEP_STOP_WITHIN',
  'UPKEEP_SUCCEEDS',
  'UPKEEP_STATE_FILE',
  'UPKEEP_SERVICE_HANDED',
] as const;

/** @throws where LISTEN_FDNAMES does not go with LISTEN_FDS */
export function surroundings(env: NodeJS.ProcessEnv, pid: number): Surroundings {
  const handed = handedIn(env.UPKEEP_SERVICE_HANDED);
  return {
    origin: originOf(env, pid, handed),
    notifySocket: handed === null ? (env.NOTIFY_SOCKET ?? null) : null,
    watchdog: handed === null ? watchdogIn(env, pid) : null,
    sockets: handed === null ? socketsIn(env, pid) : handed.sockets,
  };
}

export function forget(env: NodeJS.ProcessEnv): void {
  for (const name of OURS) delete env[name];
}

function originOf(env: NodeJS.ProcessEnv, pid: number, handed: Handed | null): Origin {
  if (handed !== null) return { manager: 'alone', handed };
  const { UPKEEP_SOCKET: socket, UPKEEP_SERVICE: service, UPKEEP_HANDOVER: handover } = env;
  // The children of a service inherit the first two, and are no service by that.
  if (socket !== undefined && service !== undefined && handover !== undefined)
    return {
      manager: 'upkeep',
      socket,
      service,
      generation: numberIn(env.UPKEEP_GENERATION) ?? 0,
      handover: handover === 'overlap' ? 'overlap' : 'replace',
      succeeds: numberIn(env.UPKEEP_SUCCEEDS),
      stateFile: env.UPKEEP_STATE_FILE ?? null,
    };
  // A service without Type=notify has no NOTIFY_SOCKET; its children inherit the second, with another's number in it.
  if (env.NOTIFY_SOCKET !== undefined || env.SYSTEMD_EXEC_PID === String(pid))
    return {
      manager: 'systemd',
      runtimeDirectory: env.RUNTIME_DIRECTORY?.split(':')[0] ?? null,
      storeMax: numberIn(env.FDSTORE),
    };
  return { manager: 'alone', handed: null };
}

function numberIn(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
