// Which configuration counts: the one applied last, or the file. Owns the rule of product.md 1 (last paragraph), the
// question whether the file changed since, and planning and applying. Knows the keeper as a place to post events to.

import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { realDisk } from '../config/disk.js';
import { changedOnDisk } from '../config/files.js';
import { realHost } from '../config/host-facts.js';
import { type Configuration, type Loaded, loadConfig } from '../config/load.js';
import { whyNotTrusted } from '../config/ownership.js';
import { problemText } from '../config/problem.js';
import { isEqual } from '../core/difference.js';
import { applyEvents, type PlanEntry, planOf } from '../core/plan.js';
import type { ServiceSet } from '../core/state.js';
import { brokenConfiguration } from '../core/status.js';
import type { Instant } from '../core/time.js';
import type { Post } from '../keeper/ports.js';

export interface Beginning {
  readonly file: Loaded;
  /** What was applied last, of this boot or an earlier one; null: never anything. */
  readonly applied: Configuration | null;
  /** `same`: a keeper of this boot was here before, and its services may run. */
  readonly boot: 'same' | 'other';
  readonly strict: 'yes' | 'no';
}

export type Decision =
  | {
      readonly type: 'run';
      readonly configuration: Configuration;
      readonly from: 'file' | 'applied';
      readonly problems: readonly string[];
    }
  | { readonly type: 'refuse'; readonly problems: readonly string[] };

/** A keeper that comes back works on under what it had; after a boot the file counts if it is right. */
export function decide({ file, applied, boot, strict }: Beginning): Decision {
  if (file.type === 'bad') {
    const problems = file.problems.map(problemText);
    if (applied === null || strict === 'yes') return { type: 'refuse', problems };
    return {
      type: 'run',
      configuration: applied,
      from: 'applied',
      problems: [`${brokenConfiguration}, the last good one counts:`, ...problems],
    };
  }
  if (boot === 'same' && applied !== null && applied.path === file.config.path)
    return { type: 'run', configuration: applied, from: 'applied', problems: [] };
  return { type: 'run', configuration: file.config, from: 'file', problems: [] };
}

export interface Applying {
  readonly path: string;
  readonly uid: number;
  readonly post: Post;
  readonly services: () => ServiceSet;
  readonly now: () => Instant;
  /** Records the new configuration before anything of it is acted on. */
  readonly keep: (configuration: Configuration) => void;
}

export type PlanAnswer =
  | {
      readonly type: 'ok';
      readonly entries: readonly PlanEntry[];
      /** Keys beside the services that change. */
      readonly also: readonly string[];
      readonly warnings: readonly string[];
    }
  | { readonly type: 'bad'; readonly problems: readonly string[] };

export class CurrentConfiguration {
  readonly #parts: Applying;
  #current: Configuration;
  #problems: readonly string[];
  #look: { readonly marks: string; readonly pending: boolean } | null = null;

  constructor(parts: Applying, current: Configuration, problems: readonly string[]) {
    this.#parts = parts;
    this.#current = current;
    this.#problems = problems;
  }

  get current(): Configuration {
    return this.#current;
  }

  /** What is wrong with the file, as every status begins with it. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  /** Did a file change since it was applied, come, or go? Bytes are read only when the marks of a file changed (inode, size, times). */
  get pending(): boolean {
    const { sources } = this.#current;
    const marks = [
      ...sources.files.map(({ path }) => marksOf(path)),
      ...sources.globs.map(({ pattern }) => marksOf(dirname(pattern))),
    ].join(' ');
    if (this.#look?.marks === marks) return this.#look.pending;
    const pending = changedOnDisk(sources, realDisk) !== null;
    this.#look = { marks, pending };
    return pending;
  }

  /** What applying this file (the keeper's own where null) would do. */
  plan(path: string | null): PlanAnswer {
    const loaded = loadFile(path ?? this.#parts.path, this.#parts.uid);
    if (loaded.type === 'bad') return { type: 'bad', problems: loaded.problems.map(problemText) };
    return {
      type: 'ok',
      entries: planOf(this.#parts.services(), loaded.config.specs),
      also: otherKeys(this.#current, loaded.config),
      warnings: loaded.warnings.map(problemText),
    };
  }

  /** Reads the keeper's file and changes just what differs; a broken one changes nothing. */
  apply(): PlanAnswer {
    const { post, services, now, keep, path, uid } = this.#parts;
    const loaded = loadFile(path, uid);
    if (loaded.type === 'bad') {
      this.#problems = [`${brokenConfiguration}, the one applied before counts:`, ...loaded.problems.map(problemText)];
      return { type: 'bad', problems: loaded.problems.map(problemText) };
    }
    const entries = planOf(services(), loaded.config.specs);
    const also = otherKeys(this.#current, loaded.config);
    keep(loaded.config);
    this.#current = loaded.config;
    this.#problems = [];
    this.#look = null;
    post({ type: 'together', events: applyEvents(services(), loaded.config.specs, now()) });
    return { type: 'ok', entries, also, warnings: loaded.warnings.map(problemText) };
  }
}

const otherKeys = (before: Configuration, after: Configuration): readonly string[] =>
  (['notices', 'keeper', 'classes'] as const).filter((key) => !isEqual(before[key], after[key]));

/**
 * The same, but the file at `path` is parsed only if that can matter: a thousand services are parsed for longer than they
 * are adopted, and of a keeper that comes back to an unchanged file it is known what comes of it.
 */
export function decideAt(path: string, uid: number, { applied, boot, strict }: Omit<Beginning, 'file'>): Decision {
  if (boot === 'same' && applied !== null && applied.path === path && standsAsApplied(applied, uid) === 'yes')
    return { type: 'run', configuration: applied, from: 'applied', problems: [] };
  return decide({ file: loadFile(path, uid), applied, boot, strict });
}

/** Is every file that this was read from still the same, byte for byte, and still to be believed? Nothing is parsed. */
function standsAsApplied({ sources }: Configuration, uid: number): 'yes' | 'no' {
  try {
    const isTrusted = sources.files.every(({ path }) => whyNotTrusted(path, { uid }, realDisk) === null);
    return isTrusted && changedOnDisk(sources, realDisk) === null ? 'yes' : 'no';
  } catch {
    return 'no';
  }
}

/** The file as the keeper of this user reads it. */
export function loadFile(path: string, uid: number): Loaded {
  return loadConfig({ path, facts: realHost(), environment: process.env, who: { uid } });
}

function marksOf(path: string): string {
  try {
    const { ino, size, mtimeMs, ctimeMs } = statSync(path);
    return `${ino}:${size}:${mtimeMs}:${ctimeMs}`;
  } catch {
    return 'gone';
  }
}
