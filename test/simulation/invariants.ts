// The rules of ARCHITECTURE.md that must hold after every step, told from the outside: by what the simulated host
// really runs, what was really asked, and what the journal really holds; as little as can be by what the core says.

import { isEqual } from '../../src/core/difference.js';
import type { Effect } from '../../src/core/effect.js';
import { type Event, LOST } from '../../src/core/event.js';
import { healthDeadline } from '../../src/core/health.js';
import { isSameProcess, type ProcessRef } from '../../src/core/process.js';
import { noCoupling, type ServiceSpec } from '../../src/core/spec.js';
import { desiredOf, type Service, type StopReason } from '../../src/core/state.js';
import type { Stage } from '../support/stage.js';
import { HandoverRules } from './handovers.js';
import { HeartbeatRules } from './heartbeats.js';
import { Order } from './order.js';

export class Invariants {
  readonly #stage: Stage;
  /** Every process that was ever this service's, as facts told it. */
  readonly #known = new Map<string, ProcessRef[]>();
  /** Stopped by an operator: nothing may start it. With the wall time at which that ends. */
  readonly #stopped = new Map<string, number>();
  /** On hold: nothing may touch it. */
  readonly #held = new Map<string, number>();
  /** What ran when a keeper died, and nobody has asked anything of since: no keeper may touch it. */
  readonly #untouched = new Map<string, ProcessRef>();
  readonly #lastGeneration = new Map<string, number>();
  readonly #totals = new Map<string, number>();
  /** Starts that came to nothing: by what facts told. */
  readonly #failedStarts = new Map<string, number>();
  #stalledAt = Number.NEGATIVE_INFINITY;
  readonly #starts = new Map<string, number[]>();
  readonly #order: Order;
  readonly #heartbeats: HeartbeatRules;
  readonly #handovers: HandoverRules;
  /** The first rule that was broken. The keeper drops surprises, so throwing at it would hide them. */
  broken: string | null = null;

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#order = new Order(stage, (rule) => this.fail(rule));
    this.#heartbeats = new HeartbeatRules(stage, (rule) => this.fail(rule));
    this.#handovers = new HandoverRules(stage, (rule) => this.fail(rule));
    stage.onEffect = (effect) => this.#beforeEffect(effect);
    stage.onFact = (event) => this.#beforeFact(event);
  }

  /** An operator's stop was accepted. */
  stopped(name: string, untilWall: number): void {
    this.#stopped.set(name, untilWall);
  }

  unpromised(name: string): void {
    this.#stopped.delete(name);
  }

  held(name: string, untilWall: number): void {
    this.#held.set(name, untilWall);
  }

  unheld(name: string): void {
    this.#held.delete(name);
    this.#starts.delete(name);
  }

  /** Somebody may have made it start: the automatic starts are counted anew. */
  allowed(name: string): void {
    this.#stopped.delete(name);
    this.#starts.delete(name);
  }

  /** Somebody asks something of it: what runs of it may be acted on. */
  touched(name: string): void {
    this.#untouched.delete(name);
  }

  /** Another service by that name. */
  anew(name: string): void {
    this.#totals.delete(name);
    this.#order.anew(name);
  }

  /** A keeper was killed: what was on record as serving is none of the next one's business. */
  keeperDied(): void {
    this.#order.keeperDied();
    this.#heartbeats.keeperDied();
    for (const service of this.#stage.journal.load()) {
      const { spec, state, next, fate } = service;
      if (state.name !== 'running' || desiredOf(service) === 'down' || fate !== 'stays' || next !== null) continue;
      // A restart that waits for its turn, and an end that it has announced itself, are nobody's doing.
      if (service.enrolled !== null || service.said.stopping !== null) continue;
      if (isEqual(this.#stage.configured.get(spec.name), spec)) this.#untouched.set(spec.name, state.process);
    }
  }

  /** An accepted stop stands, however many keepers have died since. */
  checkWord(service: Service): void {
    const { name } = service.spec;
    if (this.#stopped.get(name) === Number.POSITIVE_INFINITY && desiredOf(service) === 'up')
      this.fail(`${name} was stopped by an operator, and is wanted up again`);
  }

  /** Notes that this rule was broken. */
  fail(rule: string): void {
    this.broken ??= rule;
  }

  #learn(name: string, ref: ProcessRef): void {
    const known = this.#known.get(name) ?? [];
    if (!known.some((other) => isSameProcess(other, ref))) known.push(ref);
    this.#known.set(name, known);
  }

  #beforeFact(event: Event): void {
    this.#heartbeats.beforeFact(event);
    if (event.type === 'spawned') this.#learn(event.service, event.process);
    if (event.type === 'spawnFailed' && event.errno !== LOST)
      this.#failedStarts.set(event.service, (this.#failedStarts.get(event.service) ?? 0) + 1);
    if (event.type === 'succeeded' && event.process !== null) this.#learn(event.service, event.process);
    if (event.type === 'looked') for (const facts of event.look.matches) this.#learn(event.service, facts.process);
  }

  #beforeEffect(effect: Effect): void {
    this.#order.beforeEffect(effect);
    this.#heartbeats.beforeEffect(effect);
    this.#handovers.beforeEffect(effect);
    const name = 'spec' in effect ? effect.spec.name : effect.service;
    if ('process' in effect && !(this.#known.get(name) ?? []).some((ref) => isSameProcess(ref, effect.process))) {
      this.fail(`${effect.type} for ${name} names process ${effect.process.pid}, which never was one of its processes`);
    }
    if (effect.type === 'spawn') this.#beforeSpawn(effect);
    this.#beforeTouch(name, effect);
    // An operator's own `upkeep signal` is no act of the keeper's; the simulation's is always SIGUSR1.
    const acts =
      effect.type === 'spawn' ||
      (effect.type === 'signal' && effect.signal !== 'SIGUSR1') ||
      effect.type === 'endRest' ||
      effect.type === 'endHelper';
    if (acts && (this.#held.get(name) ?? 0) > this.#stage.clock.wall)
      this.fail(`${effect.type} for ${name}, which is on hold`);
  }

  /** No service is restarted, and no process signalled, because a keeper died. */
  #beforeTouch(name: string, effect: Effect): void {
    const process = this.#untouched.get(name);
    if (process === undefined) return;
    if (!this.#stage.host.isAlive(process)) {
      this.#untouched.delete(name);
      return;
    }
    const aims =
      (effect.type === 'signal' || effect.type === 'endRest' || effect.type === 'endHelper') &&
      isSameProcess(effect.process, process);
    // Another that ended has taken it with it, or it does not do its work: that is no matter of the keeper's death.
    if (this.#isMovedByAnother(name)) this.#untouched.delete(name);
    else if (aims || effect.type === 'spawn')
      this.fail(`${effect.type} for ${name}, whose process ${process.pid} outlived a keeper`);
  }

  #isMovedByAnother(name: string): boolean {
    const state = this.#stage.journal.of(name)?.state;
    return (state?.name === 'stopping' || state?.name === 'handover') && blameless.has(state.why);
  }

  #beforeSpawn(effect: Effect & { type: 'spawn' }): void {
    const { spec, role, generation } = effect;
    const { name } = spec;
    const recorded = this.#stage.journal.of(name);
    if (recorded === null || lastGenerationOf(recorded) < generation)
      this.fail(`${name} is spawned before the journal knows of it`);
    if (role !== 'main' && role !== 'start' && role !== 'restart') return;
    if (role === 'main') this.#handovers.beforeSpawn(effect, recorded);
    if (role !== 'main') this.#beforeStartCommand(name, role);
    if ((this.#stopped.get(name) ?? 0) > this.#stage.clock.wall)
      this.fail(`${name} is started (${role}) although an operator stopped it`);
    // An order that a keeper did not live to carry out is given again, under its own number.
    const isAgain = this.#lastGeneration.get(name) === generation;
    this.#lastGeneration.set(name, generation);
    const isBeside = effect.env.UPKEEP_SUCCEEDS !== undefined;
    if (role !== 'restart' && !isAgain && !isBeside && isOnItsOwn(recorded)) this.#countStart(spec);
  }

  #beforeStartCommand(name: string, role: string): void {
    for (const other of ['start', 'stop', 'restart']) {
      if (this.#stage.helpers(name, other).length > 0)
        this.fail(`the ${role} command of ${name} is run while its ${other} command still runs`);
    }
    const process = role === 'start' ? lastProcessOf(this.#stage.journal.of(name)) : null;
    if (process !== null && this.#stage.host.isAlive(process))
      this.fail(`${name} is started while its process ${process.pid} lives`);
  }

  /** One road back up: no more automatic starts in any window than the limit, its slow tries and the first start. */
  #countStart(spec: ServiceSpec): void {
    const { limit, slowEvery, alwaysAfter } = spec.restart;
    if (limit === null || alwaysAfter.length > 0) return;
    const now = this.#stage.clock.instant;
    const starts = [...(this.#starts.get(spec.name) ?? []).filter((at) => now - at < limit.within), now];
    this.#starts.set(spec.name, starts);
    const most = limit.count + 1 + Math.ceil(limit.within / slowEvery);
    if (starts.length > most)
      this.fail(`${spec.name} was started ${starts.length} times in ${limit.within} ms, ${most} are allowed`);
  }

  /** After each step: what holds whenever the keeper has nothing to do. */
  check(): void {
    const stage = this.#stage;
    if (stage.problems.length > 0) this.fail(`the keeper reported: ${stage.problems.join('\n')}`);
    this.#forgetExpired();
    this.#order.check();
    this.#heartbeats.check();
    if (stage.keeperLives === 'no') return;
    const deadlines: number[] = [];
    for (const service of stage.keeper.services.values()) {
      this.#handovers.check(service);
      this.#checkTotal(service);
      const deadline = deadlineOf(service);
      if (deadline === null) continue;
      deadlines.push(deadline);
    }
    this.#checkWake(deadlines);
    this.#armHolds();
  }

  /** It never goes down, and there are never more than ends that the host has seen and starts that came to nothing. */
  #checkTotal({ spec, restarts: { total } }: Service): void {
    const { name } = spec;
    const before = this.#totals.get(name) ?? 0;
    if (total < before) this.fail(`${name} had counted ${before} restarts, and now ${total}`);
    this.#totals.set(name, total);
    if (spec.kind.type === 'watched') return;
    const ends = this.#stage.kernel.endedAttempts(name);
    const failures = this.#failedStarts.get(name) ?? 0;
    if (total > ends + failures)
      this.fail(`${name} has counted ${total} restarts after ${ends} ends and ${failures} failed starts`);
  }

  /** When the clock has run on: whatever was due then has been answered. */
  checkAnswered(): void {
    if (this.#stage.keeperLives === 'no') return;
    this.#heartbeats.checkRecorded();
    for (const service of this.#stage.keeper.services.values()) {
      const deadline = deadlineOf(service) ?? Number.POSITIVE_INFINITY;
      const late = this.#stage.clock.instant - deadline;
      if (late > 0 && !this.#isPardoned(deadline))
        this.fail(`${service.spec.name} is ${service.state.name} and overdue by ${late} ms`);
    }
  }

  /** A stop that was under way when the hold came may go its way; nothing else may begin. */
  #armHolds(): void {
    for (const { spec, state, hold } of this.#stage.keeper.services.values()) {
      // One that it followed on the way down is held by the new word.
      if (hold !== null && (state.name !== 'stopping' || this.#held.has(spec.name)))
        this.held(spec.name, hold.until ?? Number.POSITIVE_INFINITY);
    }
  }

  /** What ended by the wall clock has ended, also when that clock is set back afterwards. */
  #forgetExpired(): void {
    for (const until of [this.#stopped, this.#held]) {
      for (const [name, wall] of until) if (wall <= this.#stage.clock.wall) until.delete(name);
    }
  }

  /** The keeper was held up: it gives facts a moment to arrive before it judges by the clock. */
  stalled(): void {
    this.#stalledAt = this.#stage.clock.instant;
  }

  /** Also for a deadline that was due long ago when it came into force, as after a hold. */
  #isPardoned(deadline: number): boolean {
    const { instant, wake } = this.#stage.clock;
    // It notices that with its next wake-up, and gives facts a quarter of a second from there.
    if (instant <= this.#stalledAt + 500) return true;
    return deadline < instant && wake !== null && wake <= instant + 250;
  }

  #checkWake(deadlines: readonly number[]): void {
    const { wake } = this.#stage.clock;
    const earliest = deadlines.length === 0 ? null : Math.min(...deadlines);
    if (earliest === null || this.#isPardoned(earliest)) return;
    if (wake === null || wake > earliest)
      this.fail(`the wake-up is set to ${wake}, the earliest deadline is ${earliest}`);
  }
}

/** What ends a service that serves, whether a keeper has died or not. What heartbeats may end is checked by their own rules. */
const blameless: ReadonlySet<StopReason> = new Set(['coupling', 'heartbeat', 'heartbeat-stop', 'planned', 'watchdog']);

function deadlineOf(service: Service): number | null {
  if (service.hold !== null && service.fate === 'stays') return null;
  const question = healthDeadline(service);
  const own = 'deadline' in service.state ? service.state.deadline : null;
  const all = [question, own, ...service.draining.map(({ deadline }) => deadline)].filter((one) => one !== null);
  return all.length === 0 ? null : Math.min(...all);
}

/** A start on another's account, or by an operator's wish for another that needs it, is no restart of its own. */
function isOnItsOwn(service: Service | null): boolean {
  const state = service?.state;
  if (service === null) return true;
  if (service.spec.restart.at === null && isEqual(service.spec.coupling, noCoupling)) return true;
  return state?.name === 'starting' && (state.why === 'restart' || state.why === 'retry');
}

/** Also of those that get ready beside it, or were broken off before they were born. */
const lastGenerationOf = ({ generation, state, unborn }: Service): number =>
  Math.max(generation, state.name === 'handover' ? state.generation : 0, ...unborn.map((one) => one.generation));

/** The main process that the service had last, as far as it is on record. */
function lastProcessOf(service: Service | null): ProcessRef | null {
  if (service === null) return null;
  const { state } = service;
  return 'process' in state && state.process !== null ? state.process : (service.lastDeath?.process ?? null);
}
