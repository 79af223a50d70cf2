// Globs: of host names, and of files to include. `*` and `?` stop at a slash, `[a-z]` and `[!a-z]` are sets.

import { join, sep } from 'node:path';
import type { Disk } from './disk.js';

/** Does it hold a wildcard? */
export const isGlob = (text: string): boolean => /[*?[]/.test(text);

/** Matches whole texts. A set that is not closed is the character [. */
export function globRegex(glob: string, flags = ''): RegExp {
  let source = '';
  for (let index = 0; index < glob.length; index += 1) {
    const char = glob[index] ?? '';
    const set = char === '[' ? /^\[(!|\^)?(\]?[^\]]*)\]/.exec(glob.slice(index)) : null;
    if (set !== null && set[2] !== '') {
      source += `[${set[1] === undefined ? '' : '^'}${(set[2] ?? '').replace(/[\\\]^]/g, '\\$&')}]`;
      index += set[0].length - 1;
    } else if (char === '*') {
      // A second star adds nothing, and would make failing slow.
      if (!source.endsWith('[^/]*')) source += '[^/]*';
    } else {
      source += char === '?' ? '[^/]' : char.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
    }
  }
  try {
    return new RegExp(`^${source}$`, flags);
  } catch {
    // A set like [z-a] matches nothing in a shell either.
    return /^(?!)/;
  }
}

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
