// All files put together: what is declared, each name once, each section that there may be one of once. Reads every
// file with the table of the top level; does not yet look at services as wholes.

import type { NoticesSpec } from '../core/notice-spec.js';
import type { ConfigFile } from './files.js';
import type { Named } from './named.js';
import { gatherProblems, lineText, type Problems } from './problem.js';
import { readFields } from './record.js';
import type { Placed, Reading } from './shape.js';
import { type ClassRule, configuration, type KeeperSettings, ourKeeper, topKeys } from './top-keys.js';
import { type Dict, type Entry, entryOf, isNull, type Tree, valueAt } from './tree.js';

export interface Parts {
  readonly classes: readonly Named<Placed<ClassRule>>[];
  /** Every name that stands in a `classes`, also one whose rule could not be read. */
  readonly classNames: readonly string[];
  readonly defaults: Dict | null;
  readonly templates: ReadonlyMap<string, Dict>;
  readonly services: ReadonlyMap<string, Dict>;
  readonly keeper: KeeperSettings;
  readonly notices: NoticesSpec | null;
  readonly noticesTree: Tree | null;
}

// One of each in all files together: where two would be mixed, nobody could see which counts.
const SINGLE = ['defaults', 'keeper', 'notices'] as const;

/** Reads the sections of all files. What is wrong is reported and left out. */
export function gatherParts(files: readonly ConfigFile[], problems: Problems): Parts {
  const classes: Named<Placed<ClassRule>>[] = [];
  const templates = new Map<string, Dict>();
  const services = new Map<string, Dict>();
  let defaults: Dict | null = null;
  let keeper = ourKeeper();
  let notices: NoticesSpec | null = null;
  let noticesTree: Tree | null = null;
  const seen = new Map<string, Entry>();
  const isFirst = (identity: string, what: string, entry: Entry): boolean => {
    const first = seen.get(identity);
    if (first === undefined) seen.set(identity, entry);
    else problems.report(entry.at, null, `${what} is defined twice; the first is in ${lineText(first.at, entry.at)}`);
    return first === undefined;
  };

  for (const { tree } of files) {
    const expanded = configuration.expand(tree);
    if (expanded.type !== 'dict') continue;
    const { values } = readFields(topKeys, expanded, { problems, key: '', mode: 'whole' });
    for (const key of SINGLE) {
      const entry = entryOf(expanded, key);
      if (entry === undefined || isNull(entry.value) || !isFirst(key, `\`${key}\``, entry)) continue;
      if (key === 'defaults') defaults = values.defaults?.type === 'dict' ? values.defaults : null;
      if (key === 'keeper') keeper = values.keeper ?? keeper;
      if (key === 'notices') [notices, noticesTree] = [values.notices ?? null, entry.value];
    }
    for (const one of values.classes ?? []) {
      if (isFirst(`classes.${one.entry.key}`, `the class ${one.entry.key}`, one.entry)) classes.push(one);
    }
    for (const { entry, value } of values.templates ?? []) {
      if (isFirst(`templates.${entry.key}`, `the template ${entry.key}`, entry) && value.type === 'dict')
        templates.set(entry.key, value);
    }
    for (const { entry, value } of values.services ?? []) {
      if (isFirst(`services.${entry.key}`, `the service ${entry.key}`, entry) && value.type === 'dict')
        services.set(entry.key, value);
    }
  }
  refuseExtends(defaults, problems);
  return { classes, classNames: classNamesOf(files), defaults, templates, services, keeper, notices, noticesTree };
}

/** The `include` of one file, read apart because other files follow from it; its mistakes are told by gatherParts. */
export function includesOf(tree: Dict): readonly Placed<string>[] {
  const unheard: Reading = { problems: gatherProblems(), key: '', mode: 'whole' };
  const include = valueAt(tree, 'include');
  const { shape } = topKeys.include;
  return include === undefined ? [] : (shape.read(shape.expand(include), unheard) ?? []);
}

function refuseExtends(defaults: Dict | null, problems: Problems): void {
  const entry = defaults === null ? undefined : entryOf(defaults, 'extends');
  if (entry !== undefined)
    problems.report(
      entry.at,
      'defaults.extends',
      'defaults extend nothing; write `extends` in a template or a service',
    );
}

function classNamesOf(files: readonly ConfigFile[]): readonly string[] {
  return files.flatMap(({ tree }) => {
    const named = valueAt(tree, 'classes');
    return named?.type === 'dict' ? named.entries.map((entry) => entry.key) : [];
  });
}
