// The commands that change what a service is and what comes next, each with what it does. Pure. Only such that would not be
// refused, and those that help first.

import { stateOfBeat } from './beat.js';
import type { Pattern } from './pattern.js';
import { desiredOf, isInFight, type Service } from './state.js';

export interface Remedy {
  readonly command: string;
  readonly does: string;
}

/** `causes`: the others that it waits for in the end, whose remedies come first. */
export function remediesFor(service: Service, causes: readonly Service[]): readonly Remedy[] {
  return [...causes.flatMap(liftingRemedies), ...ownRemedies(service)];
}

/** Whoever asks about another does not want this one to stay down. */
function liftingRemedies(cause: Service): readonly Remedy[] {
  const { name } = cause.spec;
  return ownRemedies(cause).filter(({ command }) => command !== `upkeep stop ${name}`);
}

function ownRemedies(service: Service): readonly Remedy[] {
  const { spec, hold } = service;
  const held = hold === null ? [] : [remedy(`unhold ${spec.name}`, 'ends the hold')];
  return [...held, ...stateRemedies(service)];
}

function stateRemedies(service: Service): readonly Remedy[] {
  const { spec, state, hold } = service;
  const { name } = spec;
  const start = remedy(`start ${name}`, 'starts it now');
  const leave = remedy(`stop ${name}`, 'leaves it down until it is started by hand');
  const logs = remedy(`logs ${name}`, 'shows what it printed');
  const explain = remedy(`explain ${name}`, 'shows its settings, and where they come from');
  // A hold acts on nothing: what comes after it can be asked for when it has ended.
  if (hold !== null) return [];
  switch (state.name) {
    case 'running':
      return desiredOf(service) === 'down' ? [remedy(`stop ${name}`, 'stops it')] : healthRemedies(service);
    case 'handover':
      return [logs, leave];
    case 'done':
      return [remedy(`restart ${name}`, 'runs it again')];
    case 'skipped':
      return [start, logs];
    case 'stopped':
      return state.why === 'no-start' ? [explain] : [start];
    case 'waiting':
      return state.for === 'settle' || state.for === 'connection'
        ? [start, leave]
        : state.for === 'leftovers'
          ? [logs, leave]
          : [leave];
    case 'starting':
      return [logs, leave];
    case 'stopping':
      return [logs];
    case 'backoff':
    case 'failed':
      return [...matchRemedy(service), ...downRemedies(service, start), leave, logs, ...ackRemedy(service)];
    case 'unknown':
      return matchRemedy(service);
  }
}

/** It runs, and does not do its work, as far as its heartbeats tell. */
function healthRemedies({ spec: { name }, health }: Service): readonly Remedy[] {
  const isFailing = health.some((beat) => stateOfBeat(beat) === 'failing');
  if (!isFailing && health.every(({ unaskedSince }) => unaskedSince === null)) return [];
  return [
    remedy(`test ${name}`, 'asks it now, and shows each step'),
    ...(isFailing ? [remedy(`restart ${name}`, 'restarts it')] : []),
    remedy(`logs ${name}`, 'shows what it printed'),
    remedy(`hold ${name} --for 2h`, 'neither asks it nor acts on it for so long'),
  ];
}

function downRemedies(service: Service, start: Remedy): readonly Remedy[] {
  const { name } = service.spec;
  if (isInFight(service)) return [start, remedy(`hold ${name} --for 2h`, 'leaves it to the other for so long')];
  return [remedy(`reset ${name}`, 'forgets the failures and tries now')];
}

/** Only where there is an incident that somebody would be reminded of. */
const ackRemedy = ({ spec, lastDeath }: Service): readonly Remedy[] =>
  lastDeath === null ? [] : [remedy(`ack ${spec.name}`, 'ends the reminders of this incident')];

/** Where nothing or too much was found. */
function matchRemedy({ spec: { kind }, state }: Service): readonly Remedy[] {
  const isLost = state.name === 'unknown' || (state.name === 'failed' && state.failure.type === 'nothing-matches');
  if (kind.type !== 'watched' || !isLost) return [];
  return [remedy(`match ${patternText(kind.pattern)}`, 'shows what its watch finds, and why not the others')];
}

/** As `upkeep match` reads it, and a shell. */
function patternText({ by, pidFile, user }: Pattern): string {
  const narrowed = [...(pidFile === null ? [] : [['pidFile', pidFile]]), ...(user === null ? [] : [['user', user]])];
  switch (by.type) {
    case 'exe':
      return narrowed.length === 0 ? word(by.path) : map([['exe', by.path], ...narrowed]);
    case 'name':
      return narrowed.length === 0 ? word(by.name) : map([['name', by.name], ...narrowed]);
    case 'match':
      return map([['match', by.regex], ...narrowed]);
    case 'pidFile':
      return map(narrowed);
  }
}

const map = (pairs: readonly (readonly string[])[]): string =>
  word(`{${pairs.map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join(', ')}}`);

const word = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

const remedy = (words: string, does: string): Remedy => ({ command: `upkeep ${words}`, does });
