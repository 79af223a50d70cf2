// Where the kernel wrote the memory of a process that dumped core: /proc/sys/kernel/core_pattern, expanded as fs/coredump.c
// does. Looks at no disk: whether the file is still there is for whoever wants to read it. It must not know why it ended.

import { hostname } from 'node:os';
import { basename } from 'node:path';
import type { CoreDump, SignalName } from '../core/process.js';
import { printable } from './printable.js';
import { readText } from './processes-of.js';
import { signalNumber } from './signal-number.js';

/** Whose memory it is; null: it was gone before anybody could look. */
export interface Dumped {
  readonly pid: number;
  readonly signal: SignalName;
  readonly name: string | null;
  readonly uid: number | null;
  readonly gid: number | null;
  readonly exe: string | null;
  readonly cwd: string | null;
  /** Seconds since 1970 when the signal came. */
  readonly seconds: number | null;
}

/** Null where the kernel writes none. */
export function coreDumpOf(dumped: Dumped): CoreDump | null {
  const setting = (name: string): string => readText(`/proc/sys/kernel/${name}`).trim();
  return coreDumpIn(setting('core_pattern'), setting('core_uses_pid') !== '0', hostname(), dumped);
}

export function coreDumpIn(pattern: string, usesPid: boolean, host: string, dumped: Dumped): CoreDump | null {
  if (/^[|@]/.test(pattern)) {
    const [program = ''] = pattern.replace(/^[|@]+/, '').split(' ');
    return { path: null, handler: printable(basename(program)) };
  }
  if (pattern === '') return null;
  const suffix = usesPid && !/(?<!%)(?:%%)*%p/.test(pattern) ? `.${dumped.pid}` : '';
  const file = pattern.replace(/%(.?)/g, (_, word: string) => expanded(word, host, dumped)) + suffix;
  const path = file.startsWith('/') || dumped.cwd === null ? file : `${dumped.cwd.replace(/\/$/, '')}/${file}`;
  return { path: printable(path), handler: null };
}

/** What is not known is a star, as a shell would have it. */
function expanded(word: string, host: string, { pid, signal, name, uid, gid, exe, seconds }: Dumped): string {
  switch (word) {
    case '%':
      return '%';
    case 'p':
    case 'P':
      return String(pid);
    case 'u':
      return String(uid ?? '*');
    case 'g':
      return String(gid ?? '*');
    case 's':
      return String(signalNumber(signal) ?? '*');
    case 't':
      return String(seconds ?? '*');
    case 'h':
      return flat(host);
    case 'e':
      return name === null ? '*' : flat(name);
    case 'f':
      return exe === null ? '*' : flat(basename(exe));
    case 'E':
      return exe === null ? '*' : flat(exe);
    case 'c':
    case 'C':
    case 'd':
    case 'i':
    case 'I':
      return '*';
    default:
      return ''; // the kernel leaves out what it does not know
  }
}

/** One name of a file, whatever was in it. */
const flat = (text: string): string => {
  const name = text.replaceAll('/', '!');
  return name === '' || name === '.' || name === '..' ? name.replace(/^\.?/, '!') : name;
};
