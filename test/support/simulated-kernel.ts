// Performs the effects of the core on the simulated host, as kernel/ and readiness/ do on a real one, and posts the
// facts that come of it. The host outlives the keeper: `disconnect` is the keeper's death, nothing on the host notices.

import { nextTime } from '../../src/config/cron.js';
import { describeStatus } from '../../src/core/death.js';
import type { Effect, Role } from '../../src/core/effect.js';
import { type Event, LOST } from '../../src/core/event.js';
import type { Look } from '../../src/core/pattern.js';
import { type ExitEvidence, isSameProcess, type ProcessRef } from '../../src/core/process.js';
import type { ServiceName, ServiceSpec } from '../../src/core/spec.js';
import type { Kernel, Post } from '../../src/keeper/ports.js';
import { endedUnseen } from './evidence.js';
import { type Course, SimulatedAskers } from './simulated-askers.js';
import type { SimulatedClock } from './simulated-clock.js';
import type { SimulatedHost, SimulatedProcess } from './simulated-host.js';
import { SimulatedKeeping } from './simulated-keeping.js';
import { look, matches, UIDS } from './simulated-match.js';
import { prepareOn } from './simulated-prepare.js';
import { SimulatedSpeech } from './simulated-speech.js';

/** What a spawn effect brought to life: the only book in which it is written which processes are ours. */
export interface Birthright {
  readonly process: SimulatedProcess;
  readonly service: ServiceName;
  readonly role: Role;
  readonly generation: number;
  /** Which of several commands of that role, and what it was told. */
  readonly hook: number;
  readonly env: Readonly<Record<string, string>>;
}

export interface KernelOptions {
  readonly clock: SimulatedClock;
  readonly host: SimulatedHost;
  /** How long until a fact is posted; below 0: while the effect is still being performed, as the real one may. */
  readonly latency: (event: Event['type']) => number;
  /** Is called before each effect; `lost`: the keeper died before it. */
  readonly before: (effect: Effect) => 'performed' | 'lost';
  /** How a question goes. */
  readonly courseOf: (question: Extract<Effect, { type: 'ask' }>) => Course;
  /** Does it get ready beside another, as the keeper sees it now? The daemon knows. */
  readonly isSuccessor: (service: ServiceName, process: ProcessRef) => boolean;
}

/** Those whose end may be one of an attempt to start, or of a generation. */
const decisive: ReadonlySet<Role> = new Set(['main', 'condition', 'beforeStart', 'afterStart']);

export class SimulatedKernel implements Kernel {
  readonly #options: KernelOptions;
  readonly #clock: SimulatedClock;
  readonly #host: SimulatedHost;
  readonly askers: SimulatedAskers;
  /** What services say and are told, and what is kept for them. */
  readonly speech: SimulatedSpeech;
  readonly keeping: SimulatedKeeping;
  #post: Post | null = null;
  /** Which connection an answer belongs to: those of a dead keeper reach nobody. */
  #connection = 0;
  #followed: { readonly service: ServiceName; readonly ref: ProcessRef }[] = [];
  /** Commands that stand for a failed heartbeat. */
  #reactions: { readonly ref: ProcessRef; readonly ended: (problem: string | null) => void }[] = [];
  #emptying: { readonly service: ServiceName; readonly ref: ProcessRef }[] = [];
  readonly #seeking = new Map<string, { readonly spec: ServiceSpec; told: string }>();
  /** The number of the last order to look, or to look no more: after it no look of before it is told, as in kernel/appearances.ts. */
  readonly #lookOrders = new Map<string, number>();
  readonly #awaiting = new Map<string, () => void>();
  readonly #lastArrival = new Map<string, number>();
  readonly #underWay = new Map<string, number>();
  readonly births: Birthright[] = [];
  /** Those of them that live, and how many ends there were that may have cost a restart, by service: asked after every step of a simulation. */
  readonly #living = new Map<string, Birthright[]>();
  readonly #endedAttempts = new Map<string, number>();
  /** Errors that the next spawns meet, before any program is asked: EMFILE, EAGAIN. */
  readonly spawnErrors: string[] = [];

  constructor(options: KernelOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#host = options.host;
    this.askers = new SimulatedAskers({
      clock: options.clock,
      host: options.host,
      courseOf: options.courseOf,
      tell: (event, about) => this.#tell(event, about),
    });
    this.speech = new SimulatedSpeech({
      clock: options.clock,
      host: options.host,
      tell: (event, about, isWanted) => this.#tell(event, named(about), isWanted),
      isSuccessor: options.isSuccessor,
      isConnected: () => this.#post !== null,
      kinOf: (service, process) => this.#kinOf(service, process),
    });
    this.keeping = new SimulatedKeeping(
      (service) => this.#tell({ type: 'connected', service }, service),
      (process) => this.speech.stanceOf(process) === 'waiting',
    );
    this.#host.onExit((process, evidence) => this.#ended(process, evidence));
    this.#host.onChange(() => this.#noticed());
  }

