// The askers of the simulated host: a question is answered by what the process does that it is about, by the time-out at the
// latest, as the real pool promises (src/daemon/askers.ts). And what goes wrong with askers in spite of that promise.

import type { Effect } from '../../src/core/effect.js';
import type { Event } from '../../src/core/event.js';
import type { Answer, Result } from '../../src/core/question.js';
import { millis } from '../../src/core/time.js';
import type { SimulatedClock } from './simulated-clock.js';
import type { SimulatedHost, SimulatedProcess } from './simulated-host.js';

type Ask = Extract<Effect, { readonly type: 'ask' }>;

/** How one question goes. */
export interface Course {
  /** How long it takes until the process answers, or refuses; one that hangs answers never. */
  readonly after: number;
  /** `lost`: whoever was to ask is gone, and nobody says so. `twice`: the answer comes again. `late`: that much later than it
   * was found. `deaf`: also when nobody waits for it any more. */
  readonly how: 'answered' | 'lost' | 'twice' | 'late' | 'deaf';
}

export const answeredSoon: Course = { after: 5, how: 'answered' };

/** What is much later than any time-out, and any patience. */
const late = 20_000;

interface Parts {
  readonly clock: SimulatedClock;
  readonly host: SimulatedHost;
  readonly courseOf: (question: Ask) => Course;
  readonly tell: (event: Event, about: string) => void;
}

export class SimulatedAskers {
  readonly #parts: Parts;
  /** How to give up what is under way, by service. */
  readonly #underWay = new Map<string, Set<() => void>>();
  /** Whom they answer: nobody but the keeper that asked, as on a pipe of its own. */
  #keeper = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** How many questions are under way about this service. */
  busyWith(service: string): number {
    return this.#underWay.get(service)?.size ?? 0;
  }

  ask(question: Ask): void {
    const { clock, courseOf } = this.#parts;
    const { timeout } = question.heartbeat;
    const course = courseOf(question);
    if (course.how === 'lost') return;
    const wait = this.#isSilent(question) ? timeout : Math.min(course.after, timeout);
    const extra = course.how === 'late' ? late : 0;
    const underWay = this.#questionsOf(question.spec.name);
    const keeper = this.#keeper;
    const cancel = clock.after(wait, () => {
      underWay.delete(giveUp);
      if (keeper !== this.#keeper) return;
      const answer = this.#find(question, wait);
      clock.after(extra, () => this.#tell(question, answer));
      if (course.how === 'twice') clock.after(extra + course.after, () => this.#tell(question, answer));
    });
    const giveUp = course.how === 'deaf' ? () => {} : cancel;
    underWay.add(giveUp);
  }

  stop(service: string): void {
    for (const giveUp of this.#questionsOf(service)) giveUp();
    this.#underWay.delete(service);
  }

  close(): void {
    this.#keeper++;
    for (const service of [...this.#underWay.keys()]) this.stop(service);
  }

  #questionsOf(service: string): Set<() => void> {
    const questions = this.#underWay.get(service) ?? new Set();
    this.#underWay.set(service, questions);
    return questions;
  }

  /** Frozen, or at nothing: whoever asks waits until its own deadline. */
  #isSilent({ process }: Ask): boolean {
    const asked = this.#parts.host.find(process);
    return asked !== null && doingOf(asked) === 'hangs';
  }

  #find({ process, heartbeat }: Ask, wait: number): Answer {
    const asked = this.#parts.host.find(process);
    const ms = millis(wait);
    const is = (result: Result, detail: string): Answer => ({ result, ms, detail });
    if (asked === null) return is('failed', 'refused');
    switch (doingOf(asked)) {
      case 'its work':
        return is('good', '200');
      case 'wrong':
        return is('failed', '500 instead of 200-399');
      case 'hangs':
        return is('failed', `no answer within ${heartbeat.timeout / 1000} s`);
      case 'unreachable':
        return is('unasked', 'its name does not resolve');
    }
  }

  #tell({ spec, process, heartbeat, question }: Ask, answer: Answer): void {
    const { name } = heartbeat;
    this.#parts.tell(
      { type: 'answered', service: spec.name, process, heartbeat: name, question, answer },
      `${spec.name}/${name}`,
    );
  }
}

const doingOf = ({ life, doing }: SimulatedProcess): SimulatedProcess['doing'] => (life === 'frozen' ? 'hangs' : doing);
