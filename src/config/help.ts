// `upkeep help KEY`: what one key of the configuration means, out of the same table that reads it.

import { KINDS } from './heartbeat-keys.js';
import { notYet } from './record.js';
import { serviceKeys } from './service-keys.js';
import type { Key, Keys } from './shape.js';
import { nearest } from './suggest.js';
import { topKeys } from './top-keys.js';

/** A key with the way to it: `restart.limit` of a service, `keeper.bootGrace` of the top level. */
export interface KeyHelp {
  readonly path: string;
  readonly of: 'service' | 'top level';
  readonly key: Key<unknown>;
  /** The keys beside it; null at the top. */
  readonly parent: Keys | null;
}

const PATHS_OF_SERVICES = /^(?:services\.[^.]+|templates\.[^.]+|defaults)\./;

/** Every key there is, service keys first, each before those below it. */
export function allKeys(): readonly KeyHelp[] {
  return [...walk(serviceKeys, null, '', 'service'), ...walk(topKeys, null, '', 'top level')];
}

/** The lines that explain a key, or why there is none to explain. */
export function helpFor(asked: string): { readonly type: 'ok' | 'unknown'; readonly lines: readonly string[] } {
  const path = asked.replace(PATHS_OF_SERVICES, '');
  const keys = allKeys();
  const found = keys.find((key) => key.path === path);
  if (found === undefined) {
    const near = nearest(
      path,
      keys.map((key) => key.path),
    );
    const below = keys.filter((key) => key.path.endsWith(`.${path}`)).map((key) => key.path);
    const hint =
      near !== null
        ? `did you mean ${near}`
        : below.length > 0
          ? `did you mean ${below.join(' or ')}`
          : '`upkeep help keys` lists them all';
    return { type: 'unknown', lines: [`there is no key ${asked}; ${hint}`] };
  }
  return { type: 'ok', lines: linesOf(found, keys) };
}

/** One line for each key. */
export function keyList(): readonly string[] {
  const keys = allKeys();
  const width = Math.max(...keys.map((key) => key.path.length));
  const row = ({ path, key }: KeyHelp): string =>
    `  ${path.padEnd(width)}  ${key.presence === 'later' ? 'not in this version yet' : key.doc}`;
  const part = (of: KeyHelp['of']): readonly string[] => keys.filter((key) => key.of === of).map(row);
  return ['Keys of a service', ...part('service'), '', 'Keys of the top level', ...part('top level')];
}

function linesOf({ path, of, key }: KeyHelp, keys: readonly KeyHelp[]): readonly string[] {
  if (key.presence === 'later') return [`${path} (${of})`, `  ${key.doc}`, `  ${notYet('it')}`];
  const below = keys.filter((other) => other.of === of && other.path.startsWith(`${path}.`));
  return [
    `${path} (${of}${key.only === null ? '' : `, ${key.only} only`})`,
    `  ${key.doc}`,
    `  Write: ${key.shape.write}`,
    `  Default: ${defaultText(key)}`,
    ...linesBelow(path, below),
  ];
}

/** The next level alone: of a heartbeat there are too many keys to see them all at once. What is asked comes before how. */
function linesBelow(path: string, below: readonly KeyHelp[]): readonly string[] {
  const names = [...new Set(below.map((key) => key.path.slice(path.length + 1).split('.')[0] ?? ''))];
  const [first] = names;
  if (first === undefined) return [];
  const ordered = path === 'heartbeat' ? [...new Set([...KINDS, ...names])] : names;
  const deep = ordered.filter((name) => below.some((key) => key.path.startsWith(`${path}.${name}.`)));
  const example = `${path}.${deep[0] ?? first}`;
  return [
    `  Below: ${ordered.join(', ')}`,
    ...(deep.length === 0 ? [] : [`  With keys below themselves: ${deep.join(', ')}`]),
    `  More: \`upkeep help ${example}\``,
  ];
}

/** The default in a word or two. */
export function defaultText(key: Key<unknown>): string {
  if (key.default === null) return key.presence === 'required' ? 'none, it must be written' : 'none';
  if (typeof key.default !== 'string') return `${key.default.supervised}, watched ${key.default.watched}`;
  return key.default === '{}' && key.shape.keys !== null ? 'those of the keys below' : key.default;
}

function walk(keys: Keys, parent: Keys | null, prefix: string, of: KeyHelp['of']): readonly KeyHelp[] {
  return Object.entries(keys).flatMap(([name, key]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    // The keys of services stand by themselves, and those of a map of names below its name.
    const isServices = of === 'top level' && key.shape.keys === serviceKeys;
    const below = key.shape.keys === null || isServices ? [] : walk(key.shape.keys, key.shape.keys, path, of);
    return [{ path, of, key, parent }, ...below];
  });
}
