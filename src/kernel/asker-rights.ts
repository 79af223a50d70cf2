// Under whose rights a service is asked, and how the program that asks is started: unable to gain any by what it runs. Groups, gid
// and uid it gives up itself, once it has loaded what that user may not be able to read. Never those of root. It must not know
// what is asked.

import { type Account, findGroup, findUser } from './account.js';
import { userEnvironment } from './lone-command.js';
import { whichHop } from './program.js';

/** As configured; null: nothing was said. */
export interface AskerWish {
  /** The heartbeat's own. */
  readonly user: string | null;
  readonly group: string | null;
  /** Those of the service. */
  readonly service: { readonly user: string | null; readonly group: string | null };
}

export interface AskerRights {
  readonly type: 'rights';
  readonly uid: number;
  readonly gid: number;
  /** `kept`: those of a keeper that is not root, who cannot leave them. */
  readonly groups: 'none' | 'kept';
  /** Before the words of the program. */
  readonly hop: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
}

export type AskerRightsOrNot = AskerRights | { readonly type: 'refused'; readonly reason: string };

const refused = (reason: string): AskerRightsOrNot => ({ type: 'refused', reason });

/** Never throws for what an operator wrote. */
export function askerRights(wish: AskerWish): AskerRightsOrNot {
  const self = process.geteuid?.() ?? 0;
  const whom = self === 0 ? chosen(wish) : ourselves(wish, self);
  if (whom.type === 'refused') return whom;
  const { account, gid } = whom;
  const setpriv = whichHop('setpriv');
  if (setpriv === null) return refused('setpriv is not installed (package util-linux); without it nobody can ask');
  return {
    type: 'rights',
    uid: account.uid,
    gid,
    groups: self === 0 ? 'none' : 'kept',
    // A keeper may have been started with some that its children inherit.
    hop: [setpriv, '--inh-caps', '-all', '--ambient-caps', '-all', '--no-new-privs', '--'],
    env: userEnvironment(account),
  };
}

type Whom =
  | { readonly type: 'whom'; readonly account: Account; readonly gid: number }
  | Extract<AskerRightsOrNot, { type: 'refused' }>;

const NEVER_ROOT = 'a service is never asked as root; set `user` of the heartbeat to somebody else';
const NOBODY: Account = { name: 'nobody', uid: 65534, gid: 65534, home: '/', shell: '/bin/sh' };

function chosen({ user, group, service }: AskerWish): Whom {
  if (user !== null) return whomOf(user, group);
  const own = service.user === null ? null : findUser(service.user);
  if (service.user !== null && own === null) return { type: 'refused', reason: `no such user: ${service.user}` };
  if (own === null || own.uid === 0) return inGroup(findUser('nobody') ?? NOBODY, group);
  return inGroup(own, group ?? service.group);
}

function whomOf(user: string, group: string | null): Whom {
  const account = findUser(user);
  if (account === null) return { type: 'refused', reason: `no such user: ${user}` };
  return account.uid === 0 ? { type: 'refused', reason: NEVER_ROOT } : inGroup(account, group);
}

function inGroup(account: Account, group: string | null): Whom {
  const gid = group === null ? account.gid : findGroup(group);
  if (gid === null) return { type: 'refused', reason: `no such group: ${group}` };
  if (gid === 0)
    return {
      type: 'refused',
      reason: `a service is never asked with the group of root; set \`group\` of the heartbeat (${account.name ?? account.uid} has that one)`,
    };
  return { type: 'whom', account, gid };
}

/** A keeper that is not root asks as itself. */
function ourselves({ user, group }: AskerWish, self: number): Whom {
  const account = findUser(String(self)) ?? { ...NOBODY, name: null, uid: self };
  const gid = process.getegid?.() ?? account.gid;
  if (user !== null && findUser(user)?.uid !== self)
    return { type: 'refused', reason: `only a keeper of root can ask as ${user}` };
  if (group !== null && findGroup(group) !== gid)
    return { type: 'refused', reason: `only a keeper of root can ask with the group ${group}` };
  return { type: 'whom', account, gid };
}
