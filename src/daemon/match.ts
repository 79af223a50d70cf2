// `upkeep match`: the pattern as the configuration reads it, the processes as the keeper sees them. A composition for the
// command line; needs no keeper.

import type { MatchAnswer, MatchedProcess, MatchReport } from '../cli/ports.js';
import { readPattern } from '../config/pattern-text.js';
import type { Choice, Pattern } from '../core/pattern.js';
import { findUser } from '../kernel/account.js';
import { probeFeatures, switchedOff } from '../kernel/features.js';
import { type Surveyed, surveyProcesses } from '../kernel/survey.js';

export async function matchPattern(text: string): Promise<MatchAnswer> {
  const read = readPattern(text);
  if (read.type === 'bad') return { type: 'bad', problem: read.problems.map(({ message }) => message).join('; ') };
  const { pattern } = read;
  const survey = await surveyProcesses(pattern, probeFeatures(switchedOff(process.env)));
  const report: MatchReport = {
    understood: understood(pattern),
    main: mainOf(survey.choice),
    processes: survey.processes.map(processOf),
    unseen: survey.unseen,
  };
  return { type: 'looked', report };
}

function understood({ by, pidFile, user }: Pattern): string {
  const narrowed = [pidFile === null ? null : `pid file ${pidFile}`, user === null ? null : `user ${user}`].filter(
    (part) => part !== null,
  );
  return [wordsFor(by), ...narrowed].filter((part) => part !== '').join(', ');
}

function wordsFor(by: Pattern['by']): string {
  switch (by.type) {
    case 'exe':
      return `executable ${by.path}`;
    case 'name':
      return `name ${by.name}`;
    case 'match':
      return `command line matching ${by.regex}`;
    case 'pidFile':
      return '';
  }
}

function mainOf(choice: Choice): MatchReport['main'] {
  switch (choice.type) {
    case 'main':
      return { type: 'one', pid: choice.facts.process.pid };
    case 'none':
    case 'unseen':
      return { type: 'none' };
    case 'ambiguous':
      return { type: 'ambiguous', pids: choice.pids };
  }
}

function processOf({ facts, part, because }: Surveyed): MatchedProcess {
  const { process, ppid, uid, argv, comm } = facts;
  return {
    pid: process.pid,
    ppid,
    user: findUser(String(uid))?.name ?? String(uid),
    command: argv.length === 0 ? `[${comm}]` : argv.join(' '),
    part,
    why: because,
  };
}
