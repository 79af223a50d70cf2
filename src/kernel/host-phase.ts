// Is the host booting, up, or going down? Asks the init system that runs it: systemd by systemctl, others by the run level
// in utmp. In a container and for an ordinary user's keeper the answer is `up`.

import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import type { HostPhase } from '../core/time.js';

/** How long the init system may take to answer before we go by what we know. */
const patience = 2000;

/** Never rejects: who cannot be asked has no phase but `up`. */
export async function hostPhase(): Promise<HostPhase> {
  if (existsSync('/run/systemd/system')) return phaseOfSystemd(await output('systemctl', ['is-system-running']));
  if (initName() === 'init') return phaseOfRunLevel(await output('runlevel', []));
  return 'up';
}

export function phaseOfSystemd(answer: string): HostPhase {
  if (answer === 'initializing' || answer === 'starting') return 'booting';
  return answer === 'stopping' ? 'ending' : 'up';
}

/** runlevel(8): the previous level and the current; S and unknown while booting, 0 and 6 on the way down. */
export function phaseOfRunLevel(answer: string): HostPhase {
  const level = answer.split(' ')[1];
  if (level === '0' || level === '6') return 'ending';
  return level === 'S' ? 'booting' : 'up';
}

function initName(): string {
  try {
    return readFileSync('/proc/1/comm', 'utf8').trim();
  } catch {
    return '';
  }
}

function output(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(
      program,
      args,
      { timeout: patience, env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' } },
      (_error, stdout) => resolve(stdout.trim()),
    );
  });
}
