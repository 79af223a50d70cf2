// Which classes are set on this host, and which names may stand in an expression at all. Soft classes are declared in
// `classes`, named in `keeper.classes`, or given by UPKEEP_CLASSES and the command line.

import { type ClassExpression, classNameOf, isTrue, namesIn } from '../core/classes.js';
import { globRegex, isGlob } from './glob.js';
import { type HostFacts, hardFamilies, isHardFamily } from './host-facts.js';
import type { Named } from './named.js';
import type { Problems } from './problem.js';
import type { Placed } from './shape.js';
import { didYouMean } from './suggest.js';
import type { ClassRule } from './top-keys.js';
import { placeInside, type Tree } from './tree.js';

export interface Classes {
  readonly isSet: (name: string) => boolean;
  readonly isKnown: (name: string) => boolean;
  /** Everything that is set here, sorted. */
  readonly set: readonly string[];
  /** Declared, and not set here, sorted. */
  readonly unset: readonly string[];
  /** All names that would do, to suggest from. */
  readonly known: readonly string[];
}

export interface Declared {
  readonly rules: readonly Named<Placed<ClassRule>>[];
  /** Names that stand in `classes`, readable or not, so that a mistake is told once. */
  readonly names: readonly string[];
  /** `keeper.classes`. */
  readonly keeper: readonly string[];
}

/** Decides every soft class. Circles, unknown names and names that belong to the host are reported. */
export function decideClasses(facts: HostFacts, declared: Declared, problems: Problems): Classes {
  const rules = new Map(declared.rules.map((rule) => [rule.entry.key, rule]));
  const given = new Set([...facts.given, ...declared.keeper]);
  const hard = new Set(facts.hard);
  const declaredNames = new Set([...declared.names, ...given]);
  const hostNames = new Set(declared.rules.flatMap(plainHosts));
  const isKnown = (name: string): boolean =>
    declaredNames.has(name) || hard.has(name) || hostNames.has(name) || isHardFamily(name);
  const known = [...declaredNames, ...hard, ...hostNames, ...hardFamilies];

  for (const { entry, value } of declared.rules) {
    const key = `classes.${entry.key}`;
    if (isHardFamily(entry.key)) {
      problems.report(
        entry.at,
        key,
        `${entry.key} is a class that the host itself has or has not; choose another name`,
      );
    }
    if (value.value.type === 'expression') {
      checkNames(value.value.written.expression, value.tree, key, { isKnown, known }, problems);
    }
  }

  const decided = new Map<string, boolean>();
  const decide = (name: string, path: readonly string[]): boolean => {
    if (hard.has(name) || given.has(name)) return true;
    const before = decided.get(name);
    if (before !== undefined) return before;
    const rule = rules.get(name);
    if (rule === undefined) return false;
    if (path.includes(name)) {
      const circle = [...path.slice(path.indexOf(name)), name].join(' → ');
      problems.report(rule.value.tree.at, `classes.${name}`, `is defined by itself: ${circle}; take one of them out`);
      return false;
    }
    const value = holds(rule.value.value, facts, (other) => decide(other, [...path, name]));
    decided.set(name, value);
    return value;
  };

  const soft = [...declaredNames];
  const isSet = (name: string): boolean => decide(name, []);
  const set = [...new Set([...hard, ...soft.filter(isSet)])].toSorted();
  return { isSet, isKnown, set, unset: soft.filter((name) => !isSet(name)).toSorted(), known };
}

/** Reports every name of an expression that no host could have. */
export function checkNames(
  expression: ClassExpression,
  tree: Tree,
  key: string,
  classes: Pick<Classes, 'isKnown' | 'known'>,
  problems: Problems,
): void {
  for (const { name, offset } of namesIn(expression)) {
    if (classes.isKnown(name)) continue;
    const at = tree.type === 'leaf' ? placeInside(tree, offset) : tree.at;
    const hint = didYouMean(name, classes.known);
    const declare = `; declare it: classes: { ${name}: [host, "glob*"] }`;
    problems.report(at, key, `unknown class ${name}${hint === '' ? declare : hint}`);
  }
}

function holds(rule: ClassRule, facts: HostFacts, isSet: (name: string) => boolean): boolean {
  switch (rule.type) {
    case 'file':
      return facts.exists(rule.path);
    case 'expression':
      return isTrue(rule.written.expression, isSet);
    case 'hosts':
      return rule.globs.some((glob) => isHost(glob, facts.hostName));
  }
}

/** Host names have no case, and a glob may stand for the whole name or its first label. */
function isHost(glob: string, hostName: string): boolean {
  const regex = globRegex(glob, 'i');
  return regex.test(hostName) || regex.test(hostName.split('.')[0] ?? '');
}

/** Hosts that are listed by name are hosts of the fleet: their names are hard classes there. */
function plainHosts({ value }: Named<Placed<ClassRule>>): readonly string[] {
  if (value.value.type !== 'hosts') return [];
  const names = value.value.globs.filter((glob) => !isGlob(glob));
  return names.flatMap((name) => [classNameOf(name), classNameOf(name.split('.')[0] ?? '')]);
}
