// May this file be believed? A root keeper runs what it reads, so nobody else may be able to change it: neither the
// file, nor a directory or link on the way to it. Knows only paths, owners and permission bits.

import { dirname, join, normalize, resolve, sep } from 'node:path';
import type { Disk } from './disk.js';

/** Who reads. */
export interface Who {
  readonly uid: number;
}

// Linux gives up after 40 links too (path_resolution(7)).
const MOST_LINKS = 40;

const ROOT = 0;

/** Why the file may not be believed, naming what is at fault; null when it may, or when it is not there at all. */
export function whyNotTrusted(path: string, who: Who, disk: Disk): string | null {
  return who.uid === ROOT ? whyNotOurs(path, disk) : whyNotOwn(path, who, disk);
}

/** For root: walks the whole way, links included. */
function whyNotOurs(path: string, disk: Disk): string | null {
  let links = 0;
  // Components still to walk, and the directory that was reached; it is free of links.
  let ahead = resolve(path)
    .split(sep)
    .filter((part) => part !== '');
  let reached: string = sep;
  let fault = faultOf(reached, disk);
  while (fault === null && ahead.length > 0) {
    const [part = '', ...rest] = ahead;
    ahead = rest;
    if (part === '..') {
      reached = dirname(reached);
      continue;
    }
    const next = join(reached, part);
    const look = disk.look(next);
    // What is not there yet can only be made by who may write here, and that was judged.
    if (look === null) return null;
    fault = faultOf(next, disk);
    if (look.type === 'link') {
      links += 1;
      if (links > MOST_LINKS) return `${path} leads through more than ${MOST_LINKS} links`;
      const target = disk.target(next);
      if (target.startsWith(sep)) reached = sep;
      ahead = [...target.split(sep).filter((step) => step !== '' && step !== '.'), ...ahead];
    } else {
      reached = next;
    }
  }
  return fault;
}

function faultOf(path: string, disk: Disk): string | null {
  const look = disk.look(path);
  if (look === null) return null;
  const what = look.type === 'directory' ? 'the directory ' : look.type === 'link' ? 'the link ' : '';
  if (look.uid !== ROOT)
    return `${what}${path} belongs to user ${look.uid}; a keeper that runs as root believes only what root owns (chown root)`;
  // The bits of a link mean nothing. A sticky directory still lets anybody add what is missing.
  if (look.type !== 'link' && (look.mode & 0o022) !== 0) {
    const bits = look.mode.toString(8).padStart(4, '0');
    return `${what}${path} can be written by others than root (mode ${bits}); a keeper that runs as root does not believe it (chmod go-w)`;
  }
  return null;
}

/** For an ordinary user: one's own files and root's. */
function whyNotOwn(path: string, who: Who, disk: Disk): string | null {
  const look = disk.look(normalize(path));
  if (look === null || look.uid === who.uid || look.uid === ROOT) return null;
  return `${path} belongs to user ${look.uid}; a keeper believes only files of its own user and of root`;
}
