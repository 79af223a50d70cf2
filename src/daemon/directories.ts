// The directories of a keeper: made with tight modes, and refused where somebody else could reach in.

import { lstatSync, mkdirSync } from 'node:fs';

export interface Wish {
  readonly path: string;
  readonly mode: number;
}

/** Makes the directory where it is missing. Throws a sentence where it is not ours, or others may write in it. */
export function makeDirectory({ path, mode }: Wish, uid: number): void {
  mkdirSync(path, { recursive: true, mode });
  const stat = lstatSync(path);
  if (!stat.isDirectory()) throw new Error(`${path} is no directory`);
  if (stat.uid !== uid)
    throw new Error(`${path} belongs to uid ${stat.uid}, not to uid ${uid}; remove it, or run as its owner`);
  if ((stat.mode & 0o022) !== 0)
    throw new Error(`${path} can be written by others (mode ${(stat.mode & 0o777).toString(8)}); chmod go-w ${path}`);
}
