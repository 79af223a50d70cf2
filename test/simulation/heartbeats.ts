// The rules about heartbeats, told from the outside: by the questions that were really ordered, the answers that were really
// given, and what the journal says was done about them.

import type { What } from '../../src/core/change.js';
import { isEqual } from '../../src/core/difference.js';
import type { Effect } from '../../src/core/effect.js';
import type { Event } from '../../src/core/event.js';
import type { HeartbeatSpec } from '../../src/core/heartbeat.js';
import { isSameProcess, type ProcessRef } from '../../src/core/process.js';
import type { Result } from '../../src/core/question.js';
import { desiredOf, type Service } from '../../src/core/state.js';
import type { Stage } from '../support/stage.js';

/** An asker that does not come back is given up so long after the time-out. */
const PATIENCE = 10_000;

/** What is known of one heartbeat of one service. */
interface Beat {
  readonly heartbeat: HeartbeatSpec;
  readonly process: ProcessRef;
  /** The question under way. */
  readonly open: { readonly question: number; readonly at: number } | null;
  /** What this process answered, to whichever keeper; questions that could not be asked are no answers. */
  readonly answers: readonly Exclude<Result, 'unasked'>[];
  /** Was something done about it, and was it not good since? */
  readonly acted: 'yes' | 'no';
}

export class HeartbeatRules {
  readonly #stage: Stage;
  readonly #fail: (rule: string) => void;
  readonly #beats = new Map<string, Beat>();
  /** How many lines of the chronicle were read. */
  #read = 0;

  constructor(stage: Stage, fail: (rule: string) => void) {
    this.#stage = stage;
    this.#fail = fail;
  }

  keeperDied(): void {
    for (const [key, beat] of this.#beats) this.#beats.set(key, { ...beat, open: null });
  }

  beforeEffect(effect: Effect): void {
    if (effect.type === 'ask') this.#beforeAsk(effect);
    if (effect.type === 'stopAsking') {
      for (const [key, beat] of this.#beats)
        if (key.startsWith(`${effect.service}/`)) this.#beats.set(key, { ...beat, open: null });
    }
  }

  #beforeAsk({ spec, heartbeat, process, question }: Extract<Effect, { type: 'ask' }>): void {
    const key = `${spec.name}/${heartbeat.name}`;
    const service = this.#stage.keeperLives === 'no' ? undefined : this.#stage.keeper.services.get(spec.name);
    const why = service === undefined ? 'it is not there' : whyNotToBeAsked(service, process);
    if (why !== null) this.#fail(`${spec.name} is asked although ${why}`);
    if (this.#stage.hostPhase === 'ending') this.#fail(`${spec.name} is asked although the host goes down`);
    const now = this.#stage.clock.instant;
    const was = this.#beats.get(key);
    if (was?.open != null && now < was.open.at + was.heartbeat.timeout + PATIENCE)
      this.#fail(`${spec.name} is asked while another question of the same heartbeat is under way`);
    // Another question under the same name: what was answered before says nothing about it.
    const isSame = was !== undefined && isSameProcess(was.process, process) && isEqual(was.heartbeat, heartbeat);
    const { answers, acted } = isSame ? was : { answers: [], acted: 'no' as const };
    this.#beats.set(key, { heartbeat, process, open: { question, at: now }, answers, acted });
  }

  beforeFact(event: Event): void {
    if (event.type === 'together') for (const one of event.events) this.beforeFact(one);
    if (event.type !== 'answered' || this.#stage.keeperLives === 'no') return;
    const key = `${event.service}/${event.heartbeat}`;
    const beat = this.#beats.get(key);
    if (beat?.open?.question !== event.question || !isSameProcess(beat.process, event.process)) return;
    const { result } = event.answer;
    const answers = result === 'unasked' ? beat.answers : [...beat.answers, result].slice(-beat.heartbeat.fails.of);
    this.#beats.set(key, { ...beat, open: null, answers, acted: result === 'good' ? 'no' : beat.acted });
  }

  /** What was written down since. */
  check(): void {
    const { entries } = this.#stage.journal;
    for (; this.#read < entries.length; this.#read++) {
      const news = entries[this.#read]?.news;
      if (news?.of !== 'service') continue;
      const { service, what } = news.change;
      if (what.type === 'unhealthy') this.#checkUnhealthy(service, what);
      if (what.type === 'removed') this.#forget(service);
    }
    this.#checkGivenUp();
  }

  /** A daemon that is watched lives on, and is another service when it is configured again: nothing was told of that one. */
  #forget(service: string): void {
    for (const key of this.#beats.keys()) if (key.startsWith(`${service}/`)) this.#beats.delete(key);
  }

  /** Nobody goes on asking what does not serve any more. */
  #checkGivenUp(): void {
    if (this.#stage.keeperLives === 'no') return;
    for (const { spec, state } of this.#stage.keeper.services.values())
      if (state.name !== 'running' && this.#stage.kernel.askers.busyWith(spec.name) > 0)
        this.#fail(`${spec.name} is ${state.name}, and somebody still asks it`);
  }

  /** It was really answered so often that it does not do its work, last of all now, and is told and acted on once. */
  #checkUnhealthy(service: string, { heartbeat, fails }: Extract<What, { type: 'unhealthy' }>): void {
    const key = `${service}/${heartbeat}`;
    const beat = this.#beats.get(key);
    const failures = beat?.answers.filter((one) => one === 'failed').length ?? 0;
    if (beat === undefined || failures < fails.count || beat.answers.at(-1) !== 'failed')
      this.#fail(`${service} is called unhealthy after ${JSON.stringify(beat?.answers ?? [])}`);
    else if (beat.acted === 'yes') this.#fail(`${service} is called unhealthy twice, and was not good in between`);
    else this.#beats.set(key, { ...beat, acted: 'yes' });
  }

  /** Questions and answers are not written down: whatever else there is, is. */
  checkRecorded(): void {
    if (this.#stage.keeperLives === 'no') return;
    for (const service of this.#stage.keeper.services.values()) {
      const recorded = this.#stage.journal.of(service.spec.name);
      if (recorded === null || !isEqual(lasting(service), lasting(recorded)))
        this.#fail(`something of ${service.spec.name} was not written down`);
    }
  }
}

function whyNotToBeAsked(service: Service, process: ProcessRef): string | null {
  const { state, hold } = service;
  if (state.name !== 'running') return `it is ${state.name}`;
  if (!isSameProcess(state.process, process)) return 'that process is not its own';
  if (hold !== null) return 'it is on hold';
  return desiredOf(service) === 'down' ? 'it is wanted down' : null;
}

/** What has to survive the keeper. */
const lasting = (service: Service): unknown => ({
  ...service,
  health: service.health.map(({ name, begun, verdict, acted, ailing, unaskedSince }) => ({
    name,
    begun,
    verdict,
    acted,
    ailing,
    unaskedSince,
  })),
});
