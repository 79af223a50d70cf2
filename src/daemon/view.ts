// What the keeper tells of itself and its services: the status, the card of one service, the facts of `status --keeper`.

import type { Places } from '../cli/places.js';
import type { Configuration } from '../config/load.js';
import { outlookOf } from '../core/outlook.js';
import type { Service } from '../core/state.js';
import { type KeeperStatus, type ServiceStatus, type Status, statusOf, type Viewpoint } from '../core/status.js';
import { iso } from '../core/time.js';
import type { World } from '../core/world.js';
import type { Clock } from '../keeper/ports.js';
import { bootSeconds } from '../kernel/boot-clock.js';
import { bootWallOf } from './boot-wall.js';
import { ownerOf } from './farewell.js';
import type { Before } from './keeper-death.js';

const bootWall = bootWallOf();
/** This program's, by the clock that nobody sets. */
const begunAt = bootSeconds();

export interface ViewParts {
  readonly host: string;
  readonly version: string;
  readonly since: Date;
  readonly places: Places;
  readonly clock: Clock;
  readonly world: () => World;
  readonly configuration: () => Configuration;
  readonly pending: () => boolean;
  readonly problems: () => readonly string[];
  /** How the keeper before ended, when nobody had asked it to. */
  readonly before: Before | null;
  /** What is missing, and what that means for the user. */
  readonly without: readonly { readonly name: string; readonly effect: string }[];
  readonly notEnforced: (service: Service) => readonly string[];
  readonly lossesOf: (service: Service) => { readonly dropped: number; readonly inexactRotations: number };
  /** For how many milliseconds the disk has been busy with one thing. */
  readonly diskLate: () => number;
  readonly counters: () => Readonly<Record<string, number>>;
}

export function statusView(parts: ViewParts): Status {
  return {
    version: 1,
    host: parts.host,
    time: iso(parts.clock.now().wall),
    keeper: keeperStatus(parts),
    services: servicesView(parts),
  };
}

export function servicesView(parts: Pick<ViewParts, 'world' | 'clock' | 'notEnforced'>): readonly ServiceStatus[] {
  const view = viewNow(parts);
  return [...parts.world().services.values()].map((service) => statusOf(service, view));
}

function keeperStatus({ version, since, places, pending, problems, without }: ViewParts): KeeperStatus {
  return {
    pid: process.pid,
    since: since.toISOString(),
    version,
    config: places.config,
    owner: ownerOf(process.env),
    pending: pending(),
    without: without.map(({ name }) => name),
    problems: problems(),
  };
}

/** `upkeep status --keeper`. */
export function keeperView(parts: ViewParts): unknown {
  const { rss, heapUsed } = process.memoryUsage();
  const configuration = parts.configuration();
  return {
    ...keeperStatus(parts),
    host: parts.host,
    without: parts.without,
    paths: parts.places,
    classes: configuration.classes.set,
    elsewhere: configuration.elsewhere,
    uptimeSeconds: Math.round(bootSeconds() - begunAt),
    before: parts.before,
    memory: { rss, heapUsed },
    disk: { lateSeconds: Math.floor(parts.diskLate() / 1000) },
    counters: { ...parts.counters(), logBytesDropped: bytesDropped(parts) },
  };
}

function bytesDropped({ world, lossesOf }: ViewParts): number {
  let sum = 0;
  for (const service of world().services.values()) sum += lossesOf(service).dropped;
  return sum;
}

/** What only operators may see of a service. */
export function detailView(name: string, parts: ViewParts): unknown {
  const service = parts.world().services.get(name);
  if (service === undefined) return null;
  return { spec: service.spec, next: service.next, log: parts.lossesOf(service) };
}

function viewNow({ world, clock, notEnforced }: Pick<ViewParts, 'world' | 'clock' | 'notEnforced'>): Viewpoint {
  const now = clock.now();
  return { now, outlook: outlookOf(world()), bootWall: bootWall(), ticksPerSecond: 100, notEnforced };
}
