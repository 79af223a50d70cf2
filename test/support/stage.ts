// A keeper on a simulated host, with everything that a scenario needs at hand: it plays the operator, the host and the
// kill -9 of the keeper, and remembers every effect and every change. The host and the journal outlive the keeper.

import type { Change, What } from '../../src/core/change.js';
import { comebacks } from '../../src/core/comeback.js';
import type { Effect } from '../../src/core/effect.js';
import type { Ask, Event, SingleEvent } from '../../src/core/event.js';
import type { ServiceWord } from '../../src/core/handover-word.js';
import { heldBackBy } from '../../src/core/held-back.js';
import type { Notification } from '../../src/core/notification.js';
import { applyEvents } from '../../src/core/plan.js';
import { isSameProcess, type ProcessRef } from '../../src/core/process.js';
import { type ServiceName, type ServiceSpec, serviceName } from '../../src/core/spec.js';
import { mainOf, newService, type Service, type ServiceState, type StateName } from '../../src/core/state.js';
import { type HostPhase, instant, wallTime } from '../../src/core/time.js';
import { viewOf } from '../../src/core/world.js';
import { Keeper } from '../../src/keeper/keeper.js';
import type { Doing, Program } from './program.js';
import { type Random, seeded } from './random.js';
import { answeredSoon, type Course } from './simulated-askers.js';
import { SimulatedClock } from './simulated-clock.js';
import { SimulatedHost, type SimulatedProcess } from './simulated-host.js';
import { SimulatedJournal } from './simulated-journal.js';
import { SimulatedKernel } from './simulated-kernel.js';

export interface StageOptions {
  readonly seed?: number;
  readonly pids?: number;
  readonly inodes?: 'yes' | 'no';
  /** How long until a fact reaches the keeper, see SimulatedKernel. */
  readonly latency?: (event: Event['type'], random: Random) => number;
  /** How a question goes, see SimulatedAskers. */
  readonly courseOf?: (question: Extract<Effect, { type: 'ask' }>, random: Random) => Course;
  /** How many services may start at once; more than a scenario has, unless it says so. */
  readonly parallel?: number;
}

type AskWish = Ask | 'start' | 'stop' | 'restart' | 'reload' | 'hold' | 'unhold' | 'reset';

export class Stage {
  /** How questions go from now on. */
  courseOf: (question: Extract<Effect, { type: 'ask' }>, random: Random) => Course;
  readonly random: Random;
  readonly clock: SimulatedClock;
  readonly host: SimulatedHost;
  readonly kernel: SimulatedKernel;
  readonly journal = new SimulatedJournal();
  readonly effects: Effect[] = [];
  readonly changes: Change[] = [];
  readonly problems: string[] = [];
  readonly #questions: { readonly service: string; readonly at: number }[] = [];
  /** The applied configuration: in place before the keeper hears of it, and it outlives the keeper. */
  readonly configured = new Map<string, ServiceSpec>();
  /** Called before every effect that is performed, with the journal as it is then. */
  onEffect: (effect: Effect) => void = () => {};
  /** Called before every fact that the keeper is given. */
  onFact: (event: Event) => void = () => {};
  /** Called when the keeper has died. */
  onDeath: () => void = () => {};
  #keeper: Keeper | null = null;
  /** How many calls of its ports the keeper lives yet; null: not to be killed. */
  #fuse: number | null = null;
  #hostPhase: HostPhase = 'up';
  /** Facts that wait for a keeper that is held up. */
  #behind: Event[] | null = null;
  #life: { died: number | null } = { died: null };
  readonly #parallel: number;

