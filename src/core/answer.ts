// What follows from an answer: what is told of it, and what is done where a heartbeat has failed too often. When anything is asked
// is health.ts; a restart goes the way of every planned stop, with coupling and limits.

import { type Beat, hasFailedAnew, hear } from './beat.js';
import type { Asked, What } from './change.js';
import { incidentOf } from './death.js';
import type { Effect } from './effect.js';
import type { HeartbeatSpec } from './heartbeat.js';
import { isAskable, withBeat } from './heartbeats-of.js';
import { environmentFor } from './hook-env.js';
import { openIncident } from './incident.js';
import { before, type Move, stay } from './move.js';
import type { Answer } from './question.js';
import { questionInWords } from './question-text.js';
import type { Service, StopReason } from './state.js';
import { beginStop } from './stop.js';
import { elapsed, type Moment } from './time.js';

export function takeAnswer(service: Service, spec: HeartbeatSpec, beat: Beat, answer: Answer, at: Moment): Move {
  const heard = hear(beat, spec, answer, at);
  const told = asking(spec, beat, heard, answer, at);
  const known = withBeat(service, beat.name, () => heard);
  if (hasFailedAnew(beat, heard)) return before([], told, react(known, spec, heard, answer, at));
  if (heard.verdict !== 'ok' || heard.ailing === null) return before([], told, stay(known));
  const { since, incident } = heard.ailing;
  const well: What = { type: 'healthy', heartbeat: beat.name, after: elapsed(since, at.instant), incident };
  return before([], [...told, well], stay(withBeat(known, beat.name, (one) => ({ ...one, ailing: null }))));
}

/** Whether it can be asked at all is told when that changes. */
function asking(spec: HeartbeatSpec, was: Beat, now: Beat, { detail }: Answer, at: Moment): readonly What[] {
  if (was.unaskedSince === null && now.unaskedSince !== null)
    return [{ type: 'unasked', heartbeat: was.name, asked: askedOf(spec), reason: detail }];
  if (was.unaskedSince !== null && now.unaskedSince === null)
    return [{ type: 'askable', heartbeat: was.name, after: elapsed(was.unaskedSince, at.instant) }];
  return [];
}

/** It has failed too often. Under a hold nothing is done; then the next failure asks again. */
function react(service: Service, spec: HeartbeatSpec, beat: Beat, { detail }: Answer, at: Moment): Move {
  const { state } = service;
  // What could not come back now is not taken down.
  if (state.name !== 'running' || !isAskable(service) || at.host !== 'up') return stay(service);
  const then = reactionOf(service, spec);
  const ailing = beat.ailing ?? { since: at.instant, incident: openIncident(service, at) ?? incidentOf(at) };
  const { incident } = ailing;
  const acted = withBeat(service, beat.name, (one) => ({ ...one, acted: 'yes', ailing }));
  const told: What = {
    type: 'unhealthy',
    heartbeat: beat.name,
    asked: askedOf(spec),
    detail,
    fails: spec.fails,
    then: then.type,
    incident,
  };
  const stop = (why: StopReason): Move => beginStop(acted, state.process, state.helper, why, at);
  switch (then.type) {
    case 'notice':
      return before([], [told], stay(acted));
    case 'restart':
      return before([], [told], stop('heartbeat'));
    case 'stop':
      return before([], [told], stop('heartbeat-stop'));
    case 'exec': {
      const env = { ...environmentFor(service, 'reload'), UPKEEP_HEARTBEAT: beat.name, UPKEEP_DETAIL: detail };
      const order: Effect = { type: 'react', spec: service.spec, heartbeat: beat.name, command: then.command, env };
      return before([order], [told], stay(acted));
    }
  }
}

const askedOf = ({ question }: HeartbeatSpec): Asked => ({ kind: question.kind, text: questionInWords(question) });

/** What nothing can start again is not stopped. */
function reactionOf({ spec: { kind } }: Service, { then }: HeartbeatSpec): HeartbeatSpec['then'] {
  return then.type === 'restart' && kind.type === 'watched' && kind.start === null ? { type: 'notice' } : then;
}
