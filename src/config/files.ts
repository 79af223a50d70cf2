// The files of a configuration: the main one and what it includes, each judged, read once and parsed, with what is
// needed to see later that one of them changed. Knows no services.

import { createHash } from 'node:crypto';
import { dirname, relative, resolve } from 'node:path';
import { type Disk, reasonOf } from './disk.js';
import { isGlob, matchingPaths } from './glob.js';
import { type Who, whyNotTrusted } from './ownership.js';
import type { Place, Problems } from './problem.js';
import type { Placed } from './shape.js';
import type { Dict, Tree } from './tree.js';
import { shown } from './tree.js';
import { readTree } from './yaml.js';

/** What a configuration was read from, to compare with the disk. */
export interface Sources {
  readonly files: readonly { readonly path: string; readonly sha256: string }[];
  readonly globs: readonly { readonly pattern: string; readonly found: readonly string[] }[];
}

export interface ConfigFile {
  /** As it is shown to people: as they wrote it. */
  readonly name: string;
  readonly tree: Dict;
}

export interface FilesRead {
  readonly files: readonly ConfigFile[];
  readonly sources: Sources;
  /** All files as they are shown to people, in the order of reading. */
  readonly names: readonly string[];
  /** `part`: a file could not be read, so that what it defines is unknown. */
  readonly extent: 'all' | 'part';
}

/** Picks the `include` list out of a file's tree. */
export type IncludesOf = (tree: Dict) => readonly Placed<string>[];

/** Reads the file at `path` and all that it includes, the main one first. */
export function readFiles(path: string, who: Who, disk: Disk, problems: Problems, includesOf: IncludesOf): FilesRead {
  const cwd = process.cwd();
  const nameOf = (absolute: string): string => (path.startsWith('/') ? absolute : relative(cwd, absolute) || absolute);
  const files: ConfigFile[] = [];
  const digests = new Map<string, string>();
  const globs: { pattern: string; found: readonly string[] }[] = [];
  let extent: FilesRead['extent'] = 'all';

  const visit = (absolute: string, from: Place | null, open: readonly string[]): void => {
    const place = from ?? { file: nameOf(absolute), line: null, column: null };
    if (open.includes(absolute)) {
      const circle = [...open.slice(open.indexOf(absolute)), absolute].map(nameOf).join(' → ');
      problems.report(place, 'include', `files include one another in a circle: ${circle}; take one \`include\` out`);
      return;
    }
    // Found by two globs: once is enough.
    if (digests.has(absolute)) return;
    const tree = readOne(absolute, place, from);
    if (tree === undefined) {
      extent = 'part';
      return;
    }
    files.push({ name: nameOf(absolute), tree });
    for (const { value, tree: at } of includesOf(tree)) {
      const wanted = resolve(dirname(absolute), value);
      if (!isGlob(value)) {
        visit(wanted, at.at, [...open, absolute]);
        continue;
      }
      const found = matchingPaths(wanted, disk);
      globs.push({ pattern: wanted, found });
      for (const one of found) visit(one, at.at, [...open, absolute]);
    }
  };

  const readOne = (absolute: string, place: Place, from: Place | null): Dict | undefined => {
    const name = nameOf(absolute);
    let bytes: Uint8Array;
    try {
      const distrust = whyNotTrusted(absolute, who, disk);
      if (distrust !== null) {
        problems.report(place, from === null ? null : 'include', distrust);
        return undefined;
      }
      bytes = disk.read(absolute);
    } catch (error) {
      const what = from === null ? reasonOf(error) : `${name}: ${reasonOf(error)}`;
      const help = from === null ? '; `upkeep init` writes one to begin with' : '; a name without wildcards must exist';
      problems.report(place, from === null ? null : 'include', isMissing(error) ? what + help : what);
      return undefined;
    }
    digests.set(absolute, sha256(bytes));
    const text = decode(bytes);
    if (text === null) {
      problems.report({ file: name, line: null, column: null }, null, 'is not UTF-8 text; save it as UTF-8');
      return undefined;
    }
    const tree = readTree(name, text, problems);
    return tree === undefined ? undefined : mapOf(tree, problems);
  };

  visit(resolve(cwd, path), null, []);
  const sources = { files: [...digests].map(([file, digest]) => ({ path: file, sha256: digest })), globs };
  return { files, sources, names: [...digests.keys()].map(nameOf), extent };
}

/** What differs on disk now, in words; null when nothing does. Cheap: nothing is parsed. */
export function changedOnDisk(sources: Sources, disk: Disk): string | null {
  for (const { path, sha256: before } of sources.files) {
    try {
      if (sha256(disk.read(path)) !== before) return `${path} has changed`;
    } catch (error) {
      return `${path}: ${reasonOf(error)}`;
    }
  }
  for (const { pattern, found } of sources.globs) {
    const now = matchingPaths(pattern, disk);
    const added = now.find((path) => !found.includes(path));
    if (added !== undefined) return `${added} is new`;
    const gone = found.find((path) => !now.includes(path));
    if (gone !== undefined) return `${gone} is gone`;
  }
  return null;
}

function mapOf(tree: Tree, problems: Problems): Dict | undefined {
  if (tree.type === 'dict') return tree;
  problems.report(
    tree.at,
    null,
    `found ${shown(tree)}; a configuration is a map with services, classes, defaults and so on`,
  );
  return undefined;
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
