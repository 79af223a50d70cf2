// Whose what is made for a service is to be. It must not know what is made.

import { findGroup, findUser } from './account.js';
import { Refusal } from './held-path.js';
import type { Owner } from './make-directory.js';

/** `user` null: the keeper's own; `group` null: the first one of that user. @throws Refusal */
export function ownerOf(
  { user, group }: { readonly user: string | null; readonly group: string | null },
  self: number,
): Owner {
  const account = user === null ? null : findUser(user);
  if (user !== null && account === null) throw new Refusal(`no such user: ${user}`);
  const gid = group === null ? (account?.gid ?? process.getegid?.() ?? 0) : findGroup(group);
  if (gid === null) throw new Refusal(`no such group: ${group}`);
  const uid = account?.uid ?? self;
  if (self !== 0 && uid !== self) throw new Refusal(`only a keeper of root can prepare for user ${user}`);
  return { uid, gid };
}
