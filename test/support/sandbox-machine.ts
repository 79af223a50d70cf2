// What the tests with real daemons need of the disposable machine they run in: run a command, wait for a
// condition, look at processes. Knows nothing of Upkeep nor of any daemon.

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

// Refuses the host at the door: these tests kill daemons by name and write into /etc.
if (process.env.UPKEEP_SANDBOX !== '1' || process.getuid?.() !== 0) {
  throw new Error('tests with real daemons run only inside test/support/sandbox.sh (UPKEEP_SANDBOX=1, as root)');
}

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
}

/** Runs a command to its end. Output goes to files' worth of memory only: never for a daemon that stays. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Ran {
  const ran = spawnSync(command, [...args], { encoding: 'utf8', timeout: 90_000, ...options });
  if (ran.error) throw ran.error;
  return { code: ran.status, stdout: ran.stdout, stderr: ran.stderr };
}

/** `service NAME VERB`, with its output to /dev/null: a daemon that it leaves behind must not hold our pipe. */
export function service(name: string, verb: string): number | null {
  return spawnSync('service', [name, verb], { stdio: 'ignore', timeout: 90_000 }).status;
}

let context = (): string => '';

/** What every wait that fails adds to its message. */
export function explainWith(text: () => string): void {
  context = text;
}

/** Polls until `look` gives something, and gives that back; says what it was waiting for when it does not. */
export async function until<T>(
  what: string | (() => string),
  look: () => T | Promise<T>,
  seconds = 30,
): Promise<NonNullable<Exclude<T, false>>> {
  const began = Date.now();
  const deadline = began + seconds * 1000;
  let problem = '';
  for (;;) {
    try {
      const found = await look();
      if (found !== undefined && found !== null && found !== false) return found as NonNullable<Exclude<T, false>>;
    } catch (error) {
      problem = ` (${(error as Error).message})`;
    }
    if (Date.now() > deadline)
      throw new Error(`not within ${seconds} s: ${typeof what === 'string' ? what : what()}${problem}\n${context()}`);
    // A look may start a program, and somebody may need the processor while cron lets us wait for its minute.
    await pause(Math.min(50 + (Date.now() - began) / 10, 250));
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export interface Seen {
  readonly pid: number;
  readonly ppid: number;
  readonly session: number;
  readonly uid: number;
  readonly state: string;
  readonly exe: string;
  readonly argv: readonly string[];
}

/** Every process of the sandbox that is alive. */
export function processes(): readonly Seen[] {
  const all: Seen[] = [];
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const uid = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
      if (fields[0] === 'Z') continue;
      all.push({
        pid,
        ppid: Number(fields[1]),
        session: Number(fields[3]),
        uid: Number(uid?.[1]),
        state: fields[0] ?? '?',
        exe: readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, ''),
        argv: readFileSync(`/proc/${pid}/cmdline`, 'utf8')
          .split('\0')
          .filter((word) => word !== ''),
      });
    } catch {
      // It ended while we looked, or it is a zombie.
    }
  }
  return all;
}

export const ofProgram = (exe: string): readonly Seen[] => processes().filter((seen) => seen.exe === exe);

export function isAlive(pid: number): boolean {
  return processes().some((seen) => seen.pid === pid);
}

/** The lines of /proc/PID/status as a map. */
export function statusOf(pid: number): ReadonlyMap<string, string> {
  const lines = readFileSync(`/proc/${pid}/status`, 'utf8').trimEnd().split('\n');
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]));
}

/** Ends every process of these programs. Inside the sandbox all of them are ours. */
export async function endAll(...programs: readonly string[]): Promise<void> {
  await until(`the end of ${programs.join(', ')}`, () => {
    const left = processes().filter((seen) => programs.includes(seen.exe));
    for (const seen of left) process.kill(seen.pid, 'SIGKILL');
    return left.length === 0;
  });
}
