// What is known of an end, piece by piece, each with how surely and by whose word; and what is not known although one would
// ask, with the source that is missing. Pure. A code is never called a signal, and 137 is no proof of an OOM kill.

import { type Death, describeFault, describeKiller } from './death.js';
import { errorsIn } from './last-words.js';
import type { Finding } from './post-mortem.js';
import type { ExitStatus, Killer, OomKill, SignalName } from './process.js';
import { isOutput, resultInWords } from './question-text.js';
import { sizeInWords } from './size.js';
import { inFineWords, inWords } from './time.js';

/** A source that this host does not have, and what that means. */
export interface Lack {
  readonly name: string;
  readonly effect: string;
}

export function evidenceOf(death: Death, without: readonly Lack[]): readonly Finding[] {
  return [
    ...answerFindings(death),
    ...statusFinding(death, without),
    ...senderFindings(death, without),
    ...oomFinding(death, without),
    ...faultFinding(death, without),
    ...coreFinding(death),
    ...saidFindings(death),
    ...lifeFindings(death),
    ...sleepFinding(death),
  ];
}

/** The last answers of the heartbeat for which it was stopped, the newest first. */
function answerFindings({ ailment, time }: Death): readonly Finding[] {
  if (ailment === undefined) return [];
  const { heartbeat, answers } = ailment;
  const about = isOutput(ailment) ? 'heartbeat-output' : 'heartbeat';
  return answers.toReversed().map((answer): Finding => {
    const when = `${inFineWords(Math.max(0, time - answer.time))} before`;
    const said = answer.detail === '' ? '' : `: ${answer.detail}`;
    const text = `${heartbeat}, ${when}: ${resultInWords[answer.result]} after ${inFineWords(answer.ms)}${said}`;
    return { about, text, grade: 'seen', source: 'heartbeat' };
  });
}

function statusFinding({ cause, status, errno, detail }: Death, without: readonly Lack[]): readonly Finding[] {
  if (cause === 'spawn') {
    const text = `${errno === null ? '' : `${errno}: `}${detail ?? 'it could not be started'}`;
    return [{ about: 'exec', text, grade: 'seen', source: 'start' }];
  }
  const seen = { about: 'status', grade: 'seen', source: 'wait status' } as const;
  switch (status.type) {
    case 'exited':
      return [{ ...seen, text: `code ${status.code}` }, ...shellsWord(status.code)];
    case 'signaled':
      return [{ ...seen, text: `ended by ${status.signal}` }];
    case 'unknown':
      return [
        {
          about: 'status',
          text: `how it ended is not known${because('pidfdInfo', without)}`,
          grade: 'unknown',
          source: 'wait status',
        },
      ];
  }
}

/** sh(1): 128 and the signal's number stand for the end of what a shell ran. Any program may end with such a code of its own. */
function shellsWord(code: number): readonly Finding[] {
  const signal = shellSignals[code];
  if (signal === undefined) return [];
  const text = `a code, not a signal of its own; a shell ends with ${code} when what it ran was ended by ${signal}`;
  return [{ about: 'status', text, grade: 'inferred', source: 'convention of shells' }];
}

const shellSignals: Readonly<Record<number, SignalName>> = {
  129: 'SIGHUP',
  130: 'SIGINT',
  131: 'SIGQUIT',
  134: 'SIGABRT',
  135: 'SIGBUS',
  136: 'SIGFPE',
  137: 'SIGKILL',
  139: 'SIGSEGV',
  141: 'SIGPIPE',
  143: 'SIGTERM',
};

/** Signals by which the kernel answers a mistake of the program itself. */
const faultSignals: readonly SignalName[] = ['SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGSYS', 'SIGTRAP'];

function senderFindings(death: Death, without: readonly Lack[]): readonly Finding[] {
  const { by, cause, status } = death;
  if (death.onRequest === 'yes' && by !== null)
    return [
      { about: 'sender', text: `the keeper, asked to by ${describeKiller(by)}`, grade: 'seen', source: 'keeper' },
    ];
  if (by !== null) return [killerFinding(by, status), ...commandFinding(by)];
  if (isOurs(death)) return [{ about: 'sender', text: 'the keeper itself', grade: 'seen', source: 'keeper' }];
  // The kernel chose: the word for that is another finding.
  if (cause !== 'signal' || status.type !== 'signaled' || death.findings?.fault != null) return [];
  const { signal } = status;
  const tracing = { about: 'sender', source: 'tracefs' } as const;
  if (faultSignals.includes(signal)) {
    const text = `nobody: ${signal} is how the kernel answers a fault of the program's own`;
    return [{ about: 'sender', text, grade: 'inferred', source: 'signal' }];
  }
  if (isLacking('tracefs', without))
    return [{ ...tracing, text: `who sent it is not known${because('tracefs', without)}`, grade: 'unknown' }];
  if (signal === 'SIGABRT') return [{ ...tracing, text: 'itself: it called abort', grade: 'inferred' }];
  return [
    {
      ...tracing,
      text: 'nobody else was seen to send it: the program itself, or the kernel',
      grade: 'inferred',
    },
  ];
}

function killerFinding(by: Killer, status: ExitStatus): Finding {
  const parent = by.parent === null ? '' : `, run by ${by.parent.name} (pid ${by.parent.pid})`;
  const answer = status.type === 'exited' ? `; it answered by ending with code ${status.code}` : '';
  return {
    about: 'sender',
    text: `${by.signal} from ${describeKiller(by)}${parent}${answer}`,
    grade: by.grade,
    source: 'tracefs',
  };
}

