// The old generation of a hand-over dies before the new one has taken over. Whoever is ready to serve without it goes on alone, as
// a start that is under way; else it is an end like any other, and what it leaves half done is given to nobody.

import { healthyFor } from './ailment.js';
import { deathOf } from './death.js';
import type { Fact } from './fact.js';
import { abort } from './handover.js';
import { filed } from './incident.js';
import { readyDeadline } from './launch.js';
import { leaveNoRest } from './leftovers.js';
import { andThen, type Move } from './move.js';
import type { ProcessRef } from './process.js';
import { judge } from './restart.js';
import * as running from './running.js';
import { type Handover, latestSpec, type Running, type Service, type Starting } from './state.js';
import type { Moment } from './time.js';

type Of<T extends Fact['type']> = Extract<Fact, { type: T }>;

export function oldExited(service: Service, state: Handover, fact: Of<'exited'>, at: Moment): Move {
  const { successor, phase } = state;
  const canGoOn = successor !== null && (phase === 'warming' || phase === 'verdict' || phase === 'after');
  return canGoOn ? goOnAlone(service, state, successor, fact, at) : endAsUsual(service, state, fact, at);
}

/** What was half handed over is worth nothing: sockets and stored descriptors are kept, the state is not. */
function endAsUsual(service: Service, state: Handover, fact: Of<'exited'>, at: Moment): Move {
  const alone = abort(service, state, 'the old generation ended meanwhile', at);
  return andThen(alone, (it) => running.exited(it, serving(state), fact, at));
}

const serving = ({ process, servedSince }: Handover): Running => ({
  ...{ name: 'running', since: servedSince, process, helper: null, deadline: null },
});

/** Counted as the death that it is; the start that it would lead to is under way. */
function goOnAlone(service: Service, state: Handover, successor: ProcessRef, fact: Of<'exited'>, at: Moment): Move {
  const life = { startedAt: service.restarts.lastStart, readySince: state.servedSince };
  const seen = deathOf(state.process, fact.evidence, 'none', life, fact.away, at);
  const death = filed(service, { ...seen, served: healthyFor(service) ?? seen.served });
  const verdict = judge(service.spec.restart, service.restarts, death, at);
  if (verdict.type !== 'start') return endAsUsual(service, state, fact, at);
  const spec = latestSpec(service);
  const rid = leaveNoRest(service, state.process);
  const begun = { name: 'starting', since: state.since, why: 'restart', process: successor, setback: null } as const;
  // Its word that it is ready is not said twice: at its commands after a start it goes on where it is.
  const starting: Starting =
    state.phase === 'after'
      ? { ...begun, phase: 'after', hook: state.hook, helper: state.helper, deadline: state.deadline }
      : { ...begun, phase: 'readying', hook: 0, helper: null, deadline: readyDeadline(spec.ready, at) };
  const next: Service = {
    ...rid.service,
    spec,
    next: null,
    lastDeath: death,
    generation: state.generation,
    said: state.said,
    restarts: { ...verdict.restarts, lastStart: state.since },
    state: starting,
  };
  const { name } = spec;
  return {
    service: next,
    effects: [
      { type: 'tell', service: name, process: successor, word: { type: 'accept' } },
      { type: 'settleKept', service: name, process: successor, as: 'join' },
      { type: 'endExport', service: name },
      ...rid.effects,
    ],
    happened: [{ type: 'died', death, next: { type: 'start' } }],
  };
}
