// Sockets, stored descriptors and hand-overs against the rest of their service: what cannot be. What is right and yet not what
// it seems is in graceful-warnings.ts, and two sockets that meet are in socket-clash.ts.

import type { SocketSpec } from '../core/socket.js';
import type { ReadyProbe, ServiceSpec } from '../core/spec.js';
import { normalPath } from './plain-path.js';
import type { Place } from './problem.js';
import { below, complain, type Reading } from './shape.js';
import { type Tree, valueAt } from './tree.js';

// Those before it are input, output and errors (sd_listen_fds(3): SD_LISTEN_FDS_START).
export const FIRST_PASSED = 3;

/** `tree`: the effective settings of the service. Reports what is wrong. */
export function checkGraceful(spec: ServiceSpec, tree: Tree, reading: Reading): void {
  const found = [...ofOneshot(spec), ...ofReady(spec), ...ofPaths(spec, tree), ...ofVariables(spec)];
  for (const { way, at, message } of found) {
    const own = way.reduce(below, reading);
    complain(own, at ?? placeOf(way, tree), message);
  }
}

interface Finding {
  /** The keys to what is wrong. */
  readonly way: readonly string[];
  /** Where it stands, where that is not where the way leads. */
  readonly at?: Place;
  readonly message: string;
}

/** What stands there, or the nearest above it that somebody wrote. */
function placeOf(way: readonly string[], tree: Tree): Place {
  let place = tree.at;
  let here: Tree | undefined = tree;
  for (const key of way) {
    here = valueAt(here, key);
    if (here === undefined || here.layer.type === 'upkeep') break;
    place = here.at;
  }
  return place;
}

function ofOneshot({ kind, handover, sockets }: ServiceSpec): readonly Finding[] {
  if (kind.type !== 'supervised' || kind.oneshot === 'no') return [];
  const overlap =
    'found overlap, but a oneshot does its work and ends, so there is nothing to go on beside its next run; write replace';
  const lazy = 'found true, but a oneshot that has ended takes no connection; take it out';
  return [
    ...(handover.mode === 'overlap' ? [{ way: ['handover', 'mode'], message: overlap }] : []),
    ...sockets.filter(isLazy).map(({ name }) => ({ way: ['sockets', name, 'lazy'], message: lazy })),
  ];
}

const isLazy = ({ lazy }: SocketSpec): boolean => lazy === 'yes';

function ofReady(spec: ServiceSpec): readonly Finding[] {
  const { probe } = spec.ready;
  const way = ['ready', probe.type];
  if (probe.type === 'fd') {
    const next = FIRST_PASSED + spec.sockets.length + spec.fdStore;
    if (probe.fd >= next) return [];
    const message = `found ${probe.fd}, but ${FIRST_PASSED} to ${next - 1} are the descriptors of its sockets and of \`fdStore\`; write ${next} or more, or \`ready: notify\``;
    return [{ way, message }];
  }
  if (spec.handover.mode === 'overlap' && ANSWERED_BY_THE_OLD.includes(probe.type)) {
    const message = `with \`handover: overlap\` the old generation would answer this for the new one; write \`ready: notify\``;
    return [{ way, message }];
  }
  const held = spec.sockets.find((socket) => answers(socket, probe));
  if (held === undefined) return [];
  const message = `found socket ${held.name} of its own, which Upkeep listens on before the service does, so this would always be true; write \`ready: notify\``;
  return [{ way, message }];
}

const ANSWERED_BY_THE_OLD: readonly ReadyProbe['type'][] = ['port', 'socket', 'http', 'heartbeat'];

/** Does a connection to this socket, which the kernel accepts for nobody yet, answer the probe? */
function answers({ address }: SocketSpec, probe: ReadyProbe): boolean {
  switch (probe.type) {
    case 'port':
      return address.type === 'tcp' && address.port === probe.port && isMetBy(probe.host, address.host);
    case 'socket':
      return address.type === 'stream' && address.path === normalPath(probe.path);
    case 'alive':
    case 'notify':
    case 'fd':
    case 'http':
    case 'exec':
    case 'log':
    case 'heartbeat':
      return false;
  }
}

const LOOPBACK: readonly string[] = ['localhost', '127.0.0.1', '::1'];

/** Does a connection to this host reach a socket that is bound to that one? null: all addresses. */
export const isMetBy = (asked: string, host: string | null): boolean =>
  host === null ||
  host === '0.0.0.0' ||
  host === '::' ||
  host === asked ||
  (LOOPBACK.includes(asked) && LOOPBACK.includes(host));

/** The path of a held socket is neither removed before a start nor made as a directory. */
function ofPaths({ sockets, clean, directories }: ServiceSpec, tree: Tree): readonly Finding[] {
  return sockets.flatMap(({ name, address }) => {
    if (!('path' in address)) return [];
    const { path } = address;
    const cleaned = `found ${JSON.stringify(path)}, which is socket ${name}; Upkeep holds it over restarts and removes what is stale itself, so take it out`;
    const made = `found ${JSON.stringify(path)}, which \`directories\` makes; write a path in it`;
    return [
      ...(clean.includes(path)
        ? [{ way: ['clean'], at: placeIn(valueAt(tree, 'clean'), path) ?? tree.at, message: cleaned }]
        : []),
      ...(directories.some((one) => one.path === path) ? [{ way: ['sockets', name, 'listen'], message: made }] : []),
    ];
  });
}

const placeIn = (list: Tree | undefined, path: string): Place | undefined =>
  list?.type === 'list'
    ? list.items.find((item) => item.type === 'leaf' && normalPath(item.text) === path)?.at
    : list?.at;

/** What the protocols say in the environment is Upkeep's to say, where it says it. */
function ofVariables(spec: ServiceSpec): readonly Finding[] {
  const passes = spec.sockets.length + spec.fdStore > 0;
  const ours = [
    ...(passes ? ['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES'] : []),
    ...(spec.fdStore > 0 ? ['FDSTORE'] : []),
    ...(spec.notifyAccess === 'none' ? [] : ['NOTIFY_SOCKET']),
    ...(spec.watchdog === null ? [] : ['WATCHDOG_USEC', 'WATCHDOG_PID']),
  ];
  return ours
    .filter((name) => Object.hasOwn(spec.settings.env, name))
    .map((name) => ({ way: ['env', name], message: 'Upkeep sets this itself for the service; take it out' }));
}
