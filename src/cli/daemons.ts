// Daemons that run here, and what starts them, for `upkeep init`: children of PID 1 that have an init script of this
// host. Guesses for a file that a person reads next, nothing that is acted on.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Daemon } from '../config/init.js';

export interface HostTree {
  /** /proc */
  readonly processes: string;
  /** /etc/init.d */
  readonly scripts: string;
}

const REAL: HostTree = { processes: '/proc', scripts: '/etc/init.d' };

/** Each executable once, by name. */
export function daemonsHere(host: HostTree = REAL): readonly Daemon[] {
  const scripts = scriptsIn(host.scripts);
  const found = new Map<string, Daemon>();
  for (const exe of executables(host.processes)) {
    const script = scripts.find(({ text }) => mentions(text, exe));
    if (script !== undefined && !found.has(script.name)) {
      found.set(script.name, { name: script.name, exe, start: `service ${script.name} restart` });
    }
  }
  return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** A whole word of the script: /usr/sbin/sshd is not in /usr/sbin/sshd-session. */
const mentions = (text: string, exe: string): boolean => text.split(/[\s"'=;:]+/).includes(exe);

function executables(processes: string): readonly string[] {
  return namesIn(processes).flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const stat = readFileSync(join(processes, pid, 'stat'), 'utf8');
      // proc(5): the name stands in parentheses and may hold anything; state and parent follow.
      const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return parent === '1' ? [readlinkSync(join(processes, pid, 'exe')).replace(/ \(deleted\)$/, '')] : [];
    } catch {
      // Gone meanwhile, or somebody else's: not to be guessed at.
      return [];
    }
  });
}

function scriptsIn(directory: string): readonly { readonly name: string; readonly text: string }[] {
  return namesIn(directory).flatMap((file) => {
    try {
      return [{ name: basename(file), text: readFileSync(join(directory, file), 'utf8') }];
    } catch {
      return [];
    }
  });
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory).toSorted();
  } catch {
    return [];
  }
}