  constructor(options: StageOptions = {}) {
    this.#parallel = options.parallel ?? 100;
    const random = seeded(options.seed ?? 1);
    this.random = random;
    this.clock = new SimulatedClock(() => random.next());
    this.host = new SimulatedHost({ clock: this.clock, pids: options.pids ?? 200, inodes: options.inodes ?? 'yes' });
    this.journal.now = () => ({ instant: instant(this.clock.instant), wall: wallTime(this.clock.wall) });
    this.journal.heldBackBy = (name) => heldBackBy(viewOf(this.keeper.world), name);
    const latency = options.latency ?? (() => 1);
    this.courseOf = options.courseOf ?? (() => answeredSoon);
    this.kernel = new SimulatedKernel({
      clock: this.clock,
      host: this.host,
      latency: (event) => latency(event, random),
      courseOf: (question) => this.courseOf(question, random),
      isSuccessor: (name, process) => {
        const state = this.#keeper?.services.get(name)?.state;
        return state?.name === 'handover' && state.successor !== null && isSameProcess(state.successor, process);
      },
      before: (effect) => {
        if (this.#burn() === 'dead') return 'lost';
        this.onEffect(effect);
        this.effects.push(effect);
        if (effect.type === 'ask') this.#questions.push({ service: effect.spec.name, at: this.clock.instant });
        return 'performed';
      },
    });
    this.#begin([]);
  }

  /** A stage on which these services have just been put into the set of a keeper, all at once, as at its start. */
  static with(specs: readonly ServiceSpec[], options: StageOptions = {}): Stage {
    const stage = new Stage(options);
    stage.addAll(specs);
    return stage;
  }

  get keeper(): Keeper {
    if (this.#keeper === null) throw new Error('no keeper lives');
    return this.#keeper;
  }

  get keeperLives(): 'yes' | 'no' {
    return this.#keeper === null ? 'no' : 'yes';
  }

  get hostPhase(): HostPhase {
    return this.#hostPhase;
  }

  /** A fact for the keeper; while none lives it is lost, as a signal to a dead process is. */
  post(event: Event): void {
    if (this.#keeper === null) return;
    for (const one of event.type === 'together' ? event.events : [event]) this.#configure(one);
    this.#give(event);
  }

  #configure(event: SingleEvent): void {
    if (event.type === 'added') this.configured.set(event.service, event.as.spec);
    if (event.type === 'changed') this.configured.set(event.service, event.spec);
    if (event.type === 'removed') this.configured.delete(event.service);
  }

  #give(event: Event): void {
    if (this.#keeper === null) return;
    this.onFact(event);
    this.#keeper.post(event);
  }

  add(spec: ServiceSpec): void {
    this.addAll([spec]);
  }

  addAll(specs: readonly ServiceSpec[]): void {
    const now = instant(this.clock.instant);
    this.together(specs.map((spec) => ({ type: 'added', service: spec.name, as: newService(spec, now) })));
  }

  /** Facts that arrive at once. */
  together(events: readonly SingleEvent[]): void {
    const [first, ...others] = events;
    if (first !== undefined) this.post(others.length === 0 ? first : { type: 'together', events });
  }

  /** A new configuration, as `upkeep apply` brings it. */
  apply(specs: readonly ServiceSpec[]): void {
    this.together(applyEvents(this.keeper.services, specs, instant(this.clock.instant)));
  }

  /** The keeper ends, and takes its supervised services with it. */
  end(): void {
    const names = [...this.keeper.services.keys()].map(serviceName);
    this.together(names.map((service) => ({ type: 'keeperEnded', service })));
  }

  ask(name: string, wish: AskWish): void {
    this.post(asked(name, wish));
  }

  /** An ask about several services. */
  askAll(names: readonly string[], wish: AskWish): void {
    this.together(names.map((name) => asked(name, wish)));
  }

  /** Lets time pass. */
  run(length: number): void {
    this.clock.advance(length);
  }

  /** The keeper is held up that long while the host goes on. Facts of that time arrive after its overdue wake-up, as libuv runs timers before it polls. */
  stallWithFactsBehind(length: number): void {
    const behind: Event[] = [];
    this.#behind = behind;
    this.clock.advance(length, 'nobody wakes');
    this.#behind = null;
    this.clock.after(1, () => {
      for (const event of behind) this.#give(event);
    });
  }

  /** Lets time pass until it is so; fails when it never is. */
  runUntil(isSo: () => boolean, limit = 600_000): void {
    const end = this.clock.instant + limit;
    while (!isSo()) {
      if (this.clock.instant >= end) throw new Error(`not so after ${limit} ms: ${this.describe()}`);
      this.run(10);
    }
  }

  runUntilState(name: string, state: StateName, limit?: number): void {
    this.runUntil(() => this.state(name).name === state, limit);
  }

  service(name: string): Service {
    const service = this.keeper.services.get(name);
    if (service === undefined) throw new Error(`${name} is not in the set`);
    return service;
  }

  state(name: string): ServiceState {
    return this.service(name).state;
  }

  /** The living processes that effects started as the main process of this service. */
  mains(name: string): readonly SimulatedProcess[] {
    return this.helpers(name, 'main');
  }

  /** The living start commands (or others of that role) of this service. */
  helpers(name: string, role: string): readonly SimulatedProcess[] {
    return this.kernel
      .living(name)
      .filter((birth) => birth.role === role)
      .map(({ process }) => process);
  }

  /** The one living main process of a supervised service. */
  main(name: string): SimulatedProcess {
    const [first, ...others] = this.mains(name);
    if (first === undefined || others.length > 0)
      throw new Error(`${name} has ${this.mains(name).length} main processes`);
    return first;
  }

  /** A process that nobody asked Upkeep for: a daemon started by an init script, a stranger. */
  bear(line: string, program: Program, uid = 0): SimulatedProcess {
    return this.host.bear({ argv: line.split(' '), program, ppid: 1, group: null, uid });
  }

  /** The one living process of this executable. */
  bearerOf(exe: string): SimulatedProcess {
    const [first, ...others] = this.host.living().filter((process) => process.exe === exe);
    if (first === undefined || others.length > 0)
      throw new Error(`${others.length + (first === undefined ? 0 : 1)} processes of ${exe}`);
    return first;
  }

  kill(process: SimulatedProcess | ProcessRef, signal = 'SIGKILL'): void {
    this.host.signal('ref' in process ? process.ref : process, signal);
  }

  /** It says this by sd_notify; its main process where no other is named. */
  say(
    name: string,
    what: Partial<Notification>,
    process: SimulatedProcess = this.serving(name),
    batch: number | null = null,
  ): void {
    this.kernel.speech.say(serviceName(name), process, what, batch);
  }

  /** That process says this on its hand-over channel. */
  hear(name: string, process: SimulatedProcess, word: ServiceWord): void {
    this.kernel.speech.hear(serviceName(name), process, word);
  }

  /** The process that is the service, as the keeper sees it. */
  serving(name: string): SimulatedProcess {
    const ref = mainOf(this.service(name));
    const process = ref === null ? null : this.host.find(ref);
    if (process === null) throw new Error(`${name} has no process: ${this.describe()}`);
    return process;
  }

  /** Somebody connects to a socket of it. */
  connect(name: string): void {
    this.kernel.keeping.connect(this.service(name).spec);
  }

  spawns(name: string, role = 'main'): number {
    return this.effects.filter((e) => e.type === 'spawn' && e.spec.name === name && e.role === role).length;
  }

  /** The signals that effects sent for this service, in order. */
  signals(name: string): readonly string[] {
    return this.effects.flatMap((e) => (e.type === 'signal' && e.service === name ? [e.signal] : []));
  }

  /** When it was asked, how this keeper or an earlier one saw the time. */
  questions(name: string): readonly number[] {
    return this.#questions.filter(({ service }) => service === name).map(({ at }) => at);
  }

  /** What heartbeats find of this service from now on. */
  let(name: string, doing: Doing): void {
    this.main(name).doing = doing;
  }

  happened(name: string, type: What['type']): readonly Change[] {
    return this.changes.filter((change) => change.service === name && change.what.type === type);
  }

  /** kill -9: at this instant it has done what it has done. */
  killKeeper(): void {
    this.#life.died = this.clock.instant;
    this.#keeper = null;
    this.#fuse = null;
    this.kernel.disconnect();
    this.clock.forgetWake();
    for (const process of this.host.living()) if (process.ppid === this.host.keeperPid) process.ppid = 1;
    this.onDeath();
  }

  /** The keeper dies after that many further calls of its ports: between a record and an effect, between two effects. */
  killKeeperAfter(calls: number): void {
    this.#fuse = calls;
  }

  /** It is not to be killed after all. */
  cutFuse(): void {
    this.#fuse = null;
  }

  /** The host is booting, up, or going down. */
  turnHost(to: HostPhase): void {
    this.#hostPhase = to;
    this.#keeper?.turnHost(to);
  }

  /** A new keeper, from what the journal holds; it is killed in its turn after that many calls of its ports. */
  startKeeper(killAfter: number | null = null): void {
    this.#fuse = killAfter;
    this.#begin(this.journal.load());
  }

  describe(): string {
    const services = [...this.keeper.services.values()].map((s) => `${s.spec.name}: ${JSON.stringify(s.state)}`);
    const processes = this.host.living().map((p) => `${p.ref.pid} ${p.argv.join(' ')} (${p.life})`);
    return [...services, ...processes, ...this.problems].join('\n');
  }

  #begin(services: readonly Service[]): void {
    const life = { died: null as number | null };
    this.#life = life;
    const { clock } = this;
    const keeper: Keeper = new Keeper({
      kernel: this.kernel,
      clock: {
        now: () => clock.now(),
        wakeAt: (at, callback) => {
          if (life.died === null) clock.wakeAt(at, callback);
        },
      },
      journal: {
        record: (changed: readonly Service[], removed: readonly ServiceName[], changes: readonly Change[]): void => {
          if (life.died === null && this.#burn() === 'lives') this.journal.record(changed, removed, changes);
        },
      },
      sinks: [
        {
          tell: (changes: readonly Change[]): void => {
            if (life.died === null) this.changes.push(...changes);
          },
        },
      ],
      report: (problem: string, error: unknown) => {
        this.problems.push(`${problem}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      },
      host: this.#hostPhase,
      parallel: this.#parallel,
    });
    this.#keeper = keeper;
    this.kernel.connect((event) => (this.#behind === null ? this.#give(event) : this.#behind.push(event)));
    const left = new Map(services.map((service) => [service.spec.name as string, service]));
    const specs = [...this.configured.values()];
    const back = [...comebacks(left, specs, () => undefined, instant(clock.instant))];
    const events = back.flatMap(({ as, events: then }): readonly SingleEvent[] => [
      { type: 'added', service: as.spec.name, as },
      ...then,
    ]);
    if (events.length > 0) this.#give({ type: 'together', events });
  }

  /** One call of a port burns the fuse: after the last one nothing that this keeper does has any effect. */
  #burn(): 'lives' | 'dead' {
    if (this.#fuse === null) return 'lives';
    this.#fuse--;
    if (this.#fuse > 0) return 'lives';
    this.killKeeper();
    return 'dead';
  }
}

const asked = (name: string, wish: AskWish): SingleEvent => ({
  type: 'asked',
  service: serviceName(name),
  ask: typeof wish === 'string' ? plainAsk(wish) : wish,
  by: null,
});

function plainAsk(verb: Exclude<AskWish, Ask>): Ask {
  switch (verb) {
    case 'start':
    case 'restart':
      return { verb, reason: null };
    case 'stop':
      return { verb, reason: null, until: null, lasts: 'always' };
    case 'hold':
      return { verb, reason: null, until: null };
    case 'reload':
    case 'unhold':
    case 'reset':
      return { verb };
  }
}