  living(service: string): readonly Birthright[] {
    return this.#living.get(service) ?? [];
  }

  endedAttempts(service: string): number {
    return this.#endedAttempts.get(service) ?? 0;
  }

  connect(post: Post): void {
    this.disconnect();
    this.#post = post;
    this.speech.connected();
  }

  /** The keeper is dead: what it followed and awaited is forgotten, what it started lives on. */
  disconnect(): void {
    this.#connection++;
    if (this.#post !== null) this.speech.disconnected();
    this.#post = null;
    this.keeping.disconnected();
    this.#followed = [];
    this.#emptying = [];
    this.#seeking.clear();
    for (const cancel of this.#awaiting.values()) cancel();
    this.#awaiting.clear();
    this.askers.close();
    this.#reactions = [];
    this.#lastArrival.clear();
    this.#underWay.clear();
  }

  close(): void {
    this.disconnect();
  }

  perform(effect: Effect): void {
    if (this.#post === null || this.#options.before(effect) === 'lost') return;
    switch (effect.type) {
      case 'spawn':
        this.#spawn(effect);
        return;
      case 'prepare':
        this.#prepare(effect);
        return;
      case 'reclaim':
        this.#reclaim(effect);
        return;
      case 'follow':
        this.#follow(effect.service, effect.process);
        return;
      case 'unfollow':
        this.#followed = this.#followed.filter(
          (f) => f.service !== effect.service || !isSameProcess(f.ref, effect.process),
        );
        return;
      case 'signal':
        this.#signal(effect.process, effect.signal, effect.to, effect.thenContinue);
        return;
      case 'endRest':
        this.#endRest(effect);
        return;
      case 'endHelper':
        this.#endHelper(effect.process, effect.spec);
        return;
      case 'look':
        if (effect.seek === 'on') this.#seeking.set(effect.spec.name, { spec: effect.spec, told: '' });
        this.#outdateLooks(effect.spec.name);
        this.#look(effect.spec);
        return;
      case 'stopSeeking':
        this.#seeking.delete(effect.service);
        this.#outdateLooks(effect.service);
        return;
      case 'awaitReady':
        this.#awaitReady(effect.spec, effect.process);
        return;
      case 'stopAwaitingReady':
        this.#awaiting.get(effect.service)?.();
        this.#awaiting.delete(effect.service);
        return;
      case 'ask':
        this.askers.ask(effect);
        return;
      case 'stopAsking':
        this.askers.stop(effect.service);
        return;
      case 'react':
        this.#react(effect);
        return;
      case 'export':
      case 'endExport':
      case 'tell':
        this.speech.perform(effect);
        return;
      case 'keep':
      case 'dropKept':
      case 'settleKept':
      case 'emptyStore':
      case 'closeSockets':
      case 'awaitConnection':
      case 'stopAwaitingConnection':
        this.keeping.perform(effect);
        return;
      case 'seekSuccessor':
        this.#seekSuccessor(effect);
        return;
      case 'plan': {
        const { service, what, expression, after } = effect;
        this.#tell({ type: 'planned', service, what, expression, next: nextTime(expression, after) }, service);
        return;
      }
    }
  }

  /** Facts about one thing arrive in their order, as from one descriptor; facts about different things overtake each other. */
  #tell(event: Event, about: string, isWanted: () => boolean = () => true): void {
    const post = this.#post;
    if (post === null) return;
    const connection = this.#connection;
    const now = this.#clock.instant;
    const earliest = this.#lastArrival.get(about) ?? 0;
    const delay = this.#options.latency(event.type);
    const under = this.#underWay.get(about) ?? 0;
    if (delay < 0 && under === 0) {
      post(event);
      return;
    }
    const arrival = Math.max(now + Math.max(0, delay), earliest);
    this.#lastArrival.set(about, arrival);
    this.#underWay.set(about, under + 1);
    this.#clock.after(arrival - now, () => {
      if (this.#connection !== connection) return;
      this.#underWay.set(about, (this.#underWay.get(about) ?? 1) - 1);
      if (isWanted()) post(event);
    });
  }

