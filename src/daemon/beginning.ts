// What a keeper begins with: its directories, what the one before left, and the configuration that counts. Or the reason why
// it does not begin, said already. Starts nothing.

import { hostname } from 'node:os';
import type { RunOptions } from '../cli/ports.js';
import { errorText } from '../core/error-text.js';
import type { Report } from '../keeper/ports.js';
import type { KeeperLog } from '../logs/keeper-log.js';
import { decideCommand, placesOfCommand } from './command.js';
import { type Decision, decideAt } from './configuration.js';
import { type Mode, openLog } from './log.js';
import { type Memory, remember } from './memory.js';
import { enter, type Premises } from './premises.js';

export interface Beginning {
  /** With the places of a command, where there is one. */
  readonly options: RunOptions;
  readonly uid: number;
  readonly log: KeeperLog;
  readonly report: Report;
  readonly premises: Premises;
  readonly memory: Memory;
  readonly decision: Decision & { readonly type: 'run' };
}

/** The exit code in place of a beginning. */
export type Refused = { readonly type: 'refused'; readonly code: 1 | 2 };

/** `lock`: the descriptor that the program before handed on. */
export function begin(
  given: RunOptions,
  mode: Mode,
  lock: number | null,
): Refused | { readonly type: 'begun'; readonly beginning: Beginning } {
  const places = given.command === null ? given.places : placesOfCommand(given.places, given.command, process.env);
  const options: RunOptions = { ...given, places };
  const uid = process.getuid?.() ?? 0;
  // Nothing of where and how it was started clings to it: no mount stays busy, no file is looser than meant.
  process.chdir('/');
  process.umask(0o022);
  const log = openLog(mode);
  const report: Report = (problem, error) =>
    log.say('error', error == null ? problem : `${problem}: ${errorText(error)}`);

  let premises: Premises | null = null;
  try {
    premises = enter(places, uid, lock);
    const memory = remember(places, hostname(), uid, report);
    if (memory.journal.found.loss !== null) log.say('warning', memory.journal.found.loss);
    const decision = decideFor(options, memory, mode, uid);
    for (const problem of decision.problems) log.say('error', problem);
    const code = whyNot(options, decision, log);
    if (code === null && decision.type === 'run')
      return { type: 'begun', beginning: { options, uid, log, report, premises, memory, decision } };
    premises.leave();
    return { type: 'refused', code: code ?? 1 };
  } catch (error) {
    log.say('error', errorText(error));
    premises?.leave();
    return { type: 'refused', code: 1 };
  }
}

function whyNot({ exitWith }: RunOptions, decision: Decision, log: KeeperLog): 1 | 2 | null {
  if (decision.type === 'refuse') {
    log.say('error', 'there is no configuration to run by; nothing was started');
    return 1;
  }
  if (exitWith === null || decision.configuration.specs.some(({ name }) => name === exitWith)) return null;
  log.say('error', `--exit-with ${exitWith}: there is no such service on this host; nothing was started`);
  return 2;
}

function decideFor(
  { places, command, strict }: RunOptions,
  { journal, applied }: Memory,
  mode: Mode,
  uid: number,
): Decision {
  if (command !== null) return decideCommand(places.config, command, uid, journal.found);
  // A look from cron has nobody who could `apply`: the file counts whenever it is right.
  const boot = mode === 'once' ? 'other' : journal.found.boot;
  return decideAt(places.config, uid, { applied, boot, strict });
}