const commandFinding = ({ command }: Killer): readonly Finding[] =>
  command === null ? [] : [{ about: 'command', text: `which ran: ${command}`, grade: 'seen', source: '/proc' }];

function isOurs({ cause }: Death): boolean {
  switch (cause) {
    case 'requested':
    case 'start-timeout':
    case 'watchdog':
    case 'heartbeat':
    case 'limit':
    case 'coupling':
      return true;
    case 'exit':
    case 'signal':
    case 'oom':
    case 'spawn':
    case 'gone':
      return false;
  }
}

function oomFinding({ oom, findings, by, status, cause }: Death, without: readonly Lack[]): readonly Finding[] {
  if (findings?.oomKill != null) return [oomKillFinding(findings.oomKill)];
  if (oom === 'yes')
    return [{ about: 'oom', text: 'the kernel ended it: out of memory', grade: 'seen', source: 'kernel' }];
  const mayHaveBeen = cause === 'signal' && by === null && status.type === 'signaled' && status.signal === 'SIGKILL';
  // Each of the two would have told.
  if (!mayHaveBeen || !isLacking('tracefs', without) || !isLacking('kmsg', without)) return [];
  const text = 'whether memory ran out is not known: without tracefs and kmsg';
  return [{ about: 'oom', text, grade: 'unknown', source: 'kernel log' }];
}

function oomKillFinding({ group, scope, held, mapped, limit, source }: OomKill): Finding {
  const where = {
    group: `${group ?? 'its group'} reached its limit${limit === null ? '' : ` of ${sizeInWords(limit)}`}`,
    machine: 'the machine had no memory left',
    unknown: 'the kernel ended it for want of memory',
  }[scope];
  const sizes = [
    held === null ? null : `it held ${sizeInWords(held)}`,
    mapped === null ? null : `${sizeInWords(mapped)} mapped`,
  ].filter((size) => size !== null);
  const text = `out of memory: ${[where, ...sizes].join(', ')}`;
  // The counter of a group says that somebody in it was chosen, not who.
  return { about: 'oom', text, grade: source === 'counter' ? 'inferred' : 'seen', source: sources[source] };
}

const sources: Readonly<Record<OomKill['source'], string>> = {
  trace: 'tracefs',
  'kernel-log': 'kernel log',
  counter: 'cgroup',
};

function faultFinding({ findings, status, by }: Death, without: readonly Lack[]): readonly Finding[] {
  if (findings?.fault == null) {
    const isOwn = status.type === 'signaled' && faultSignals.includes(status.signal) && by === null;
    if (!isOwn || !isLacking('kmsg', without)) return [];
    const text = `where it was is not known${because('kmsg', without)}`;
    return [{ about: 'fault', text, grade: 'unknown', source: 'kernel log' }];
  }
  const { source, instruction } = findings.fault;
  const text = `${describeFault(findings.fault)}${instruction === null ? '' : `, instruction ${instruction}`}`;
  return [{ about: 'fault', text, grade: 'seen', source: sources[source] }];
}

function coreFinding({ status, findings }: Death): readonly Finding[] {
  if (status.type !== 'signaled' || !status.coreDumped) return [];
  const { path = null, handler = null } = findings?.core ?? {};
  const text =
    path !== null
      ? `its memory was dumped to ${path}`
      : handler !== null
        ? `its memory was given to ${handler}`
        : 'its memory was dumped; where to is not known';
  return [
    { about: 'core', text, grade: 'seen', source: path === null && handler === null ? 'wait status' : 'core_pattern' },
  ];
}

/** By its own word: the keeper has heard it, and cannot know whether it is so. */
function saidFindings({ said }: Death): readonly Finding[] {
  if (said === undefined) return [];
  const word = (text: string): Finding => ({ about: 'said', text, grade: 'seen', source: 'sd_notify' });
  return [
    ...errorsIn(said).map((error) => word(`it had said ${error}`)),
    ...(said.status === null ? [] : [word(`its last status: ${said.status}`)]),
  ];
}

function lifeFindings({ uptime, served, peakMemory, cpuTime, whileAway }: Death): readonly Finding[] {
  const findings: Finding[] = [];
  if (uptime !== null && whileAway === 'no') {
    const ready = served === null ? ', and was never ready' : '';
    findings.push({
      about: 'uptime',
      text: `lived for ${inFineWords(uptime)}${ready}`,
      grade: 'seen',
      source: 'keeper',
    });
  }
  if (peakMemory !== null)
    findings.push({
      about: 'memory',
      text: `held ${sizeInWords(peakMemory)} at most`,
      grade: 'seen',
      source: 'kernel',
    });
  if (cpuTime !== null)
    findings.push({
      about: 'cpu',
      text: `used ${inFineWords(cpuTime)} of processor time`,
      grade: 'seen',
      source: 'kernel',
    });
  return findings;
}

function sleepFinding({ findings }: Death): readonly Finding[] {
  if (findings?.sleep == null) return [];
  const { length, ago } = findings.sleep;
  const text = `the machine had slept for ${inWords(length)}, until ${inWords(ago)} before at most`;
  return [{ about: 'sleep', text, grade: 'seen', source: 'clocks' }];
}

const isLacking = (name: string, without: readonly Lack[]): boolean => without.some((one) => one.name === name);

/** `: who sent a signal … is not known (needs root …)`: only what would be needed is new to the reader. */
function because(name: string, without: readonly Lack[]): string {
  const missing = without.find((one) => one.name === name);
  if (missing === undefined) return '';
  const need = /\(([^)]*)\)$/.exec(missing.effect)?.[1];
  return `: without ${name}${need === undefined ? '' : ` (${need})`}`;
}
