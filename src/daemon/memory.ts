// What earlier keepers left behind, and the services as it says they are: of this boot from the runtime directory, of all
// boots from the state directory.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Places } from '../cli/places.js';
import type { Configuration } from '../config/load.js';
import { shareParts } from '../config/share.js';
import { type Comeback, comebacks } from '../core/comeback.js';
import { wholeSpec } from '../core/older.js';
import type { ServiceSpec } from '../core/spec.js';
import { mainOf, newService, type Outgoing, type Service } from '../core/state.js';
import type { Instant } from '../core/time.js';
import { type Applied, appliedIn, appliedText } from '../journal/applied.js';
import { readJson, replaceFile } from '../journal/durable-file.js';
import { type WriteJob, writeJob } from '../journal/job.js';
import { type Found, findIn, type JournalPlace, RuntimeJournal } from '../journal/journal.js';
import { restore } from '../journal/snapshot.js';
import { type Word, wordsIn } from '../journal/words.js';
import type { Report } from '../keeper/ports.js';
import { ticksNow } from '../kernel/boot-clock.js';
import { isThere } from '../kernel/identity.js';
import { pidEra } from '../kernel/pid-era.js';

/** What was found. */
export interface Recollection {
  readonly found: Found;
  readonly words: ReadonlyMap<string, Word>;
  readonly applied: Configuration | null;
}

export interface Memory extends Recollection {
  readonly journal: RuntimeJournal;
}

/** Reads, and takes the journal over. Throws a sentence where that of this boot may not be used: it is another user's, or a newer program's. */
export function remember(places: Places, host: string, uid: number, report: Report): Memory {
  const journal = new RuntimeJournal({
    ...journalOf(places, host, uid),
    freshToken: randomBytes(12).toString('hex'),
    ticks: ticksNow,
    report,
  });
  return { journal, ...restOf(places, journal.found, report) };
}

/** Reads the same, and writes nothing: for who only wants to know whether it could be used. */
export function recall(places: Places, host: string, uid: number, report: Report): Recollection {
  return restOf(places, findIn(journalOf(places, host, uid)), report);
}

function journalOf({ runtime }: Places, host: string, uid: number): JournalPlace {
  const boot = pidEra();
  return { path: join(runtime, 'journal'), boot, host, uid };
}

function restOf(places: Places, found: Found, report: Report): Recollection {
  return { found, words: readWords(places.state, report), applied: readApplied(places, found, report) };
}

function readWords(state: string, report: Report): ReadonlyMap<string, Word> {
  const path = join(state, 'words.json');
  try {
    return wordsIn(readJson(path), path);
  } catch (error) {
    report('what operators said before the last boot is lost', error);
    return new Map();
  }
}

/** Of this boot the runtime directory has it; should it not have been writable, the state directory's is newer. */
function readApplied({ runtime, state }: Places, { boot }: Found, report: Report): Configuration | null {
  let newest: Applied<Configuration> | null = null;
  for (const path of [...(boot === 'same' ? [appliedPath(runtime)] : []), appliedPath(state)]) {
    try {
      const applied = appliedIn<Configuration>(readJson(path), path);
      if (applied !== null && (newest === null || applied.at > newest.at)) newest = applied;
    } catch (error) {
      report('the last good configuration cannot be read', error);
    }
  }
  if (newest === null) return null;
  const { configuration } = newest;
  return { ...configuration, specs: shareParts(configuration.specs.map(wholeSpec)) };
}

const appliedPath = (directory: string): string => join(directory, 'applied.json');

/**
 * Keeps an applied configuration: in the runtime directory at once, before any service hears of it, so that a keeper that is
 * killed at any instant of an apply leaves services that differ from it and are brought to it, never the other way round;
 * in the state directory when the disk has time.
 */
export function keepApplied(
  { runtime, state }: Places,
  configuration: Configuration,
  send: (job: WriteJob) => void,
): void {
  const text = appliedText(configuration, Date.now());
  try {
    replaceFile(appliedPath(runtime), text);
  } catch {
    // No second writer of this file: an older apply could land last. The state directory's is newer then, and counts.
  }
  send(writeJob(appliedPath(state), text));
}

/** Every service of the configuration, as it was left, or as an operator's word that outlived the boot has it; and those that are on their way out of it. */
export function servicesOf(
  configuration: Configuration,
  { found, words }: Pick<Recollection, 'found' | 'words'>,
  now: Instant,
  unrecorded: ReadonlyMap<string, number> = new Map(),
): Iterable<Comeback> {
  const specs = new Map<string, ServiceSpec>(configuration.specs.map((spec) => [spec.name, spec]));
  const left = new Map<string, Service>();
  for (const [name, snapshot] of found.snapshots) {
    const service = restore(snapshot, specs.get(name) ?? null);
    if (service !== null) left.set(name, service);
  }
  for (const spec of configuration.specs) {
    const generation = unrecorded.get(spec.name);
    const known = left.get(spec.name);
    if (generation === undefined || spec.kind.type !== 'supervised') continue;
    // Its record is lost, or there was no room for it: as if the keeper had died between the order to start it and what came of it.
    const was = known ?? { ...newService(spec, now), ...words.get(spec.name) };
    left.set(spec.name, ordered({ ...was, generation }, now));
  }
  return comebacks(left, configuration.specs, (name) => words.get(name), now);
}

/** The highest number that was given to a generation of it, also to one that never took over: of those, no newer one was lost. */
export const newestGeneration = ({ generation, draining, unborn, state }: Omit<Service, 'spec' | 'next'>): number =>
  Math.max(
    generation,
    state.name === 'handover' ? state.generation : 0,
    ...[...draining, ...unborn].map((one) => one.generation),
  );

function ordered(service: Service, now: Instant): Service {
  const nobody = { why: 'restart', setback: null, hook: 0, process: null, helper: null, deadline: null } as const;
  // It would not have been ordered before nothing was left of the generation before: what is recorded of a rest is older than that, and to
  // end it would end this one.
  return {
    ...{ ...service, rest: null, draining: [...service.draining, ...displaced(service, now)] },
    state: { name: 'starting', phase: 'launching', since: now, ...nobody },
  };
}

/** The main process that is recorded, where it lives beside the newer one: a hand-over was lost, and it is to end. */
function displaced(service: Service, now: Instant): readonly Outgoing[] {
  const process = mainOf(service);
  if (process === null || !isThere(process)) return [];
  const { generation } = service;
  return [{ process, generation, since: now, why: 'drained', phase: 'asked', cut: 'no', deadline: now }];
}
