// The host as an installer meets it: files, commands, what runs. `root` puts everything below another directory, for tests
// and images. Files are replaced by rename: whoever reads one sees the old or the new, and a link is replaced, not followed.

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command, WishedFile, WishedLink } from './way.js';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What lies at a path, never followed. */
export type Found =
  | { readonly type: 'none' }
  | { readonly type: 'file'; readonly text: string; readonly mode: number }
  | { readonly type: 'link'; readonly target: string }
  | { readonly type: 'other' };

export class Ground {
  readonly #root: string;
  readonly #run: (command: Command, input: string) => Ran;
  readonly #programs: () => ReadonlySet<string>;

  constructor(
    root = '',
    run: (command: Command, input: string) => Ran = runCommand,
    programs: () => ReadonlySet<string> = runningPrograms,
  ) {
    this.#root = root;
    this.#run = run;
    this.#programs = programs;
  }

  find(path: string): Found {
    const at = this.#at(path);
    const stat = lstatSync(at, { throwIfNoEntry: false });
    if (stat === undefined) return { type: 'none' };
    if (stat.isSymbolicLink()) return { type: 'link', target: readlinkSync(at) };
    if (!stat.isFile()) return { type: 'other' };
    return { type: 'file', text: readFileSync(at, 'utf8'), mode: stat.mode & 0o777 };
  }

  has(path: string): boolean {
    return existsSync(this.#at(path));
  }

  /** The first of these programs that is there. */
  program(...names: readonly string[]): string | null {
    const folders = ['/usr/sbin', '/usr/bin', '/sbin', '/bin', '/usr/local/sbin', '/usr/local/bin'];
    return names.find((name) => folders.some((folder) => this.has(join(folder, name)))) ?? null;
  }

  /** The names (/proc/PID/comm) of all that runs. */
  programs(): ReadonlySet<string> {
    return this.#programs();
  }

  /** The directories on the way to this path that are not there, the topmost first. */
  missingDirectories(path: string): readonly string[] {
    const folder = dirname(path);
    return folder === path || this.has(folder) ? [] : [...this.missingDirectories(folder), folder];
  }

  writeFile({ path, text, mode }: WishedFile): void {
    const at = this.#at(path);
    mkdirSync(dirname(at), { recursive: true, mode: 0o755 });
    // A dot in front: cron and systemd look at every file of their directories, and at none of these.
    const temporary = join(dirname(at), `.upkeep.${process.pid}`);
    writeFileSync(temporary, text, { flag: 'wx', mode, flush: true });
    chmodSync(temporary, mode); // whatever our umask is
    renameSync(temporary, at);
  }

  writeLink({ path, target }: WishedLink): void {
    const at = this.#at(path);
    mkdirSync(dirname(at), { recursive: true, mode: 0o755 });
    const temporary = join(dirname(at), `.upkeep.${process.pid}`);
    symlinkSync(target, temporary);
    renameSync(temporary, at);
  }

  remove(path: string): void {
    rmSync(this.#at(path), { force: true });
  }

  /** Leaves it where something is in it. */
  removeDirectory(path: string): void {
    const at = this.#at(path);
    if (lstatSync(at, { throwIfNoEntry: false })?.isDirectory() !== true) return;
    if (readdirSync(at).length === 0) rmdirSync(at);
  }

  run(command: Command, input = ''): Ran {
    return this.#run(command, input);
  }

  #at(path: string): string {
    return this.#root === '' ? path : join(this.#root, path);
  }
}

/** How long systemd or an init script may take: a start waits until the keeper is ready. */
const patience = 120_000;

function runCommand([program = '', ...args]: Command, input: string): Ran {
  // Into files' worth of memory: what a daemon that stays behind would hold open is not waited for by start.sh's doing.
  const ran = spawnSync(program, args, { encoding: 'utf8', timeout: patience, input, cwd: '/' });
  if (ran.error !== undefined) return { code: 127, stdout: '', stderr: ran.error.message };
  return { code: ran.status ?? 1, stdout: ran.stdout, stderr: ran.stderr };
}

function runningPrograms(): ReadonlySet<string> {
  const names = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  return new Set(
    names.flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/comm`, 'utf8').trim()];
      } catch {
        return []; // it has ended meanwhile
      }
    }),
  );
}
