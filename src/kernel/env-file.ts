// Reads files of NAME=value lines, as systemd's EnvironmentFile= does: comments with # or ;, quotes, backslash at the
// end of a line. It must not know which variables matter.

import { lstatSync, readFileSync, realpathSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from '../core/error-text.js';

/** The variables of a file, or why it may not be used, in words. */
export type EnvFile =
  | { readonly type: 'read'; readonly variables: ReadonlyMap<string, string> }
  | { readonly type: 'refused'; readonly errno: string; readonly detail: string };

/** Reads one file anew; a leading `-` means that it may be missing. As root, a file that others could have written is refused. */
export function readEnvFile(entry: string): EnvFile {
  const optional = entry.startsWith('-');
  const path = optional ? entry.slice(1) : entry;
  try {
    const stranger = process.geteuid?.() === 0 ? whoElseCanWrite(path) : null;
    if (stranger !== null) return { type: 'refused', errno: 'EPERM', detail: stranger };
    return { type: 'read', variables: parseEnvFile(readFileSync(path, 'utf8')) };
  } catch (error) {
    const errno = errorCode(error, 'EIO');
    if (optional && errno === 'ENOENT') return { type: 'read', variables: new Map() };
    const what = errno === 'ENOENT' ? 'no such file; write "-" before its path if it may be missing' : errno;
    return { type: 'refused', errno, detail: `envFile ${path}: ${what}` };
  }
}

/** A sentence when somebody but root owns or can write the file or a directory on the way to it. */
function whoElseCanWrite(path: string): string | null {
  const real = realpathSync(path);
  for (let at = real; ; at = dirname(at)) {
    const stat = lstatSync(at);
    if (stat.uid !== 0)
      return `envFile ${path}: ${at} belongs to uid ${stat.uid}; a keeper of root reads root's files only`;
    if (writableByOthers(stat)) return `envFile ${path}: others can write ${at}; try: chmod go-w ${at}`;
    if (at === '/') return null;
  }
}

/** Anyone but the owner; root's own group is root. In a sticky directory (/tmp) others cannot replace root's files. */
function writableByOthers(stat: Stats): boolean {
  if (stat.isDirectory() && (stat.mode & 0o1000) !== 0) return false;
  return (stat.mode & 0o002) !== 0 || ((stat.mode & 0o020) !== 0 && stat.gid !== 0);
}

/** NAME=value lines. Lines without a valid name are skipped, as systemd does. */
export function parseEnvFile(text: string): ReadonlyMap<string, string> {
  const result = new Map<string, string>();
  let rest = text.replaceAll('\r\n', '\n');
  while (rest !== '') {
    const match = /^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*/.exec(rest);
    if (match?.[1] === undefined) {
      // A comment, or nothing that we know: the line ends the matter.
      const end = rest.indexOf('\n');
      rest = end < 0 ? '' : rest.slice(end + 1);
      continue;
    }
    const { value, after } = takeValue(rest.slice(match[0].length));
    result.set(match[1], value);
    rest = after;
  }
  return result;
}

/** One value up to the end of its line; quoted parts may span lines. */
function takeValue(text: string): { readonly value: string; readonly after: string } {
  let value = '';
  let kept = 0; // what is quoted is not trimmed
  let quote: '"' | "'" | null = null;
  let quotable: 'yes' | 'no' = 'yes'; // a quote begins something at the start or after another; in `it's` it is a letter
  let i = 0;
  for (; i < text.length; i++) {
    const c = text.charAt(i);
    if (quote === null && c === '\n') break;
    if (quote === null && quotable === 'yes' && (c === '"' || c === "'")) quote = c;
    else if (c === quote) {
      quote = null;
      quotable = 'yes';
      kept = value.length;
    } else if (c === '\\' && quote !== "'" && i + 1 < text.length) {
      const next = text.charAt(++i);
      if (next === '\n') continue; // the line goes on
      if (quote === null) quotable = 'no';
      // In double quotes only what would mean something is taken by its backslash.
      value += quote === '"' && !'"\\`$'.includes(next) ? c + next : next;
      kept = value.length;
    } else {
      value += c;
      if (quote !== null) kept = value.length;
      else if (c !== ' ' && c !== '\t') quotable = 'no';
    }
  }
  return { value: value.slice(0, kept) + value.slice(kept).trimEnd(), after: text.slice(i + 1) };
}
