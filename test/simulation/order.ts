// The rules of ARCHITECTURE.md about services that are coupled, told before each effect and by what the journal holds:
//
// - Order: no main process is launched while something that its service needs is not up, or something that it comes after is
//   on its way up; none is signalled by a planned stop while one that comes after it, and is going down, lives.
// - Waves: each service moves at most once in a wave, and none begins a wave because it was moved by one.
// - Limits: a start on another's account belongs to a wave, and waves do not feed on each other; all others pass the limit of the service itself (invariants.ts).

import { outgoingOf } from '../../src/core/draining.js';
import type { Effect } from '../../src/core/effect.js';
import type { Entry } from '../../src/core/entry.js';
import { couplingOf } from '../../src/core/graph.js';
import { desiredOf, originOf, type Service, type WaveId } from '../../src/core/state.js';
import { isUp } from '../../src/core/turn.js';
import type { Stage } from '../support/stage.js';

export class Order {
  readonly #stage: Stage;
  readonly #fail: (rule: string) => void;
  /** How many lines of the chronicle were read. */
  #read = 0;
  readonly #moved = new Set<string>();
  readonly #starts = new Map<string, readonly number[]>();
  /** Of whom each wave was first told: not of those who are only missing in it. */
  readonly #firsts = new Map<WaveId, string>();
  /** Those that hung, or were held, on their way down: their waves went on without them. */
  readonly #hung = new Set<string>();
  /** A reload is no end: a service may be moved by the wave of its own. */
  readonly #reloaded = new Set<string>();
  /** Stops whose first signal was sent, as `NAME since`. */
  readonly #signalled = new Set<string>();
  #keeperSince = 0;

  constructor(stage: Stage, fail: (rule: string) => void) {
    this.#stage = stage;
    this.#fail = fail;
  }

  /** Another service by that name. */
  anew(name: string): void {
    for (const wave of this.#firsts.keys()) if (originOf(wave) === name) this.#firsts.delete(wave);
  }

  keeperDied(): void {
    this.#keeperSince = this.#stage.clock.instant;
  }

  beforeEffect(effect: Effect): void {
    const service = this.#recorded('spec' in effect ? effect.spec.name : effect.service);
    if (service === undefined) return;
    // Who begins beside the old one takes the place of what is there.
    const isStart = effect.type === 'spawn' && (effect.role === 'main' || effect.role === 'start');
    if (isStart && effect.env.UPKEEP_SUCCEEDS === undefined) this.#beforeStart(service);
    if (effect.type === 'signal' && outgoingOf(service, effect.process) !== undefined) return;
    const isStop = effect.type === 'spawn' && (effect.role === 'stop' || effect.role === 'restart');
    // A stop begins with the word to write its state, where there is one.
    const isExport = effect.type === 'export' && effect.to === null;
    if (isStop || isExport || (effect.type === 'signal' && effect.signal !== 'SIGUSR1')) this.#beforeStop(service);
  }

  /** The keeper has recorded what it is about to do, and its own set is what it recorded. */
  #recorded(name: string): Service | undefined {
    return this.#stage.keeperLives === 'no' ? undefined : this.#stage.keeper.services.get(name);
  }

  #beforeStart(service: Service): void {
    const { name } = service.spec;
    const { needs, wants, after } = couplingOf(service);
    for (const need of needs) {
      const needed = this.#recorded(need.service);
      if (needed !== undefined && !isUp(needed))
        this.#fail(`${name} is started while ${need.service}, which it needs, is ${needed.state.name}`);
    }
    for (const target of [...wants, ...after]) {
      const first = this.#recorded(target);
      if (first?.state.name === 'starting' && first.hold === null && desiredOf(first) === 'up')
        this.#fail(`${name} is started while ${target}, which it comes after, is starting`);
    }
  }

  #beforeStop(service: Service): void {
    const { state, spec } = service;
    if (state.name !== 'stopping' || state.rung > 0 || state.since < this.#keeperSince) return;
    const stop = `${spec.name} ${state.since}`;
    if (this.#signalled.has(stop)) return;
    this.#signalled.add(stop);
    for (const other of this.#stage.keeper.services.values()) {
      const { needs, wants, after } = couplingOf(other);
      const comesAfter = [...needs.map((need) => need.service), ...wants, ...after].includes(spec.name);
      if (!comesAfter || other.state.name !== 'stopping') continue;
      if (other.state.phase !== 'stuck' && other.hold === null)
        this.#fail(`${spec.name} is stopped before ${other.spec.name}, which comes after it, has ended`);
    }
  }

  /** What was written down since. */
  check(): void {
    const { entries } = this.#stage.journal;
    for (; this.#read < entries.length; this.#read++) {
      const entry = entries[this.#read];
      if (entry !== undefined) this.#checkEntry(entry);
    }
  }

  #checkEntry({ news }: Entry): void {
    if (news.of === 'keeper') return;
    const { service, wave, from, what } = news.change;
    if (what.type === 'stuck' || (what.type === 'asked' && what.verb === 'hold')) this.#hung.add(service);
    if (what.type === 'reloaded') this.#reloaded.add(service);
    if (wave !== null && !this.#firsts.has(wave)) this.#firsts.set(wave, service);
    // One that was told to stop in the middle of its start is told so again when there is a process to stop.
    if (what.type === 'stopping' && what.why === 'coupling' && from !== 'stopping')
      this.#move(service, 'stopped', wave);
    if (what.type === 'starting' && what.why === 'coupling') this.#move(service, 'started', wave);
  }

  #move(service: string, how: 'stopped' | 'started', wave: WaveId | null): void {
    const move = `${service} is ${how} in the wave ${wave}`;
    if (wave === null && this.#hung.has(service)) return;
    if (wave === null) this.#fail(`${service} is ${how} on another's account, and in no wave`);
    else if (this.#moved.has(move)) this.#fail(`${move} for the second time`);
    else if (
      how === 'stopped' &&
      this.#firsts.get(wave) === service &&
      originOf(wave) === service &&
      !this.#reloaded.has(service)
    )
      this.#fail(`${move}, which it began itself`);
    this.#moved.add(move);
    if (how === 'started') this.#countStart(service);
  }

  /** Whoever it goes with may fail ten times a second, where its delay and limit allow that; more is a wheel that turns itself. */
  #countStart(service: string): void {
    const now = this.#stage.clock.instant;
    const starts = [...(this.#starts.get(service) ?? []).filter((at) => now - at < 10_000), now];
    this.#starts.set(service, starts);
    if (starts.length > 150)
      this.#fail(`${service} was started ${starts.length} times in 10 s on the account of others`);
  }
}
