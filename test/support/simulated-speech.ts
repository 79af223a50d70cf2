// What simulated services say and are told: sd_notify, and the words of the hand-over channel. It acts out what programs do of
// themselves (say that they are ready, that they live; give their state and take one), and remembers what each was told last.
// Knows processes and what programs are like, not what the keeper makes of it.

import type { Effect } from '../../src/core/effect.js';
import type { Event, Speaker } from '../../src/core/event.js';
import type { ServiceWord } from '../../src/core/handover-word.js';
import { type Notification, silence } from '../../src/core/notification.js';
import type { ProcessRef } from '../../src/core/process.js';
import type { ServiceName, ServiceSpec } from '../../src/core/spec.js';
import type { SimulatedClock } from './simulated-clock.js';
import type { SimulatedHost, SimulatedProcess } from './simulated-host.js';

/** How a generation stands to new connections, if it goes by what it is told. `waiting`: it succeeds another, and was not accepted yet. */
export type Stance = 'waiting' | 'accepting' | 'draining';

export interface SpeechParts {
  readonly clock: SimulatedClock;
  readonly host: SimulatedHost;
  /** Posts a fact about this process, in the order of those about it. */
  readonly tell: (event: Event, about: ProcessRef, isWanted?: () => boolean) => void;
  /** Does it get ready beside another, as the keeper sees it now? */
  readonly isSuccessor: (service: ServiceName, process: ProcessRef) => boolean;
  readonly isConnected: () => boolean;
  /** The main process of this service in whose group this one is, and whether it belongs to the service at all. */
  readonly kinOf: (service: string, process: SimulatedProcess) => Pick<Speaker, 'isMember' | 'kinOf'>;
}

/** A generation that was born of a `spawn`, and lives. */
interface Generation {
  readonly service: ServiceName;
  readonly process: SimulatedProcess;
  stance: Stance;
  /** Does it stand still because its state is under way? */
  still: 'yes' | 'no';
}

export class SimulatedSpeech {
  readonly #parts: SpeechParts;
  #generations: Generation[] = [];
  /** What was sent while no keeper lived: the queue of the socket outlives it. */
  #queue: { readonly event: Event; readonly about: ProcessRef }[] = [];
  /** Services whose state lies in a file. */
  readonly stateFiles = new Set<string>();

  constructor(parts: SpeechParts) {
    this.#parts = parts;
  }

  /** Those of this service that live and would take connections. */
  accepting(service: string): readonly SimulatedProcess[] {
    return this.#living(service)
      .filter(({ stance }) => stance === 'accepting')
      .map(({ process }) => process);
  }

  stanceOf(process: ProcessRef): Stance | null {
    return this.#find(process)?.stance ?? null;
  }

  /** Does it stand still for a hand-over? */
  isStill(process: ProcessRef): boolean {
    return this.#find(process)?.still === 'yes';
  }

  born(spec: ServiceSpec, process: SimulatedProcess, env: Readonly<Record<string, string>>): void {
    const stance = env.UPKEEP_SUCCEEDS === undefined ? 'accepting' : 'waiting';
    this.#generations.push({ service: spec.name, process, stance, still: 'no' });
    const { readyAfter, manners } = process.program;
    // Without NOTIFY_SOCKET it can say nothing.
    if (spec.notifyAccess === 'none' && manners === null) return;
    this.#ping(spec, process);
    if (readyAfter === null) return;
    if (stance === 'waiting' && manners?.wants === 'state')
      this.#later(process, readyAfter, () => this.hear(spec.name, process, { type: 'wantsState' }));
    else this.#later(process, readyAfter, () => this.#judge(spec.name, process));
  }

