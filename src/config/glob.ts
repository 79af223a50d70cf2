// Globs of files to include; how one reads is in core/glob.ts.

import { join, sep } from 'node:path';
import { globRegex, isGlob } from '../core/glob.js';
import type { Disk } from './disk.js';

export { globRegex, isGlob };

/** The paths that match an absolute glob, sorted; hidden files only where the dot is written. */
export function matchingPaths(glob: string, disk: Disk): readonly string[] {
  let found: readonly string[] = [sep];
  for (const part of glob.split(sep).filter((step) => step !== '')) {
    found = found.flatMap((directory) => (isGlob(part) ? matchingIn(directory, part, disk) : [join(directory, part)]));
  }
  return found.filter((path) => disk.look(path) !== null).toSorted();
}

function matchingIn(directory: string, part: string, disk: Disk): readonly string[] {
  const regex = globRegex(part);
  try {
    const names = disk.names(directory).filter((name) => regex.test(name));
    return names.filter((name) => part.startsWith('.') || !name.startsWith('.')).map((name) => join(directory, name));
  } catch {
    // Not a directory, or gone: nothing of it matches.
    return [];
  }
}
