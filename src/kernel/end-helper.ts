// Ending a start, stop or reload command that hangs, with what it started, but not the daemon that it brought up.

import type { ProcessRef, SignalName } from '../core/process.js';
import type { Report } from '../keeper/ports.js';
import { descendantsOf, sessionOf } from './family.js';
import type { Features } from './features.js';
import { variableOf } from './processes-of.js';
import { signalProcess } from './signals.js';
import { SystemCallFailure } from './syscalls.js';

/** What a command that does not hear SIGTERM is given before SIGKILL. */
const PATIENCE = 2000;

export interface HelperParts {
  readonly features: Features;
  readonly report: Report;
  /** Is its end waited for by somebody? Then it is a service's main process or another command. */
  readonly isFollowed: (pid: number) => boolean;
  /** Is it the watched daemon itself? Neither it nor what is below it is touched. */
  readonly spares: (pid: number) => boolean;
}

/** SIGTERM to the helper and what it started, SIGKILL to who is left of it after two seconds. `token`: what its environment was marked with; null: not known. */
export function endHelper(helper: ProcessRef, token: string | null, parts: HelperParts): void {
  const round = async (signals: readonly SignalName[]): Promise<void> => {
    const members = [helper, ...(await familyOf(helper, token, parts))].filter(({ pid }) => !parts.spares(pid));
    for (const signal of signals) for (const member of members) send(member, signal, parts.features);
  };
  const failed = (error: unknown): void => parts.report(`the command with pid ${helper.pid} could not be ended`, error);
  round(['SIGTERM', 'SIGCONT']).catch(failed);
  setTimeout(() => void round(['SIGKILL']).catch(failed), PATIENCE).unref();
}

async function familyOf(helper: ProcessRef, token: string | null, parts: HelperParts): Promise<readonly ProcessRef[]> {
  if (token === null || parts.features.subreaper === 'no') return sessionOf(helper);
  return descendantsOf(helper, {
    isOurs: (pid) => variableOf(pid, 'UPKEEP_TOKEN') === token,
    isOthers: (pid) => parts.isFollowed(pid) || parts.spares(pid),
  });
}

function send(member: ProcessRef, signal: SignalName, features: Features): void {
  try {
    signalProcess(member, signal, features);
  } catch (error) {
    if (!(error instanceof SystemCallFailure)) throw error; // EPERM: it has become somebody else
  }
}
