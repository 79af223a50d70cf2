// `upkeep status --keeper`: the keeper itself, what is missing on this host and what that means. Pure.

import { inWords, type KeeperStatus, type Status } from '../core/status.js';
import { blockOf, type Labelled } from './block.js';
import type { KeeperFacts } from './keeper-facts.js';
import type { Paint } from './paint.js';
import type { Places } from './places.js';
import { keeperText, problemLines } from './status-view.js';
import { printable } from './text-width.js';
import { clockText, sinceText } from './time-text.js';

export interface KeeperView {
  readonly status: Status;
  readonly facts: KeeperFacts;
  readonly places: Places;
  readonly now: number;
  readonly columns: number | null;
  readonly paint: Paint;
}

export function keeperLines({ status, facts, places, now, columns, paint }: KeeperView): readonly string[] {
  const { keeper } = status;
  const about: readonly Labelled[] = [
    ['pid', `${keeper.pid}, since ${clockText(keeper.since, now)} (${ageText(keeper, facts, now)})`],
    ['before', facts.before === null ? null : printable(facts.before)],
    ['version', keeper.version],
    ['configuration', keeper.pending ? `${keeper.config} (changed since it was applied)` : keeper.config],
    ['kept by', keeper.owner ?? 'nobody: when it ends it stays away; `upkeep install` changes that'],
    ['services', `${status.services.length}, and ${facts.elsewhere.length} for other hosts`],
    ['socket', places.socket],
    ...facts.paths.map(([name, path]): Labelled => [name, printable(path)]),
    ['disk', diskText(facts)],
    ...facts.figures.map(([name, value]): Labelled => [name, printable(value)]),
  ];
  const missing = facts.without.map(({ name, effect }): Labelled => [name, printable(effect)]);
  return [
    ...problemLines(status, paint),
    paint('bold', `${status.host}: ${keeperText(places)}`),
    ...blockOf(about, columns, paint),
    '',
    ...(missing.length === 0
      ? ['nothing is missing on this host']
      : ['missing on this host, and what that means:', ...blockOf(missing, columns, paint)]),
  ];
}

/** By the keeper's own clock, where it says it: somebody may have set the other. */
const ageText = ({ since }: KeeperStatus, { uptimeSeconds }: KeeperFacts, now: number): string =>
  uptimeSeconds === null ? sinceText(since, now) : inWords(uptimeSeconds * 1000);

/** Every job is short: what takes this long is a disk that hangs, or one that is far too busy. */
const lateDisk = 5;

const diskText = ({ diskLateSeconds }: KeeperFacts): string | null =>
  diskLateSeconds < lateDisk
    ? null
    : `has not answered for ${inWords(diskLateSeconds * 1000)}: logs are not rotated, operators' words not made to last; services are kept all the same`;
