// The rules about generations, told from the outside: who really lives, who was really told to take connections, what is really
// kept, and, after an attempt that came to nothing, that everything is as it was (invariant R of docs/graceful.md).

import { isEqual } from '../../src/core/difference.js';
import { countDraining, outgoingOf } from '../../src/core/draining.js';
import type { Effect } from '../../src/core/effect.js';
import { isSameProcess, type ProcessRef } from '../../src/core/process.js';
import { desiredOf, mainOf, type Service } from '../../src/core/state.js';
import type { Stage } from '../support/stage.js';

export class HandoverRules {
  readonly #stage: Stage;
  readonly #fail: (rule: string) => void;
  /** As it ran when its hand-over began. */
  readonly #before = new Map<string, Service>();
  readonly #attempted = new Set<string>();

  constructor(stage: Stage, fail: (rule: string) => void) {
    this.#stage = stage;
    this.#fail = fail;
  }

  /** Beside a living one only a new generation in a declared hand-over begins; and those that serve no more count no more. */
  beforeSpawn({ spec, generation, env }: Extract<Effect, { type: 'spawn' }>, recorded: Service | null): void {
    const { name } = spec;
    const serving = this.#stage
      .mains(name)
      .filter(({ ref }) => recorded === null || outgoingOf(recorded, ref) === undefined)
      .filter(({ ref }) => !this.#isUnborn(recorded, ref));
    const isUnborn = recorded?.unborn.some((one) => one.generation === generation) === true;
    const isNext = recorded?.state.name === 'handover' && recorded.state.generation === generation;
    const isDeclared = env.UPKEEP_SUCCEEDS !== undefined && (isNext || isUnborn);
    if (serving.length > (isDeclared ? 1 : 0)) this.#fail(`a second incarnation of ${name} is spawned`);
    if (!this.#stage.kernel.keeping.areOpen(spec) && spec.sockets.length > 0)
      this.#fail(`${name} is started without its sockets`);
  }

  /** Its order was broken off, and the keeper does not know yet that it lives. */
  #isUnborn(recorded: Service | null, ref: ProcessRef): boolean {
    const birth = this.#stage.kernel.births.find(({ process }) => isSameProcess(process.ref, ref));
    return birth !== undefined && (recorded?.unborn ?? []).some((one) => one.generation === birth.generation);
  }

  beforeEffect(effect: Effect): void {
    const name = 'spec' in effect ? effect.spec.name : effect.service;
    const recorded = this.#stage.journal.of(name);
    const is = (process: ProcessRef): boolean => {
      const main = recorded === null ? null : mainOf(recorded);
      return main !== null && isSameProcess(main, process);
    };
    if (effect.type === 'tell' && effect.word.type === 'accept' && !is(effect.process))
      this.#fail(`${name} is told to take connections before that is on record`);
    if (effect.type === 'tell' && effect.word.type === 'drain' && is(effect.process))
      this.#fail(`${name} is told to drain while it is the service`);
    if (effect.type === 'settleKept' && effect.as === 'discard' && is(effect.process))
      this.#fail(`what ${name} has stored is thrown away`);
    if (effect.type === 'emptyStore' && recorded !== null && !isOver(recorded))
      this.#fail(`the store of ${name} is emptied while it is ${recorded.state.name}`);
    if (effect.type === 'closeSockets' && recorded !== null && !(isOver(recorded) && desiredOf(recorded) === 'down'))
      this.#fail(`the sockets of ${name} are closed while it is ${recorded.state.name}`);
  }

  check(service: Service): void {
    const { name, handover } = service.spec;
    this.#checkUndone(service);
    // Asked after every step: one alone, or none, breaks no rule.
    if (this.#stage.mains(name).length < 2) return;
    this.#checkGenerations(service);
    const accepting = this.#stage.kernel.speech.accepting(name).filter(({ program }) => program.manners !== null);
    if (accepting.length > 1)
      this.#fail(`${name} has ${accepting.length} generations that take connections: ${pidsOf(accepting)}`);
    if (countDraining(service) > Math.max(handover.maxDraining, 3)) this.#fail(`too many generations of ${name} drain`);
  }

  /** Every living main process is the service, the one that is to be, or one that is on its way out. */
  #checkGenerations(service: Service): void {
    const { name } = service.spec;
    const main = mainOf(service);
    const next = service.state.name === 'handover' ? service.state.successor : null;
    const mains = this.#stage.mains(name);
    const isKnown = (ref: ProcessRef): boolean =>
      [main, next].some((one) => one !== null && isSameProcess(one, ref)) ||
      outgoingOf(service, ref) !== undefined ||
      this.#isUnborn(service, ref);
    const strange = mains.filter(({ ref }) => !isKnown(ref));
    const isLaunching = service.state.name === 'handover' && service.state.phase === 'launching';
    const isMainAlive = main !== null && this.#stage.host.isAlive(main);
    if (strange.length > (isLaunching ? 1 : 0) + (isMainAlive ? 0 : 1))
      this.#fail(`${name} has main processes that nobody keeps: ${pidsOf(strange)}; it is ${service.state.name}`);
  }

  #checkUndone(service: Service): void {
    const { name } = service.spec;
    const { state } = service;
    if (state.name === 'handover') {
      this.#attempted.add(name);
      return;
    }
    const was = this.#attempted.delete(name) ? this.#before.get(name) : undefined;
    this.#before.delete(name);
    if (state.name !== 'running') return;
    this.#before.set(name, service);
    if (was?.state.name !== 'running' || !isSameProcess(was.state.process, state.process)) return;
    const isSame =
      was.generation === service.generation &&
      was.state.since === state.since &&
      isEqual(was.lastDeath, service.lastDeath) &&
      was.restarts.total === service.restarts.total;
    if (!isSame)
      this.#fail(`${name} is not as it was before its hand-over: ${summary(was)} became ${summary(service)}`);
  }
}

const summary = ({ generation, state, restarts }: Service): string => JSON.stringify({ generation, state, restarts });

const pidsOf = (processes: readonly { readonly ref: ProcessRef }[]): string =>
  processes.map(({ ref }) => ref.pid).join(', ');

const isOver = ({ state }: Service): boolean =>
  state.name === 'stopped' || (state.name === 'failed' && state.deadline === null);