  /** A message of sd_notify, from any process of the host. */
  say(service: ServiceName, process: SimulatedProcess, what: Partial<Notification>, batch: number | null = null): void {
    const sender: Speaker = {
      process: process.ref,
      uid: process.uid,
      ...this.#parts.kinOf(service, process),
    };
    const event: Event = { type: 'notified', service, sender, says: { ...silence, ...what }, batch };
    if (this.#parts.isConnected()) this.#parts.tell(event, process.ref);
    else this.#queue.push({ event, about: process.ref });
  }

  /** A word on the channel, which is there only while a keeper is. */
  hear(service: ServiceName, process: SimulatedProcess, word: ServiceWord): void {
    const mayBeTold = (): boolean => {
      if (word.type !== 'wantsState' || this.#parts.isSuccessor(service, process.ref)) return true;
      // Nobody is there who could give it any: it is told so, and goes on without.
      this.#later(process, process.program.readyAfter ?? 0, () => this.#judge(service, process));
      return false;
    };
    this.#parts.tell({ type: 'heard', service, process: process.ref, word }, process.ref, mayBeTold);
  }

  connected(): void {
    for (const { event, about } of this.#queue.splice(0)) this.#parts.tell(event, about);
  }

  /** Its channel is gone: nobody takes over without a keeper, and who stands still goes on. */
  disconnected(): void {
    for (const generation of this.#generations) {
      const { process, stance } = generation;
      generation.still = 'no';
      if (stance === 'waiting' && process.program.manners?.orphaned === 'exits')
        this.#later(process, 10, () => {
          if (generation.stance === 'waiting') this.#parts.host.end(process, { type: 'exited', code: 1 });
        });
    }
  }

  perform(effect: Extract<Effect, { type: 'export' | 'endExport' | 'tell' }>): void {
    switch (effect.type) {
      case 'export':
        this.#export(effect);
        return;
      case 'endExport':
        this.stateFiles.delete(effect.service);
        return;
      case 'tell': {
        const told = this.#find(effect.process);
        if (told !== undefined && told.process.program.manners !== null) this.#take(told, effect.word.type);
        return;
      }
    }
  }

  #take(told: Generation, word: 'accept' | 'drain' | 'thaw'): void {
    switch (word) {
      case 'accept':
        if (told.stance === 'waiting') told.stance = 'accepting';
        return;
      case 'drain':
        told.stance = 'draining';
        return;
      case 'thaw':
        told.still = 'no';
    }
  }

  #export({ spec, from, to }: Extract<Effect, { type: 'export' }>): void {
    const giver = this.#find(from);
    if (giver === undefined) return;
    const { process } = giver;
    const { exports } = process.program.manners ?? { exports: { after: 0, as: 'none' as const } };
    if (exports.as === 'never') {
      giver.still = 'yes';
      return;
    }
    const taker = to === null ? undefined : this.#find(to);
    giver.still = exports.as === 'none' ? 'no' : 'yes';
    this.#later(process, exports.after, () => {
      // Thawed meanwhile: nobody wants it any more.
      if (exports.as !== 'none' && giver.still === 'no') return;
      if (exports.as === 'failed') {
        giver.still = 'no';
        this.hear(spec.name, process, { type: 'exportFailed', reason: 'No space left on device' });
        return;
      }
      if (exports.as === 'written' && to === null) this.stateFiles.add(spec.name);
      this.hear(spec.name, process, exports.as === 'written' ? { type: 'exported', bytes: 1000 } : { type: 'noState' });
      if (taker !== undefined)
        this.#later(taker.process, taker.process.program.readyAfter ?? 0, () => this.#judge(spec.name, taker.process));
    });
  }

  #judge(service: ServiceName, process: SimulatedProcess): void {
    const verdict = process.program.manners?.verdict ?? 'ready';
    if (verdict === 'ready') this.say(service, process, { ready: 'yes' });
    if (verdict === 'refused')
      this.hear(service, process, { type: 'refused', reason: 'its state is of a newer schema' });
  }

  #ping(spec: ServiceSpec, process: SimulatedProcess): void {
    const every = process.program.pings;
    if (every === null) return;
    this.#later(process, every, () => {
      if (process.life === 'alive' && process.doing !== 'hangs' && !this.isStill(process.ref))
        this.say(spec.name, process, { watchdog: 'ping' });
      this.#ping(spec, process);
    });
  }

  #later(process: SimulatedProcess, after: number, act: () => void): void {
    this.#parts.clock.after(after, () => {
      // What is stopped does it once it goes on.
      if (process.life === 'frozen') this.#later(process, 100, act);
      else if (process.life === 'alive') act();
    });
  }

  #living(service: string): readonly Generation[] {
    this.#generations = this.#generations.filter(({ process }) => process.life !== 'gone');
    return this.#generations.filter((one) => one.service === service);
  }

  #find({ pid, startTicks }: ProcessRef): Generation | undefined {
    return this.#generations.find(
      ({ process }) => process.life !== 'gone' && process.ref.pid === pid && process.ref.startTicks === startTicks,
    );
  }
}
