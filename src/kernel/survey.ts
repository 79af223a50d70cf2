// What a pattern finds on this host and what only resembles it, each with the reason: for people who write a pattern. It
// must not know how that is shown.

import { type Matcher, matcherOf } from '../core/match.js';
import { type Choice, chooseMain, type Pattern, type PidFile, type ProcessFacts } from '../core/pattern.js';
import { basename } from '../core/program.js';
import type { Features } from './features.js';
import { HOST, lookOf, unseenFor } from './look.js';
import { scanProcesses } from './processes.js';

export interface Survey {
  readonly choice: Choice;
  readonly pidFile: PidFile;
  /** Those that match, then those that resemble them, each by pid. */
  readonly processes: readonly Surveyed[];
  /** Why not all processes could be seen; null when they could. */
  readonly unseen: string | null;
}

export interface Surveyed {
  readonly facts: ProcessFacts;
  /** `main`: the one that is followed; `rival`: another that could be it; `below`: matches, but belongs to another; `other`: does not match. */
  readonly part: 'main' | 'rival' | 'below' | 'other';
  readonly because: string;
}

/** Looks once at everything, as a keeper that has just come would. */
export function surveyProcesses(pattern: Pattern, features: Features): Promise<Survey> {
  const matcher = matcherOf(pattern, HOST);
  const resembling: Matcher = {
    judge: (facts) => {
      const judgement = matcher.judge(facts);
      const isNear = judgement.match !== 'yes' && facts.process.pid !== HOST.keeper && resembles(pattern, facts);
      return { match: isNear ? 'yes' : 'no', because: judgement.because };
    },
  };
  // By a pid file alone everything would match.
  const matchers = pattern.by.type === 'pidFile' ? [] : [matcher, resembling];
  return new Promise((resolve) => {
    scanProcesses(matchers, { features }, ({ found: [matching, near] }) => {
      const found = new Map(matching?.matches.map((facts) => [facts.process.pid as number, facts]));
      const look = lookOf({ pattern, matcher, found, unseen: unseenFor(pattern, matching?.unseen ?? null) }, features);
      const choice = chooseMain(pattern, look, { identity: null, deadSince: null });
      const told = (facts: ProcessFacts, part: Surveyed['part']): Surveyed => ({
        facts,
        part,
        because: matcher.judge(facts).because(facts),
      });
      const matches = look.matches.map((facts) => told(facts, partOf(facts, choice)));
      const others = [...(near?.matches ?? [])].sort((a, b) => a.process.pid - b.process.pid);
      const processes = [...matches, ...others.map((facts) => told(facts, 'other'))];
      resolve({ choice, pidFile: look.pidFile, processes, unseen: look.unseen });
    });
  });
}

function partOf(facts: ProcessFacts, choice: Choice): Surveyed['part'] {
  const { pid } = facts.process;
  switch (choice.type) {
    case 'main':
      return choice.facts.process.pid === pid ? 'main' : 'below';
    case 'ambiguous':
      return choice.pids.includes(pid) ? 'rival' : 'below';
    case 'none':
    case 'unseen':
      return 'below';
  }
}

/** Has the pattern's word somewhere on it. */
function resembles({ by }: Pattern, facts: ProcessFacts): boolean {
  const line = `${facts.exe ?? facts.comm} ${facts.argv.join(' ')}`;
  switch (by.type) {
    case 'exe':
      return line.includes(basename(by.path));
    case 'name':
      return line.includes(by.name);
    case 'match':
      return isIn(by.regex, line);
    case 'pidFile':
      return false;
  }
}

function isIn(regex: string, line: string): boolean {
  try {
    return new RegExp(regex, 'i').test(line);
  } catch {
    return false;
  }
}
