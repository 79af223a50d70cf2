// The services that rules of notices name: each has to exist, and the plain name of a pool means all of its members.

import type { NoticesSpec } from '../core/notice-spec.js';
import type { Problems } from './problem.js';
import type { ReadService } from './service.js';
import { didYouMean } from './suggest.js';
import { type Tree, valueAt } from './tree.js';

/** `declared`: every service there is, right or wrong. `read`: those that are right, with their members. */
export interface Nameable {
  readonly declared: Pick<ReadonlyMap<string, unknown>, 'has' | 'keys'>;
  readonly read: ReadonlyMap<string, ReadService>;
}

/** Finds names that mean no service. */
export function checkNoticeServices(notices: Tree | null, services: Nameable, problems: Problems): void {
  const rules = valueAt(notices ?? undefined, 'rules');
  if (rules?.type !== 'list') return;
  rules.items.forEach((rule, index) => {
    const said = valueAt(rule, 'services');
    for (const item of said?.type === 'list' ? said.items : []) {
      if (item.type !== 'leaf' || /^@|[*?[]/.test(item.text) || isService(item.text, services)) continue;
      // Of a member that there is not, its pool is near.
      const hint = didYouMean(item.text.replace(/@\d+$/, ''), services.declared.keys());
      const message = `unknown service ${JSON.stringify(item.text)}${hint === '' ? '; name one of `services`, or a glob' : hint}`;
      problems.report(item.at, `notices.rules.${index + 1}.services`, message);
    }
  });
}

/** The same rules, in which no name stands for several. */
export function withMembers(notices: NoticesSpec, read: Nameable['read']): NoticesSpec {
  const rules = notices.rules.map((rule) => {
    const services = rule.services?.flatMap((selector) => membersOf(selector, read) ?? [selector]) ?? null;
    return { ...rule, services };
  });
  return { ...notices, rules };
}

function membersOf(name: string, read: Nameable['read']): readonly string[] | undefined {
  return read.get(name)?.members.map(({ spec }) => spec.name);
}

function isService(name: string, { declared, read }: Nameable): boolean {
  if (declared.has(name)) return true;
  const pool = name.slice(0, Math.max(0, name.lastIndexOf('@')));
  // How many members one has that cannot be read is not known.
  return declared.has(pool) && (membersOf(pool, read)?.includes(name) ?? true);
}
