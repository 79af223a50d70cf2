// What follows from an answer: what is told of it, and what is done where a heartbeat has failed too often. When anything is asked
// is health.ts; a restart goes the way of every planned stop, with coupling and limits.

import { type Beat, hasFailedAnew, hear } from './beat.js';
import type { Asked, What } from './change.js';
import { incidentOf } from './death.js';
import type { HeartbeatSpec, Reaction } from './heartbeat.js';
import { isAskable, withBeat } from './heartbeats-of.js';
import { environmentFor } from './hook-env.js';
import { openIncident } from './incident.js';
import { before, type Move, stay } from './move.js';
import type { Answer } from './question.js';
import { questionInWords } from './question-text.js';
import type { Running, Service } from './state.js';
import { beginStop } from './stop.js';
import { elapsed, type Moment } from './time.js';

export function takeAnswer(service: Service, spec: HeartbeatSpec, beat: Beat, answer: Answer, at: Moment): Move {
  const heard = hear(beat, spec, answer, at);
  const known = withBeat(service, beat.name, () => heard);
  const next = hasFailedAnew(beat, heard) ? react(known, spec, heard, answer, at) : recover(known, heard, at);
  return before([], asking(spec, beat, heard, answer, at), next);
}

/** Whether it can be asked at all is told when that changes. */
function asking(spec: HeartbeatSpec, was: Beat, now: Beat, { detail }: Answer, at: Moment): readonly What[] {
  if (was.unaskedSince === null && now.unaskedSince !== null)
    return [{ type: 'unasked', heartbeat: was.name, asked: askedOf(spec), reason: detail }];
  if (was.unaskedSince !== null && now.unaskedSince === null)
    return [{ type: 'askable', heartbeat: was.name, after: elapsed(was.unaskedSince, at.instant) }];
  return [];
}

/** Who was known to fail and is good again is told of. */
function recover(service: Service, { name, verdict, ailing }: Beat, at: Moment): Move {
  if (verdict !== 'ok' || ailing === null) return stay(service);
  const { since, incident } = ailing;
  const well = withBeat(service, name, (beat) => ({ ...beat, ailing: null }));
  return before([], [{ type: 'healthy', heartbeat: name, after: elapsed(since, at.instant), incident }], stay(well));
}

/** It has failed too often. Under a hold nothing is done; then the next failure asks again. */
function react(service: Service, spec: HeartbeatSpec, beat: Beat, { detail }: Answer, at: Moment): Move {
  const { state } = service;
  // What could not come back now is not taken down.
  if (state.name !== 'running' || !isAskable(service) || at.host !== 'up') return stay(service);
  const { name: heartbeat } = beat;
  const { fails } = spec;
  const then = reactionOf(service, spec);
  const ailing = beat.ailing ?? { since: at.instant, incident: openIncident(service, at) ?? incidentOf(at) };
  const { incident } = ailing;
  const told: What = { type: 'unhealthy', heartbeat, asked: askedOf(spec), detail, fails, then: then.type, incident };
  const acted = withBeat(service, heartbeat, (one) => ({ ...one, acted: 'yes', ailing }));
  return before([], [told], act(acted, state, then, { heartbeat, detail }, at));
}

/** Does what `then` says. */
function act(
  service: Service,
  { process, helper }: Running,
  then: Reaction,
  { heartbeat, detail }: { readonly heartbeat: string; readonly detail: string },
  at: Moment,
): Move {
  switch (then.type) {
    case 'notice':
      return stay(service);
    case 'restart':
      return beginStop(service, process, helper, 'heartbeat', at);
    case 'stop':
      return beginStop(service, process, helper, 'heartbeat-stop', at);
    case 'exec': {
      const env = { ...environmentFor(service, 'react'), UPKEEP_HEARTBEAT: heartbeat, UPKEEP_DETAIL: detail };
      return before([{ type: 'react', spec: service.spec, heartbeat, command: then.command, env }], [], stay(service));
    }
  }
}

const askedOf = ({ question }: HeartbeatSpec): Asked => ({ kind: question.kind, text: questionInWords(question) });

/** What nothing can start again is not stopped. */
function reactionOf({ spec: { kind } }: Service, { then }: HeartbeatSpec): Reaction {
  return then.type === 'restart' && kind.type === 'watched' && kind.start === null ? { type: 'notice' } : then;
}
