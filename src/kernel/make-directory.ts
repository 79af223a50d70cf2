// A directory of a service: there, with exactly this mode and owner, or the reason why not. It changes only what is the
// service's, what the keeper's own user has just made, and what is that user's and empty: nobody's files get another owner.

import type { Directory } from '../core/spec.js';
import { type Held, nameOf, Refusal, type Walk } from './held-path.js';

/** Whose the directories of a service are. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

const BITS = 0o7777;
const STICKY = 0o1000;

/** @throws Refusal */
export async function makeDirectory({ path, mode }: Directory, owner: Owner, walk: Walk): Promise<void> {
  const spot = await walk.reach(path, { type: 'make', owner: owner.uid });
  if (spot === null) throw new Refusal(`${path} was removed while it was being made: see who does that`);
  const there = (await walk.hold(spot)) ?? (await walk.make(spot));
  if (there === null) throw new Refusal(`${path} was removed while it was being made: see who does that`);
  await judge(path, mode, there, owner, walk);
  if (there.stat.uid !== owner.uid || there.stat.gid !== owner.gid) await walk.chown(there, owner.uid, owner.gid);
  // Said in so many words: what mkdir makes of a mode depends on the umask, which the keeper wears as services want it.
  if ((there.stat.mode & BITS) !== mode) await walk.chmod(there, mode);
}

async function judge(path: string, mode: number, there: Held, owner: Owner, walk: Walk): Promise<void> {
  const { stat } = there;
  if (stat.type === 'link')
    throw new Refusal(`${path} is a symbolic link: name the directory that it leads to, or remove the link`);
  if (stat.type !== 'directory')
    throw new Refusal(`${path} is there and is no directory: remove it, or choose another path`);
  // Before anybody is told to chown it: nobody should do that to /tmp.
  if ((stat.mode & STICKY) !== 0 && (mode & STICKY) === 0)
    throw new Refusal(`${path} is shared with other users (it is sticky): choose a directory of its own below it`);
  if (stat.uid === owner.uid) return;
  const [is, wanted] = [nameOf(stat.uid), nameOf(owner.uid)];
  if (stat.uid !== walk.self)
    throw new Refusal(
      `${path} belongs to user ${is}, not to ${wanted}: remove it, or, if what is in it may be trusted, chown it to ${wanted}`,
    );
  if (!(await walk.isEmpty(there)))
    throw new Refusal(
      `${path} belongs to ${is} and is not empty: choose another path, or, if all in it is for ${wanted}, chown it to ${wanted}`,
    );
}
