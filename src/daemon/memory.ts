// What earlier keepers left behind, and the services as it says they are: of this boot from the runtime directory, of all
// boots from the state directory. Reads; what is written there is written elsewhere.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Places } from '../cli/places.js';
import type { Configuration } from '../config/load.js';
import { shareParts } from '../config/share.js';
import { newService, type Service } from '../core/state.js';
import type { Instant } from '../core/time.js';
import { appliedIn } from '../journal/applied.js';
import { readJson } from '../journal/durable-file.js';
import { type Found, RuntimeJournal } from '../journal/journal.js';
import { restore } from '../journal/snapshot.js';
import { type Word, wordsIn } from '../journal/words.js';
import type { Report } from '../keeper/ports.js';

export interface Memory {
  readonly journal: RuntimeJournal;
  readonly words: ReadonlyMap<string, Word>;
  readonly applied: Configuration | null;
}

/** Throws a sentence where the journal of this boot may not be used: it is another user's, or a newer program's. */
export function remember(places: Places, host: string, uid: number, report: Report): Memory {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const journal = new RuntimeJournal({
    path: join(places.runtime, 'journal'),
    boot,
    host,
    uid,
    freshToken: randomBytes(12).toString('hex'),
    report,
  });
  return { journal, words: readWords(places.state, report), applied: readApplied(places, journal.found, report) };
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

function readApplied({ runtime, state }: Places, { boot }: Found, report: Report): Configuration | null {
  for (const path of [...(boot === 'same' ? [join(runtime, 'applied.json')] : []), join(state, 'applied.json')]) {
    try {
      const applied = appliedIn<Configuration>(readJson(path), path);
      if (applied !== null) return { ...applied.configuration, specs: shareParts(applied.configuration.specs) };
    } catch (error) {
      report('the last good configuration cannot be read', error);
    }
  }
  return null;
}

/** Every service of the configuration, as it was left, or as an operator's word that outlived the boot has it. */
export function* servicesOf(
  configuration: Configuration,
  { journal, words }: Memory,
  now: Instant,
): Generator<Service> {
  for (const spec of configuration.specs) {
    const snapshot = journal.found.snapshots.get(spec.name);
    if (snapshot !== undefined && snapshot.service.fate === 'stays') {
      yield restore(snapshot, spec);
      continue;
    }
    // The keeper before ended and took it down: it begins anew, with what operators said and what is remembered of its past.
    const word = snapshot?.service ?? words.get(spec.name);
    const { generation = 0, lastDeath = null } = snapshot?.service ?? {};
    yield {
      ...newService(spec, now),
      override: word?.override ?? null,
      hold: word?.hold ?? null,
      generation,
      lastDeath,
    };
  }
  const known = new Set<string>(configuration.specs.map((spec) => spec.name));
  for (const snapshot of journal.found.snapshots.values()) {
    // On its way out of the configuration when the keeper before was killed: the way is gone to its end.
    if (!known.has(snapshot.name) && snapshot.oldSpec !== null)
      yield { ...snapshot.service, spec: snapshot.oldSpec, next: null, fate: 'removed' };
  }
}
