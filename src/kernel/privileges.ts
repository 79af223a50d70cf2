// Under whose rights a process of a service runs, as words for setpriv(1): it changes user, group and groups together in
// the new process and verifies that they changed. No words where the keeper's own rights are wanted.

import type { ProcessSettings } from '../core/spec.js';
import { type Account, findGroup, listedGroups, type Runner } from './account.js';
import { whichHop } from './program.js';

export type Privileges =
  | {
      readonly type: 'privileges';
      /** null: the keeper's own rights count for finding the program. */
      readonly runner: Runner | null;
      readonly hop: readonly string[];
    }
  | { readonly type: 'refused'; readonly errno: string; readonly detail: string };

const refused = (errno: string, detail: string): Privileges => ({ type: 'refused', errno, detail });

export type Rights = Pick<ProcessSettings, 'user' | 'group' | 'groups' | 'capabilities' | 'noNewPrivileges'>;

/** `account`: whom it is to run as; the keeper's own account if nobody was named. */
export function privilegesOf(settings: Rights, account: Account): Privileges {
  const { capabilities } = settings;
  const isRoot = process.geteuid?.() === 0;
  const groups = groupsFor(settings, account);
  if (groups.type === 'refused') return groups;
  const { runner, flags } = groups;
  if (runner !== null && !isRoot) {
    const isOther = account.uid !== process.geteuid?.();
    const what = isOther ? `run it as ${account.name ?? account.uid}` : 'give it another group or other groups';
    return refused('EPERM', `only a keeper of root can ${what}`);
  }
  const words = [...flags];
  if (capabilities !== null) {
    if (!isRoot) return refused('EPERM', 'capabilities: only a keeper of root can choose them');
    const kept = ['-all', ...capabilities.map((name) => `+${name}`)].join(',');
    words.push('--bounding-set', kept);
    // Root gets what the bounding set leaves by itself; another user only what is inherited and ambient.
    if (account.uid !== 0 && capabilities.length > 0) words.push('--inh-caps', kept, '--ambient-caps', kept);
  }
  if (settings.noNewPrivileges === 'yes') words.push('--no-new-privs');
  if (words.length === 0) return { type: 'privileges', runner: null, hop: [] };
  const setpriv = whichHop('setpriv');
  if (setpriv === null)
    return refused(
      'ENOENT',
      'setpriv is not installed (package util-linux); user, group, groups, capabilities and noNewPrivileges need it',
    );
  return { type: 'privileges', runner, hop: [setpriv, ...words, '--'] };
}

type Groups =
  | { readonly type: 'groups'; readonly runner: Runner | null; readonly flags: readonly string[] }
  | Extract<Privileges, { type: 'refused' }>;

function groupsFor(settings: Rights, account: Account): Groups {
  const asked = settings.user !== null || settings.group !== null || settings.groups !== null;
  if (!asked) return { type: 'groups', runner: null, flags: [] };
  const gid = settings.group === null ? account.gid : findGroup(settings.group);
  if (gid === null) return { type: 'refused', errno: 'ENOENT', detail: `no such group: ${settings.group}` };
  const named: number[] = [];
  for (const group of settings.groups ?? []) {
    const found = findGroup(group);
    if (found === null) return { type: 'refused', errno: 'ENOENT', detail: `no such group: ${group}` };
    named.push(found);
  }
  const groups = settings.groups === null ? listedGroups(account, gid) : named;
  if (isOurselves(settings, account, gid, groups)) return { type: 'groups', runner: null, flags: [] };
  // The whole list by the group database is for setpriv to ask: that may take a directory server's time.
  const list =
    settings.groups !== null && named.length > 0
      ? ['--groups', named.join(',')]
      : settings.groups !== null || account.name === null
        ? ['--clear-groups']
        : ['--init-groups'];
  const flags = ['--reuid', String(account.uid), '--regid', String(gid), ...list];
  return { type: 'groups', runner: { account, gid, groups }, flags };
}

/** Nothing to change: nobody else was named, or the one that we are already. */
function isOurselves(settings: Rights, account: Account, gid: number, groups: readonly number[]): boolean {
  if (account.uid !== process.geteuid?.()) return false;
  if (settings.group === null && settings.groups === null && account.uid !== 0) return true;
  const own = new Set(process.getgroups?.() ?? []).add(process.getegid?.() ?? -1);
  const wanted = new Set(groups).add(gid);
  return gid === process.getegid?.() && own.size === wanted.size && [...wanted].every((group) => own.has(group));
}
