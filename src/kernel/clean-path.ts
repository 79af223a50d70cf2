// Removes what an earlier life of a service left at a path, where no process of it has that now. It must not know how
// those processes are found.

import type { BigIntStats } from 'node:fs';
import { Refusal, type Walk } from './held-path.js';
import { type Holder, holderOf } from './holders.js';

/** Who has it, and so keeps it; null: there is nothing at that path (any more). @throws Refusal */
export async function cleanPath(
  path: string,
  walk: Walk,
  living: () => Promise<readonly number[]>,
): Promise<Holder | null> {
  const spot = await walk.reach(path, { type: 'remove' });
  const file = spot === null ? null : await walk.look(spot);
  if (spot === null || file === null) return null;
  const kind = kindOf(file);
  if (kind !== null)
    throw new Refusal(
      `${path} is ${kind}; \`clean\` removes only sockets, FIFOs and regular files: remove it by hand, or take it out of \`clean\``,
    );
  const holder = await holderOf(path, file, await living(), walk);
  // Whoever can put another file there since we looked could as well remove it himself.
  if (holder === null) await walk.remove(spot);
  return holder;
}

/** What it is, if not one of the three that may be removed. */
function kindOf(file: BigIntStats): string | null {
  if (file.isSocket() || file.isFIFO() || file.isFile()) return null;
  return file.isDirectory() ? 'a directory' : file.isSymbolicLink() ? 'a symbolic link' : 'a device';
}
