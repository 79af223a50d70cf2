// NAMEs on the command line → services: names, the plain name of a pool for all of its members, globs, @tag and --all. Pure.

import { globRegex, isGlob } from '../config/glob.js';
import { nearest } from '../config/suggest.js';

export interface Named {
  readonly name: string;
  readonly tags: readonly string[];
}

export type Selection<T> =
  | { readonly type: 'some'; readonly services: readonly T[] }
  /** NAMEs that match nothing, each with the nearest that would. */
  | { readonly type: 'unknown'; readonly names: readonly { readonly name: string; readonly near: string | null }[] };

/** The services that are meant, in the order in which the keeper has them. */
export function select<T extends Named>(patterns: readonly string[], services: readonly T[]): Selection<T> {
  const meant = new Set<T>();
  const unknown: { name: string; near: string | null }[] = [];
  for (const pattern of patterns) {
    const found = services.filter((service) => isMeant(pattern, service));
    for (const service of found) meant.add(service);
    if (found.length === 0) unknown.push({ name: pattern, near: nearTo(pattern, services) });
  }
  if (unknown.length > 0) return { type: 'unknown', names: unknown };
  return { type: 'some', services: services.filter((service) => meant.has(service)) };
}

/** The pool that a member like `web@2` belongs to; null: it is none. No other name has an `@`. */
export const poolOf = (name: string): string | null => /^(.+)@\d+$/.exec(name)?.[1] ?? null;

/** The pools of these services, each once. */
export const poolsOf = (services: readonly { readonly name: string }[]): readonly string[] => [
  ...new Set(services.map(({ name }) => poolOf(name)).filter((pool) => pool !== null)),
];

/** One name written out, so that one service is meant and no list of them. */
export const isOneName = (patterns: readonly string[]): boolean =>
  patterns.length === 1 && !isGlob(patterns[0] ?? '') && !patterns[0]?.startsWith('@');

/** Why the selection failed, in one sentence. */
export function unknownText(names: readonly { readonly name: string; readonly near: string | null }[]): string {
  const parts = names.map(({ name, near }) => {
    const what = name.startsWith('@')
      ? `no service has the tag ${name.slice(1)}`
      : isGlob(name)
        ? `no service matches ${name}`
        : `there is no service ${name}`;
    return near === null ? what : `${what}; did you mean ${near}`;
  });
  return parts.join(', and ');
}

function isMeant(pattern: string, { name, tags }: Named): boolean {
  if (pattern.startsWith('@')) return tags.includes(pattern.slice(1));
  return name === pattern || poolOf(name) === pattern || (isGlob(pattern) && globRegex(pattern).test(name));
}

function nearTo(pattern: string, services: readonly Named[]): string | null {
  if (isGlob(pattern)) return null;
  if (!pattern.startsWith('@')) return nearest(pattern, [...services.map(({ name }) => name), ...poolsOf(services)]);
  const tags = new Set(services.flatMap((service) => service.tags));
  const near = nearest(pattern.slice(1), tags);
  return near === null ? null : `@${near}`;
}
