// A real systemd inside the sandbox (sandbox-systemd.sh), and commands run below it. Knows nothing of Upkeep.

import { execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { explainWith, type Ran, until } from './sandbox-machine.js';

const SCRIPT = join(dirname(fileURLToPath(import.meta.url)), 'sandbox-systemd.sh');

export class Systemd {
  /** Of PID 1 in there, as it is seen from outside. */
  readonly #pid: number;
  readonly #outside: number;

  private constructor(pid: number, outside: number) {
    this.#pid = pid;
    this.#outside = outside;
  }

  /** Boots one, and waits until it is up. */
  static async boot(): Promise<Systemd> {
    const child = spawn('/bin/bash', [SCRIPT], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        said = (said + chunk.toString('utf8')).slice(-20_000);
      });
    explainWith(() => `systemd said:\n${said}`);
    const pid = await until('systemd is PID 1', () => systemdBelow(child.pid ?? 0));
    const systemd = new Systemd(pid, child.pid ?? 0);
    await until('systemd has booted', () =>
      /running|degraded/.test(systemd.run('systemctl', 'is-system-running').stdout),
    );
    explainWith(() => `its journal:\n${systemd.run('journalctl', '-b', '--no-pager', '-n', '60').stdout}`);
    return systemd;
  }

  /** Runs a command in there to its end. */
  run(...words: readonly string[]): Ran {
    const ran = spawnSync('nsenter', this.#inThere(words), { encoding: 'utf8', timeout: 120_000 });
    if (ran.error) throw ran.error;
    return { code: ran.status, stdout: ran.stdout, stderr: ran.stderr };
  }

  /** What a command in there says, beside whatever else is done meanwhile. */
  async answer(...words: readonly string[]): Promise<string> {
    return (await promisify(execFile)('nsenter', this.#inThere(words), { timeout: 120_000 })).stdout;
  }

  #inThere(words: readonly string[]): string[] {
    const namespaces = ['-t', String(this.#pid), '-m', '-p', '-u', '-i', '-C'];
    const env = ['env', '-i', `PATH=${process.env.PATH}`, 'HOME=/root', 'LC_ALL=C.UTF-8'];
    return [...namespaces, '--', ...env, ...words];
  }

  /** Everything in there ends with it. `by itself`: it was told to power off. */
  async end(how: 'killed' | 'by itself' = 'killed'): Promise<void> {
    if (how === 'killed') process.kill(this.#outside, 'SIGKILL');
    await until('the end of systemd', () => !existsSync(`/proc/${this.#pid}`));
  }
}

/** The child of the script's process (unshare) once it has become systemd. */
function systemdBelow(parent: number): number | undefined {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .find((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        return /^\d+ \(systemd\) \S (\d+) /.exec(stat)?.[1] === String(parent);
      } catch {
        return false;
      }
    });
}