  #spawn(effect: Effect & { type: 'spawn' }): void {
    const { spec, role, hook, generation, command, env } = effect;
    const failed = (errno: string, detail: string): void =>
      this.#tell({ type: 'spawnFailed', service: spec.name, role, generation, errno, detail }, spec.name);
    const error = this.spawnErrors.shift();
    if (error !== undefined) {
      failed(error, `posix_spawn: ${error}`);
      return;
    }
    const program = this.#host.execute(command.argv[0] ?? '');
    if (program.refused !== null) {
      failed(program.refused.errno, program.refused.detail);
      return;
    }
    const uid = UIDS[command.user ?? spec.settings.user ?? 'root'] ?? 0;
    const process = this.#host.bear({ argv: command.argv, program, ppid: this.#host.keeperPid, group: null, uid });
    this.#note({ process, service: spec.name, role, generation, hook, env });
    this.#followed.push({ service: spec.name, ref: process.ref });
    this.#tell({ type: 'spawned', service: spec.name, role, generation, process: process.ref }, named(process.ref));
    if (role !== 'main') return;
    this.keeping.accept(spec);
    this.speech.born(spec, process, env);
  }

  /** To which of the generations of this service it belongs, by its group, as the real one tells it by session and control group. */
  #kinOf(service: string, process: SimulatedProcess): { isMember: 'yes' | 'no'; kinOf: ProcessRef | null } {
    const births = this.births.filter((birth) => birth.service === service && birth.process.group === process.group);
    const main = births.find(({ role }) => role === 'main');
    return { isMember: births.length > 0 ? 'yes' : 'no', kinOf: main?.process.ref ?? null };
  }

  /** Whose pid the pid file names, if it was born of the dead one: here, if it is in its group. */
  #seekSuccessor({ spec, dead }: Effect & { type: 'seekSuccessor' }): void {
    const file = this.#host.pidFile(spec.handover.pidFile);
    const heir =
      file.type === 'names'
        ? this.#host
            .living()
            .find(({ ref, group }) => ref.pid === file.pid && group === dead.pid && ref.pid !== dead.pid)
        : undefined;
    this.#tell({ type: 'succeeded', service: spec.name, dead, process: heir?.ref ?? null }, spec.name);
  }

  #react({ spec, heartbeat, command }: Effect & { type: 'react' }): void {
    const ended = (problem: string | null): void =>
      this.#tell({ type: 'reacted', service: spec.name, heartbeat, problem }, `${spec.name}/${heartbeat}`);
    const program = this.#host.execute(command.argv[0] ?? '');
    if (program.refused !== null) {
      ended(program.refused.detail);
      return;
    }
    const { ref } = this.#host.bear({ argv: command.argv, program, ppid: this.#host.keeperPid, group: null, uid: 0 });
    this.#reactions.push({ ref, ended });
    if (command.timeout !== null) this.#clock.after(command.timeout, () => this.#host.signal(ref, 'SIGKILL'));
  }

  #prepare({ spec, generation }: Effect & { type: 'prepare' }): void {
    const problem = prepareOn(this.#host, spec, (process) =>
      this.births.some((birth) => birth.service === spec.name && birth.process.group === process.group),
    );
    if (problem === null) this.keeping.open(spec);
    this.#tell({ type: 'prepared', service: spec.name, generation, problem }, spec.name);
  }

  /** The real one finds it by the token in its environment. */
  #reclaim({ spec, role, hook, generation }: Effect & { type: 'reclaim' }): void {
    const alive = this.births.find(
      (birth) =>
        birth.service === spec.name &&
        birth.role === role &&
        birth.generation === generation &&
        birth.hook === hook &&
        birth.process.life !== 'gone',
    );
    if (alive === undefined) {
      this.#tell(
        { type: 'spawnFailed', service: spec.name, role, generation, errno: LOST, detail: 'nothing of it lives' },
        spec.name,
      );
      return;
    }
    this.#followed.push({ service: spec.name, ref: alive.process.ref });
    this.#tell(
      { type: 'spawned', service: spec.name, role, generation, process: alive.process.ref },
      named(alive.process.ref),
    );
  }

  #follow(service: ServiceName, ref: ProcessRef): void {
    if (this.#host.isAlive(ref)) {
      this.#followed.push({ service, ref });
      return;
    }
    this.#tell({ type: 'exited', service, process: ref, evidence: endedUnseen, away: 'yes' }, named(ref));
  }

  #signal(ref: ProcessRef, signal: string, to: 'main' | 'group', thenContinue: 'yes' | 'no'): void {
    // A group is signalled only while its leader is known to be the one that is meant: afterwards it is `endRest`.
    if (!this.#host.isAlive(ref)) return;
    const signals = thenContinue === 'yes' ? [signal, 'SIGCONT'] : [signal];
    for (const each of signals) {
      if (to === 'group') this.#host.signalGroup(ref.pid, each);
      else this.#host.signal(ref, each);
    }
  }

  #endRest(effect: Effect & { type: 'endRest' }): void {
    const { service, process, signal, policy } = effect;
    if (!this.#emptying.some((e) => e.service === service && isSameProcess(e.ref, process))) {
      this.#emptying.push({ service, ref: process });
    }
    if (policy !== 'leave' && this.#isOurGroup(process)) {
      this.#host.signalGroup(process.pid, signal);
      this.#host.signalGroup(process.pid, 'SIGCONT');
    }
    if (policy === 'leave' || !this.#hasRest(process)) this.#emptied(process);
  }

  #endHelper(ref: ProcessRef, spec: ServiceSpec): void {
    if (!this.#isOurGroup(ref)) return;
    const { kind } = spec;
    for (const process of this.#host.group(ref.pid)) {
      if (kind.type === 'watched' && !isSameProcess(process.ref, ref) && matches(kind.pattern, process, this.#host))
        continue;
      this.#host.signal(process.ref, 'SIGKILL');
    }
  }

  /** Is the group of that number still the one of this process? It is while the process lives or a member is as old. */
  #isOurGroup(ref: ProcessRef): boolean {
    const leader = this.#host.living().find((process) => process.ref.pid === ref.pid);
    return leader === undefined || isSameProcess(leader.ref, ref);
  }

  #hasRest(ref: ProcessRef): boolean {
    return this.#isOurGroup(ref) && this.#host.group(ref.pid).length > 0;
  }

  #emptied(ref: ProcessRef): void {
    for (const waiting of this.#emptying.filter((e) => isSameProcess(e.ref, ref))) {
      this.#tell({ type: 'emptied', service: waiting.service, process: waiting.ref }, named(ref));
    }
    this.#emptying = this.#emptying.filter((e) => !isSameProcess(e.ref, ref));
  }

  #look(spec: ServiceSpec): void {
    if (spec.kind.type !== 'watched') throw new Error(`look at ${spec.name}, which is not watched`);
    const found = look(spec.kind.pattern, this.#host);
    const seeking = this.#seeking.get(spec.name);
    if (seeking !== undefined) seeking.told = described(found);
    const order = this.#lookOrders.get(spec.name);
    const isOfLastOrder = (): boolean => this.#lookOrders.get(spec.name) === order;
    this.#tell({ type: 'looked', service: spec.name, look: found }, spec.name, isOfLastOrder);
  }

  #outdateLooks(service: ServiceName): void {
    this.#lookOrders.set(service, (this.#lookOrders.get(service) ?? 0) + 1);
  }

  #noticed(): void {
    for (const { spec, told } of this.#seeking.values()) {
      if (spec.kind.type === 'watched' && described(look(spec.kind.pattern, this.#host)) !== told) this.#look(spec);
    }
  }

  #awaitReady(spec: ServiceSpec, ref: ProcessRef): void {
    this.#awaiting.get(spec.name)?.();
    const process = this.#host.find(ref);
    if (process === null) return;
    const { probe } = spec.ready;
    const length = probe.type === 'alive' ? probe.for : process.program.readyAfter;
    if (length === null) return;
    const cancel = this.#clock.after(process.born + length - this.#clock.instant, () => {
      this.#awaiting.delete(spec.name);
      if (process.life === 'alive') this.#tell({ type: 'becameReady', service: spec.name, process: ref }, named(ref));
    });
    this.#awaiting.set(spec.name, cancel);
  }

  #note(birth: Birthright): void {
    this.births.push(birth);
    this.#living.set(birth.service, [...this.living(birth.service), birth]);
  }

  #ended(process: SimulatedProcess, evidence: ExitEvidence): void {
    for (const [service, births] of this.#living) {
      const birth = births.find((one) => one.process === process);
      if (birth === undefined) continue;
      this.#living.set(
        service,
        births.filter((one) => one !== birth),
      );
      if (decisive.has(birth.role)) this.#endedAttempts.set(service, this.endedAttempts(service) + 1);
    }
    for (const { service } of this.#followed.filter((f) => isSameProcess(f.ref, process.ref))) {
      this.#tell({ type: 'exited', service, process: process.ref, evidence, away: 'no' }, named(process.ref));
    }
    this.#followed = this.#followed.filter((f) => !isSameProcess(f.ref, process.ref));
    for (const { ended } of this.#reactions.filter(({ ref }) => isSameProcess(ref, process.ref))) {
      const { status } = evidence;
      ended(status.type === 'exited' && status.code === 0 ? null : `it ended with ${describeStatus(status)}`);
    }
    this.#reactions = this.#reactions.filter(({ ref }) => !isSameProcess(ref, process.ref));
    for (const { ref } of [...this.#emptying]) if (!this.#hasRest(ref)) this.#emptied(ref);
  }
}

const named = (ref: ProcessRef): string => `${ref.pid}/${ref.startTicks}`;

const described = (found: Look): string => JSON.stringify(found);
