// What a new definition means for a running service: which of the changed settings are baked into its process and need
// a new one, and which hold from now on. Pure; used by the machine, by `plan` and by `apply`.

import type { SocketSpec } from './socket.js';
import type { ServiceSpec } from './spec.js';

/** Settings that a process is born with. Everything else of a spec (stop, reload, ready, restart, heartbeats, coupling, hooks, clean state, hand-over, log rotation, words for people) is live, but for what is told at birth below. */
const bakedIn = [
  'user',
  'group',
  'groups',
  'cwd',
  'umask',
  'env',
  'envFiles',
  'inheritEnv',
  'limits',
  'nice',
  'oomScoreAdjust',
  'noNewPrivileges',
  'capabilities',
  'memory',
] as const;

const live = [
  'description',
  'runbook',
  'tags',
  'desired',
  'leftovers',
  'directories',
  'clean',
  'hooks',
  'ready',
  'restart',
  'log',
  'sockets',
  'fdStore',
  'handover',
  'watchdog',
] as const;

const coupled = ['needs', 'wants', 'after', 'restartWith'] as const;

/** The keys whose change needs a new process; empty: the new definition is live at once. For a watched service: those that mean another daemon. */
export function needsRestart(before: ServiceSpec, after: ServiceSpec): readonly string[] {
  if (before.kind.type !== after.kind.type) return [after.kind.type === 'supervised' ? 'run' : 'watch'];
  if (before.kind.type === 'watched' && after.kind.type === 'watched') {
    // Its process was started by somebody else's command: our settings hold for the commands that we start from now on.
    return isEqual(before.kind.pattern, after.kind.pattern) ? [] : ['watch'];
  }
  const keys: string[] = [];
  if (before.kind.type === 'supervised' && after.kind.type === 'supervised') {
    if (!isEqual(before.kind.run.argv, after.kind.run.argv)) keys.push('run');
    if (before.kind.oneshot !== after.kind.oneshot) keys.push('oneshot');
  }
  for (const key of bakedIn) {
    if (!isEqual(before.settings[key], after.settings[key])) keys.push(key === 'envFiles' ? 'envFile' : key);
  }
  if (before.log.to !== after.log.to) keys.push('log');
  return [...keys, ...toldAtBirth(before, after)];
}

/** What a process hears of in its environment, and is given as descriptors. How many it may store, and which of its processes may speak, is live. */
function toldAtBirth(before: ServiceSpec, after: ServiceSpec): readonly string[] {
  return [
    ...(isEqual(socketsByName(before), socketsByName(after)) ? [] : ['sockets']),
    ...((before.fdStore === 0) === (after.fdStore === 0) ? [] : ['fdStore']),
    ...(before.watchdog === after.watchdog ? [] : ['watchdog']),
    ...((before.notifyAccess === 'none') === (after.notifyAccess === 'none') ? [] : ['notify']),
  ];
}

/** Their order counts at the next start, and `lazy` while nothing runs. */
const socketsByName = ({ sockets }: ServiceSpec): Readonly<Record<string, SocketSpec>> =>
  Object.fromEntries(sockets.map((socket) => [socket.name, { ...socket, lazy: 'no' }]));

/** Every top-level part that differs, as its key in the configuration; empty: nothing changed. */
export function changedKeys(before: ServiceSpec, after: ServiceSpec): readonly string[] {
  const keys = new Set<string>(needsRestart(before, after));
  for (const key of live) if (!isEqual(before[key], after[key])) keys.add(key);
  for (const key of coupled) if (!isEqual(before.coupling[key], after.coupling[key])) keys.add(key);
  if (!isEqual(before.pool, after.pool)) keys.add('instances');
  if (!isEqual(before.heartbeats, after.heartbeats)) keys.add('heartbeat');
  if (before.notifyAccess !== after.notifyAccess) keys.add('notify');
  for (const key of bakedIn) {
    if (!isEqual(before.settings[key], after.settings[key])) keys.add(key === 'envFiles' ? 'envFile' : key);
  }
  const was: Readonly<Record<string, unknown>> = { ...before.kind };
  const is: Readonly<Record<string, unknown>> = { ...after.kind };
  const names: Readonly<Record<string, string>> = { pattern: 'watch', restart: 'restartCommand' };
  for (const key of new Set([...Object.keys(was), ...Object.keys(is)])) {
    if (key !== 'type' && !isEqual(was[key], is[key])) keys.add(names[key] ?? key);
  }
  return [...keys];
}

/** Equal as plain data, whatever the order of keys. */
export function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const left = Object.entries(a);
  const right = new Map<string, unknown>(Object.entries(b));
  return left.length === right.size && left.every(([key, value]) => right.has(key) && isEqual(value, right.get(key)));
}
