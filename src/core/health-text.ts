// What the heartbeats of a service that runs say against it, for people: as clauses for tables and cards, and as sentences.
// Pure. What a program printed is left out: whoever may see it finds it in the status.

import { type Beat, stateOfBeat } from './beat.js';
import { failsInWords, type HeartbeatSpec } from './heartbeat.js';
import { beatOf, isAskable } from './heartbeats-of.js';
import type { Result } from './question.js';
import { isOutput } from './question-text.js';
import type { Service } from './state.js';
import { elapsed, inWords, type Now } from './time.js';

/** `failing its heartbeat http for 3 min: no answer within 5 s` */
export const healthClauses = (service: Service, now: Now): readonly string[] =>
  troubledOf(service).map(({ spec, beat, trouble }) => {
    if (trouble === 'failing')
      return `failing its heartbeat ${spec.name}${forSo(beat.ailing?.since, now)}${lastSaid('failed', spec, beat)}${unaskedSince(beat, now)}`;
    return `its heartbeat ${spec.name} could not be asked${forSo(beat.unaskedSince, now)}${lastSaid('unasked', spec, beat)}`;
  });

export const healthSentences = (service: Service, now: Now): readonly string[] =>
  troubledOf(service).map(({ spec, beat, trouble }) => {
    if (trouble === 'failing')
      return `it does not do its work: its heartbeat ${spec.name} has failed ${failsInWords(spec.fails)}${beat.ailing === null ? '' : `, for ${inWords(elapsed(beat.ailing.since, now.instant))} now`}${lastSaid('failed', spec, beat)}${unaskedSince(beat, now)}; ${doneAboutIt[spec.then.type]}`;
    return `its heartbeat ${spec.name} could not be asked${forSo(beat.unaskedSince, now)}${lastSaid('unasked', spec, beat)}; that says nothing about the service, and nothing is done about it`;
  });

const doneAboutIt: Readonly<Record<HeartbeatSpec['then']['type'], string>> = {
  restart: 'it is restarted for that, where something can start it',
  notice: 'people are told, and nothing else is done about it',
  stop: 'it is stopped for that',
  exec: 'the command for that was run',
};

interface Troubled {
  readonly spec: HeartbeatSpec;
  readonly beat: Beat;
  readonly trouble: 'failing' | 'unasked';
}

/** Those that fail, then those that could not be asked. */
function troubledOf(service: Service): readonly Troubled[] {
  if (!isAskable(service)) return [];
  const all = service.spec.heartbeats.flatMap((spec): readonly Troubled[] => {
    const beat = beatOf(service, spec.name);
    if (beat === undefined) return [];
    if (stateOfBeat(beat) === 'failing') return [{ spec, beat, trouble: 'failing' }];
    return beat.unaskedSince === null ? [] : [{ spec, beat, trouble: 'unasked' }];
  });
  return all.toSorted((a, b) => Number(a.trouble === 'unasked') - Number(b.trouble === 'unasked'));
}

const forSo = (since: Parameters<typeof elapsed>[0] | null | undefined, now: Now): string =>
  since == null ? '' : ` for ${inWords(elapsed(since, now.instant))}`;

/** A failure goes on while nobody can be asked whether it does. */
const unaskedSince = ({ unaskedSince: since }: Beat, now: Now): string =>
  since === null ? '' : ` (and could not be asked${forSo(since, now)} now)`;

function lastSaid(result: Result, { question }: HeartbeatSpec, { answers }: Beat): string {
  const detail = answers.findLast((one) => one.result === result)?.detail ?? '';
  return detail === '' || isOutput(question) ? '' : `: ${detail}`;
}
