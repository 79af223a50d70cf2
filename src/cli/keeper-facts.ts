// What GET /v1/keeper answers: read with care, since a keeper of another version may say more or less than we know.

export interface KeeperFacts {
  /** What is missing on this host, and what that means. */
  readonly without: readonly { readonly name: string; readonly effect: string }[];
  readonly problems: readonly string[];
  readonly elsewhere: readonly ElsewhereFact[];
  /** Name → path. */
  readonly paths: readonly (readonly [string, string])[];
  /** How the keeper before ended, when nobody had asked it to; null: nothing to tell. */
  readonly before: string | null;
  /** null: a keeper that does not say it. */
  readonly uptimeSeconds: number | null;
  /** For how long the disk has been busy with one thing. */
  readonly diskLateSeconds: number;
  /** Everything else that is a number or a text, as `group name` → value. */
  readonly figures: readonly (readonly [string, string])[];
}

/** A service that is not for this host. */
export interface ElsewhereFact {
  readonly name: string;
  readonly hosts: string;
  readonly reason: string;
}

export function factsIn(body: unknown): KeeperFacts {
  const keeper = fieldsOf(body);
  return {
    without: listOf(keeper.without).map((one) => {
      const { name, effect } = fieldsOf(one);
      return typeof one === 'string' ? { name: one, effect: '' } : { name: wordOf(name), effect: wordOf(effect) };
    }),
    problems: listOf(keeper.problems).map(wordOf),
    elsewhere: elsewhereIn(body),
    paths: Object.entries(fieldsOf(keeper.paths)).flatMap(([name, path]) =>
      // What the status says already, and what is no path.
      typeof path !== 'string' || !path.startsWith('/') || name === 'config' || name === 'socket' ? [] : [[name, path]],
    ),
    before: wordOf(fieldsOf(keeper.before).text) || null,
    uptimeSeconds: typeof keeper.uptimeSeconds === 'number' ? keeper.uptimeSeconds : null,
    diskLateSeconds: Number(fieldsOf(keeper.disk).lateSeconds ?? 0),
    figures: ['memory', 'loop', 'counters'].flatMap((group) =>
      Object.entries(fieldsOf(keeper[group])).map(
        ([name, value]) =>
          [`${group === 'counters' ? '' : `${group} `}${spaced(name)}`, amountOf(group, value)] as const,
      ),
    ),
  };
}

export const elsewhereIn = (body: unknown): readonly ElsewhereFact[] =>
  listOf(fieldsOf(body).elsewhere).map((one) => {
    const { name, hosts, reason } = fieldsOf(one);
    return { name: wordOf(name), hosts: wordOf(hosts), reason: wordOf(reason) };
  });

/** The fields of what may be no object at all. */
export const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export const wordOf = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value);

/** Bytes in MiB; other numbers with one digit behind the point at most. */
function amountOf(group: string, value: unknown): string {
  if (typeof value !== 'number') return wordOf(value);
  return group === 'memory' ? `${(value / 2 ** 20).toFixed(1)} MiB` : String(Math.round(value * 10) / 10);
}

/** `heapUsed` → `heap used`. */
const spaced = (name: string): string => name.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
