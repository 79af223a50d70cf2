// Plays a schedule: chaos on one side, the invariants on the other, then quiet, in which everything that is wanted up
// has to come up. The same seed and the same actions give the same play, to the last fact.

import { isEqual } from '../../src/core/difference.js';
import type { Ask, Event } from '../../src/core/event.js';
import { couplingOf } from '../../src/core/graph.js';
import type { Notification } from '../../src/core/notification.js';
import { asPid, type ExitStatus, isSameProcess, type ProcessRef } from '../../src/core/process.js';
import { noCoupling, type ServiceSpec } from '../../src/core/spec.js';
import { desiredOf, type Service } from '../../src/core/state.js';
import { millis, wallTime } from '../../src/core/time.js';
import { isUp } from '../../src/core/turn.js';
import { exitedWith } from '../support/evidence.js';
import { Newsroom, planWith } from '../support/newsroom.js';
import { program } from '../support/program.js';
import { type Random, seeded } from '../support/random.js';
import { answeredSoon } from '../support/simulated-askers.js';
import type { SimulatedProcess } from '../support/simulated-host.js';
import { Stage } from '../support/stage.js';
import type { Action, Ending, Saying, Step, Wish } from './action.js';
import { cast, drawCoupling, drawHeartbeats, exeOf, install, pidFileOf, withoutMissing } from './cast.js';
import { Invariants } from './invariants.js';
import { complaintOf } from './told.js';

export type Verdict = { readonly type: 'passed' } | { readonly type: 'failed'; readonly rule: string };

// Three questions of the slowest heartbeats, the time-out of the last, and the longest ladder.
const HEALED = 600_000;

// Longer than any delay, wait and time-out of the cast together: a retry every minute, a window of five.
const QUIET = 900_000;

/** Plays these actions on the stage of that seed. `write`: where a person wants to read what was seen. */
export function play(seed: number, actions: readonly Action[], write: ((line: string) => void) | null = null): Verdict {
  try {
    const game = new Game(seed, write);
    for (const action of actions) {
      game.act(action);
      if (game.broken !== null) break;
    }
    if (game.broken === null) game.quieten();
    return game.broken === null ? { type: 'passed' } : { type: 'failed', rule: game.broken };
  } catch (error) {
    return { type: 'failed', rule: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

class Game {
  readonly #random: Random;
  readonly #stage: Stage;
  readonly #invariants: Invariants;
  readonly #news: Newsroom;
  readonly #told: Event[] = [];
  readonly #removed: ServiceSpec[] = [];
  readonly #strangers: SimulatedProcess[] = [];
  #opponents: 'come' | 'gone' = 'come';
  #away = 0;
  #again = 0;
  #changesWritten = 0;
  #totals: ReadonlyMap<string, number> = new Map();
  readonly #write: (line: () => string) => void;

  constructor(seed: number, write: ((line: string) => void) | null) {
    this.#write = write === null ? () => {} : (line) => write(`${stage.clock.instant} ${line()}`);
    this.#random = seeded(seed);
    const slow = this.#random.chance(0.3) ? 400 : 8;
    const eager = this.#random.chance(0.3) ? 0.7 : 0.1;
    const specs = cast(this.#random);
    const stage = new Stage({
      seed: seed + 1,
      pids: specs.length > 6 ? 60 * specs.length : this.#random.pick([60, 90, 400]),
      parallel: this.#random.pick([1, 3, 10, 10]),
      inodes: this.#random.chance(0.5) ? 'yes' : 'no',
      latency: (_, random) => (random.chance(eager) ? -1 : random.int(0, slow)),
    });
    this.#stage = stage;
    this.#invariants = new Invariants(stage);
    const { onFact, onEffect } = stage;
    stage.onFact = (event) => {
      onFact(event);
      this.#told.push(event);
      this.#write(() => `fact   ${JSON.stringify(event)}`);
    };
    stage.onEffect = (effect) => {
      onEffect(effect);
      this.#write(() => `effect ${brief(effect)}`);
    };
    const lost = seeded(seed + 2);
    stage.onDeath = () => {
      this.#write(() => 'keeper killed');
      this.#news.fallBack(lost.int(0, 5));
      this.#invariants.keeperDied();
      stage.clock.after(this.#away, () => {
        if (stage.keeperLives === 'yes') return;
        const killAfter = this.#again === 0 ? null : this.#again;
        this.#again = 0;
        this.#write(() => 'keeper started');
        stage.startKeeper(killAfter);
        this.#invariants.stalled();
      });
    };
    stage.clock.afterEach = () => {
      this.#writeChanges();
      this.#invariants.check();
    };
    this.#news = new Newsroom(stage, planWith([{ tell: ['admin'] }, { kinds: ['died'], tell: ['each'] }]));
    for (const spec of specs) {
      install(stage.host, spec, 'healthy');
      if (spec.kind.type === 'watched' && this.#random.chance(0.6)) stage.bear(`${exeOf(spec.name)} -D`, program());
    }
    stage.addAll(specs);
  }

  get broken(): string | null {
    return this.#invariants.broken;
  }

  act(action: Action): void {
    this.#write(() => `action ${JSON.stringify(action)}`);
    this.#step(action);
    this.#invariants.check();
    this.#stage.run(action.runs);
    this.#invariants.check();
    this.#invariants.checkAnswered();
  }

  #step(step: Step): void {
    const stage = this.#stage;
    const { host, clock } = stage;
    switch (step.type) {
      case 'wait':
        return;
      case 'die': {
        const process = this.#picked(host.living(), step.pick);
        if (process !== null) this.#end(process, step.ending);
        return;
      }
      case 'storm':
        for (const process of host.living()) this.#end(process, step.ending);
        return;
      case 'opponent': {
        const spec = this.#spec(step.pick);
        if (spec !== null) this.#oppose(spec.name, step.every, step.times);
        return;
      }
      case 'stranger': {
        const spec = this.#spec(step.pick);
        if (spec === null || host.living().length > 40) return;
        const exe = step.looks === 'like it' && spec.kind.type === 'watched' ? exeOf(spec.name) : '/usr/bin/other';
        this.#strangers.push(stage.bear(`${exe} -x`, program()));
        return;
      }
      case 'fill':
        for (let n = 0; n < step.count && host.living().length < 40; n++)
          host.end(stage.bear('/bin/true', program()), { type: 'exited', code: 0 });
        return;
      case 'temper': {
        const spec = this.#spec(step.pick);
        if (spec !== null) install(host, spec, step.temper);
        return;
      }
      case 'spawn errors':
        for (let n = 0; n < step.count; n++) stage.kernel.spawnErrors.push(step.errno);
        return;
      case 'ask':
        this.#ask([step.pick], step.wish, step.length);
        return;
      case 'ask all':
        this.#ask(step.picks, step.wish, 0);
        return;
      case 'echo':
        this.#echo(step.pick);
        return;
      case 'lie':
        this.#lie(step.pick, step.about);
        return;
      case 'kill keeper':
        if (stage.keeperLives === 'no') return;
        this.#away = step.away;
        this.#again = step.again;
        if (step.calls === 0) stage.killKeeper();
        else stage.killKeeperAfter(step.calls);
        return;
      case 'jump wall':
        clock.jumpWall(step.length);
        return;
      case 'stall':
        clock.stall(step.length);
        this.#invariants.stalled();
        return;
      case 'blind':
        host.beBlind('/proc is not mounted');
        clock.after(step.length, () => host.beBlind(null));
        return;
      case 'freeze': {
        const process = this.#picked(host.living(), step.pick);
        if (process !== null) host.signal(process.ref, 'SIGSTOP');
        return;
      }
      case 'doing': {
        const process = this.#picked(host.living(), step.pick);
        if (process !== null) process.doing = step.doing;
        return;
      }
      case 'plague':
        for (const process of host.living()) process.doing = step.doing;
        return;
      case 'askers':
        stage.courseOf = (_, random) => ({
          after: random.int(0, step.most),
          how: random.int(1, 100) <= step.chance ? step.how : 'answered',
        });
        return;
      case 'thaw':
        this.#thaw();
        return;
      case 'say':
        this.#say(step.pick, step.what);
        return;
      case 'connect': {
        const spec = this.#spec(step.pick);
        if (spec !== null) stage.kernel.keeping.connect(spec);
        return;
      }
      case 'hand over':
        this.#handOver(step.pick, step.overlap);
        return;
      case 'pid file': {
        const spec = this.#spec(step.pick);
        if (spec !== null) host.writePidFile(pidFileOf(spec.name), step.content);
        return;
      }
      case 'change': {
        const service = this.#picked(this.#services(), step.pick);
        if (service !== null) this.#change(service, step.what);
        return;
      }
      case 'remove': {
        const service = this.#picked(this.#services(), step.pick);
        if (service === null || this.#removed.length >= 2) return;
        this.#remove(service);
        return;
      }
      case 'add back': {
        const spec = this.#removed.find(({ name }) => stage.keeperLives === 'yes' && !stage.keeper.services.has(name));
        // A command that was under way when it was removed is nobody's any more: it may end first.
        if (spec === undefined || stage.journal.of(spec.name) !== null || stage.helpers(spec.name, 'start').length > 0)
          return;
        this.#removed.splice(this.#removed.indexOf(spec), 1);
        this.#invariants.allowed(spec.name);
        this.#invariants.unheld(spec.name);
        this.#invariants.anew(spec.name);
        stage.add(withoutMissing(spec, new Set(stage.configured.keys())));
        return;
      }
      case 'host':
        stage.turnHost(step.to);
        return;
    }
  }

  /** Any process of any service: one that serves, gets ready, drains or was dismissed, or a command around them. */
  #say(pick: number, what: Saying): void {
    const { kernel, host } = this.#stage;
    const births = kernel.births.filter(({ process }) => process.life === 'alive');
    const birth = this.#picked(births, pick);
    if (birth === null || !host.isAlive(birth.process.ref)) return;
    const { service, process } = birth;
    switch (what) {
      case 'wantsState':
      case 'noState':
        kernel.speech.hear(service, process, { type: what });
        return;
      case 'exported':
        kernel.speech.hear(service, process, { type: what, bytes: 7 });
        return;
      case 'exportFailed':
      case 'refused':
        kernel.speech.hear(service, process, { type: what, reason: 'chance' });
        return;
      case 'store':
        kernel.speech.say(service, process, { store: { type: 'store', name: `fd${pick % 5}`, poll: 'yes' } }, pick);
        return;
      case 'ready':
      case 'reloading':
      case 'stopping':
      case 'status':
      case 'extend':
      case 'trigger':
      case 'remove':
        if (what === 'trigger' || what === 'stopping') this.#invariants.touched(service);
        kernel.speech.say(service, process, messageOf(what, pick, this.#stage.clock.instant));
        return;
    }
  }

  #services(): readonly Service[] {
    return this.#stage.keeperLives === 'no' ? [] : [...this.#stage.keeper.services.values()];
  }

  #spec(pick: number): ServiceSpec | null {
    return this.#picked(this.#services(), pick)?.spec ?? null;
  }

  #picked<T>(from: readonly T[], pick: number): T | null {
    return from[pick % from.length] ?? null;
  }

  #oppose(name: string, every: number, times: number): void {
    if (times === 0 || this.#opponents === 'gone') return;
    this.#stage.clock.after(every, () => {
      const state = this.#services().find(({ spec }) => spec.name === name)?.state;
      if (state?.name === 'running') this.#stage.host.signal(state.process, 'SIGTERM');
      this.#oppose(name, every, state?.name === 'running' ? times - 1 : times);
    });
  }

  #end(process: SimulatedProcess, ending: Ending): void {
    const status: ExitStatus = ending.startsWith('exit ')
      ? { type: 'exited', code: Number(ending.slice(5)) }
      : {
          type: 'signaled',
          signal: ending === 'oom' ? 'SIGKILL' : (ending as `SIG${string}`),
          coreDumped: ending === 'SIGSEGV',
        };
    this.#stage.host.end(process, status, ending === 'oom');
  }

  #ask(picks: readonly number[], wish: Wish, length: number): void {
    const services = picks.flatMap((pick) => this.#picked(this.#services(), pick) ?? []);
    const names = [...new Set(services.map(({ spec }) => spec.name))];
    const until = this.#stage.clock.wall + length;
    for (const name of names) {
      this.#invariants.touched(name);
      if (wish === 'start' || wish === 'restart' || wish === 'reset') this.#invariants.allowed(name);
      // Until the keeper has answered nothing is promised: it may be killed in the middle of it.
      if (wish.startsWith('stop')) this.#invariants.unpromised(name);
      if (wish === 'unhold') this.#invariants.unheld(name);
    }
    const changes = this.#stage.changes.length;
    this.#stage.askAll(names, askOf(wish, until));
    if (this.#stage.keeperLives === 'no') return;
    for (const name of names) {
      const now = this.#stage.keeper.services.get(name);
      if (now === undefined || now.fate !== 'stays') continue;
      // Refused: then nothing was promised.
      const told = this.#stage.changes.slice(changes);
      if (told.some(({ service, what }) => service === name && what.type === 'refused')) continue;
      if (wish === 'stop' || wish === 'stop until boot') this.#invariants.stopped(name, Number.POSITIVE_INFINITY);
      if (wish === 'stop for') this.#invariants.stopped(name, until);
    }
  }

  /** Those that need it need it no more: a configuration in which they did would be refused. */
  #remove({ spec }: Service): void {
    const { configured } = this.#stage;
    this.#removed.push(configured.get(spec.name) ?? spec);
    this.#invariants.touched(spec.name);
    this.#invariants.unheld(spec.name);
    const left = new Set([...configured.keys()].filter((name) => name !== spec.name));
    const bereft = [...configured.values()].flatMap((other) => {
      const whole = withoutMissing(other, left);
      return whole === other || other.name === spec.name ? [] : [whole];
    });
    this.#stage.together([
      { type: 'removed', service: spec.name },
      ...bereft.map((other) => ({ type: 'changed' as const, service: other.name, spec: other })),
    ]);
  }

  /** A fact that was told already is told again. */
  #echo(pick: number): void {
    const facts = this.#told
      .slice(-30)
      .filter(
        ({ type }) =>
          type === 'exited' ||
          type === 'emptied' ||
          type === 'deadlinePassed' ||
          type === 'answered' ||
          type === 'notified' ||
          type === 'heard' ||
          type === 'connected',
      );
    const fact = this.#picked(facts, pick);
    if (fact !== null) this.#stage.post(fact);
  }

  /** A fact about a process that has only the PID in common with the service's: it must change nothing. */
  #lie(pick: number, about: Extract<Step, { type: 'lie' }>['about']): void {
    const service = this.#picked(this.#services(), pick);
    if (service === null) return;
    const { name } = service.spec;
    const { state } = service;
    const meant = 'process' in state ? state.process : null;
    const process: ProcessRef = {
      pid: meant?.pid ?? asPid(100),
      startTicks: (meant?.startTicks ?? 0) + 7,
      inode: meant?.inode == null ? null : '1',
    };
    const evidence = exitedWith(0);
    const effects = this.#stage.effects.length;
    const before = JSON.stringify(service);
    const [beat] = service.health;
    const lies: Record<typeof about, Event> = {
      answered: {
        type: 'answered',
        service: name,
        process,
        heartbeat: beat?.name ?? 'first',
        question: beat?.asked?.question ?? 1,
        answer: { result: 'failed', ms: millis(1), detail: 'refused' },
      },
      exited: { type: 'exited', service: name, process, evidence, away: 'no' },
      becameReady: { type: 'becameReady', service: name, process },
      emptied: { type: 'emptied', service: name, process },
      spawned: { type: 'spawned', service: name, role: 'main', generation: service.generation - 1, process },
    };
    this.#stage.post(lies[about]);
    if (this.#stage.keeperLives === 'no') return;
    const after = JSON.stringify(this.#stage.keeper.services.get(name));
    if (before !== after || this.#stage.effects.length !== effects)
      this.#invariants.fail(`a fact about another process (${about}) changed ${name}: ${before} became ${after}`);
  }

  #thaw(): void {
    for (const process of this.#stage.host.living()) {
      this.#stage.host.signal(process.ref, 'SIGCONT');
      this.#stage.host.release(process);
    }
  }

  /** A daemon replaces itself: the next one is there, the pid file moves, then the old one goes. */
  #handOver(pick: number, overlap: number): void {
    const spec = this.#spec(pick);
    const { host, clock } = this.#stage;
    if (spec === null || spec.kind.type !== 'watched') return;
    const old = host.living().find((process) => process.exe === exeOf(spec.name));
    if (old === undefined || host.living().length > 40) return;
    const next = host.bear({ argv: old.argv, program: program(), ppid: old.ref.pid, group: null, uid: old.uid });
    host.writePidFile(pidFileOf(spec.name), String(next.ref.pid));
    clock.after(overlap, () => host.end(old, { type: 'exited', code: 0 }));
  }

  #change(service: Service, what: Extract<Step, { type: 'change' }>['what']): void {
    const spec = service.next ?? service.spec;
    const { kind } = spec;
    const names = [...this.#stage.configured.values()].map(({ name }) => name);
    const next: Record<typeof what, ServiceSpec> = {
      description: { ...spec, description: `${spec.description ?? ''}.` },
      command:
        kind.type === 'supervised'
          ? {
              ...spec,
              kind: {
                ...kind,
                run: { ...kind.run, argv: [...kind.run.argv.slice(0, 1), String(this.#random.int(1, 9))] },
              },
            }
          : spec,
      coupling: this.#isCoupled() ? { ...spec, coupling: drawCoupling(this.#random, spec.name, names) } : spec,
      heartbeats: { ...spec, heartbeats: drawHeartbeats(this.#random) },
      desired: { ...spec, desired: spec.desired === 'up' ? 'down' : 'up' },
      'restart rule': {
        ...spec,
        restart: { ...spec.restart, then: 'slow', limit: { count: 5, within: spec.restart.slowEvery } },
      },
    };
    this.#invariants.allowed(spec.name);
    this.#invariants.touched(spec.name);
    this.#stage.post({ type: 'changed', service: spec.name, spec: next[what] });
  }

  /** In a play without coupling none comes into being. */
  #isCoupled(): boolean {
    return [...this.#stage.configured.values()].some(({ coupling }) => !isEqual(coupling, noCoupling));
  }

  /** Chaos ends: whatever is wanted up and may come up is up in the end, and comes back once more after a kill. */
  quieten(): void {
    this.#write(() => 'quiet');
    this.#opponents = 'gone';
    const stage = this.#stage;
    const { host } = stage;
    stage.kernel.spawnErrors.length = 0;
    this.#again = 0;
    stage.cutFuse();
    if (stage.keeperLives === 'no') stage.startKeeper();
    this.#invariants.stalled();
    host.beBlind(null);
    stage.courseOf = () => answeredSoon;
    for (const process of host.living()) process.doing = 'its work';
    stage.turnHost('up');
    for (const stranger of this.#strangers) host.end(stranger, { type: 'exited', code: 0 });
    for (const service of this.#services()) {
      install(host, service.spec, 'healthy');
      this.#invariants.unheld(service.spec.name);
      this.#invariants.touched(service.spec.name);
      stage.ask(service.spec.name, 'unhold');
    }
    this.#endDoubles();
    this.#thaw();
    // A start command that was under way may have added to one that chaos had left.
    stage.run(20_000);
    this.#endDoubles();
    this.#settle();
    // A definition that was refused is tried once more, now that nobody has a reason to.
    const refused = this.#services().some(({ spec, next }) => !isEqual(next ?? spec, stage.configured.get(spec.name)));
    if (refused) {
      stage.apply([...stage.configured.values()]);
      this.#settle();
    }
    this.#checkNobodyMissed();
    const killed = this.#running();
    for (const process of killed.values()) host.signal(process, 'SIGKILL');
    this.#settle();
    this.#checkCounted(killed, 'seen');

    // Once more without a keeper: some end meanwhile, and the others must not hear of it.
    const running = this.#running();
    const ended = new Map([...running].filter((_, index) => index % 2 === 0));
    this.#totals = new Map(this.#services().map(({ spec, restarts }) => [spec.name, restarts.total]));
    this.#away = 1000;
    stage.killKeeper();
    for (const process of ended.values()) host.signal(process, 'SIGKILL');
    this.#settle();
    this.#checkCounted(ended, 'away');
    const moved = this.#moved(ended);
    for (const service of this.#services()) {
      const process = running.get(service.spec.name);
      if (process === undefined || ended.has(service.spec.name) || moved.has(service.spec.name)) continue;
      const { state } = service;
      if (state.name !== 'running' || !isSameProcess(state.process, process))
        this.#invariants.fail(`${service.spec.name} did not outlive a keeper: ${JSON.stringify(state)}`);
    }
    this.#checkHealed();
    this.#news.work();
    const complaint = complaintOf(this.#news, stage.journal.entries, this.#services());
    if (complaint !== null) this.#invariants.fail(complaint);
  }

  /** One match is enough: what chaos left over of others is ended, so that the rest is clear. */
  #endDoubles(): void {
    const { host } = this.#stage;
    for (const { spec } of this.#services()) {
      const matches = host.living().filter((process) => process.exe === exeOf(spec.name));
      for (const process of matches.slice(1)) host.end(process, { type: 'exited', code: 0 });
    }
  }

  /** What hangs, and has a heartbeat that ends it, is ended; and comes back, where its limit lets it. */
  #checkHealed(): void {
    const { host } = this.#stage;
    const hanging = this.#services().flatMap((service) => {
      const { spec, state } = service;
      const isEnded = spec.heartbeats.some(({ then }) => then.type === 'restart' || then.type === 'stop');
      const isOurs = spec.kind.type === 'supervised' && desiredOf(service) === 'up';
      return isEnded && isOurs && state.name === 'running' ? [{ spec, process: state.process }] : [];
    });
    for (const { process } of hanging) host.signal(process, 'SIGSTOP');
    this.#stage.run(HEALED);
    for (const { spec, process } of hanging)
      if (host.isAlive(process)) this.#invariants.fail(`${spec.name} hangs, and nobody has ended it`);
    this.#settle();
  }

  #running(): ReadonlyMap<string, ProcessRef> {
    const running = new Map<string, ProcessRef>();
    this.#totals = new Map(this.#services().map(({ spec, restarts }) => [spec.name, restarts.total]));
    for (const { spec, state } of this.#services()) if (state.name === 'running') running.set(spec.name, state.process);
    return running;
  }

  /** One death, one restart: neither a keeper's death nor anything else counts. */
  #checkCounted(ended: ReadonlyMap<string, ProcessRef>, how: 'seen' | 'away'): void {
    const moved = this.#moved(ended);
    for (const { spec, state, restarts } of this.#services()) {
      const { name, kind } = spec;
      // A daemon of others may have come back by itself; how an unseen end is judged is not the question here.
      if (kind.type === 'watched' || (how === 'away' && spec.restart.when === 'on-abnormal')) continue;
      const before = this.#totals.get(name) ?? 0;
      const most = before + (ended.has(name) ? 1 : 0);
      // With another it may have been moved before its own end was known: then that one is charged.
      const least = moved.has(name) ? before : most;
      if (state.name === 'running' && (restarts.total < least || restarts.total > most))
        this.#invariants.fail(`${name} has counted ${restarts.total} restarts, there were ${least} to ${most}`);
    }
  }

  /** Those that these ends may move, by needs and restartWith, over any number of others. */
  #moved(ended: ReadonlyMap<string, unknown>): ReadonlySet<string> {
    // By the calendar they are moved whenever it says so.
    const planned = this.#services().flatMap(({ spec }) => (spec.restart.at === null ? [] : [spec.name]));
    const moved = new Set<string>(planned);
    const names: string[] = [...ended.keys(), ...planned];
    for (let name = names.pop(); name !== undefined; name = names.pop()) {
      for (const { spec } of this.#services()) {
        const { needs, restartWith } = spec.coupling;
        const isMoved = needs.some(({ service }) => service === name) || restartWith.some((other) => other === name);
        if (!isMoved || moved.has(spec.name)) continue;
        moved.add(spec.name);
        names.push(spec.name);
      }
    }
    return moved;
  }

  /** What is configured is kept, and nothing else. */
  #checkNobodyMissed(): void {
    const kept = this.#services().map(({ spec }) => spec.name as string);
    const missed = [...this.#stage.configured.keys()].filter((name) => !kept.includes(name));
    const forgotten = kept.filter((name) => !this.#stage.configured.has(name));
    for (const { spec, next } of this.#services()) {
      if (!isEqual(next ?? spec, this.#stage.configured.get(spec.name) ?? spec))
        this.#invariants.fail(`${spec.name} is kept by another definition than the configured one`);
    }
    if (missed.length > 0) this.#invariants.fail(`${missed.join(', ')} is configured, and nobody keeps it`);
    if (forgotten.length > 0) this.#invariants.fail(`${forgotten.join(', ')} is not configured, and never goes`);
  }

  #settle(): void {
    // Out of a fight a service is kept for an hour at most.
    const pauses = (): readonly number[] => this.#services().map(({ opposition }) => opposition.fight?.until ?? 0);
    let end = this.#stage.clock.instant;
    while (this.#stage.clock.instant < end + QUIET && this.broken === null) {
      end = Math.max(end, ...pauses());
      this.#stage.run(10_000);
      this.#thaw();
    }
    // The calendar asks nobody whether all is quiet.
    for (let waited = 0; waited < 120 && this.#isMovedByCalendar(); waited++) this.#stage.run(1_000);
    this.#invariants.check();
    for (const service of this.#services()) this.#checkAtRest(service);
  }

  #isMovedByCalendar(): boolean {
    const onTheWay = new Set(['starting', 'stopping', 'waiting']);
    const services = this.#services();
    return (
      services.some(({ spec }) => spec.restart.at !== null) &&
      services.some((service) => onTheWay.has(service.state.name) && !this.#mayStay(service))
    );
  }

  #checkAtRest(service: Service): void {
    const { state, spec } = service;
    const { name } = spec;
    const alive = this.#stage.mains(name).length;
    if (service.draining.length + service.unborn.length > 0)
      this.#invariants.fail(`something of earlier generations of ${name} is left: ${JSON.stringify(service.draining)}`);
    const state_ = JSON.stringify(state);
    if (state.name === 'running') {
      if (!this.#stage.host.isAlive(state.process))
        this.#invariants.fail(`${name} is said to run, its process ${state.process.pid} is gone`);
      if (spec.kind.type === 'supervised' && desiredOf(service) === 'down')
        this.#invariants.fail(`${name} runs although it is wanted down`);
      return;
    }
    const mayStay = this.#mayStay(service);
    if (alive > 0 && spec.kind.type === 'supervised' && !mayStay)
      this.#invariants.fail(`${name} is ${state_}, and its main process lives`);
    this.#invariants.checkWord(service);
    if (desiredOf(service) === 'down') {
      const stuck = state.name === 'stopping' && state.phase === 'stuck' && spec.kind.type === 'watched';
      if (state.name !== 'stopped' && !stuck)
        this.#invariants.fail(`${name} is wanted down and never stopped: ${state_}`);
      return;
    }
    if (!mayStay) this.#invariants.fail(`${name} is wanted up and never came up: ${state_}`);
  }

  /** It is where it is for good, or for as long as nobody helps. */
  #mayStay(service: Service): boolean {
    const { state, spec } = service;
    switch (state.name) {
      case 'failed':
        return state.deadline === null;
      case 'starting':
        return this.#mayTakeForEver(service);
      case 'stopped':
        return state.why === 'no-start' || state.why === 'policy';
      case 'stopping':
        return state.phase === 'stuck' && spec.kind.type === 'watched';
      case 'waiting':
        return (state.for === 'turn' && this.#isHeldUp(service)) || state.for === 'connection';
      case 'done':
        return spec.kind.type === 'supervised' && spec.kind.oneshot === 'yes';
      case 'unknown':
      case 'skipped':
      case 'running':
      case 'handover':
      case 'backoff':
        return false;
    }
  }

  #mayTakeForEver({ state, spec }: Service): boolean {
    if (state.name !== 'starting') return false;
    return (
      (state.phase === 'readying' && spec.ready.timeout === null && this.#stage.mains(spec.name).length <= 1) ||
      (state.helper !== null && state.deadline === null) ||
      (state.phase === 'working' && state.deadline === null)
    );
  }

  /** Something that it needs stays down, or something that comes before it may take for ever. */
  #isHeldUp(service: Service, seen = new Set<Service>()): boolean {
    if (service.state.name !== 'waiting' || seen.has(service)) return false;
    seen.add(service);
    const { needs, wants, after } = couplingOf(service);
    const all = this.#services();
    const find = (name: string): readonly Service[] => all.filter(({ spec }) => spec.name === name);
    const isDown = (needed: Service): boolean =>
      !isUp(needed) && (desiredOf(needed) === 'down' || this.#isHeldUp(needed, seen) || this.#mayStay(needed));
    const isEndless = (one: Service): boolean => this.#mayTakeForEver(one) || this.#isHeldUp(one, seen);
    const partners = all.filter(({ spec }) => spec.coupling.restartWith.includes(service.spec.name));
    return (
      needs.flatMap((need) => find(need.service)).some(isDown) ||
      [...[...wants, ...after].flatMap(find), ...partners].some(isEndless)
    );
  }

  #writeChanges(): void {
    for (const change of this.#stage.changes.slice(this.#changesWritten)) {
      this.#write(() => `change ${change.service} ${change.from} → ${change.to}: ${JSON.stringify(change.what)}`);
    }
    this.#changesWritten = this.#stage.changes.length;
  }
}

function messageOf(
  what: Extract<Saying, 'ready' | 'reloading' | 'stopping' | 'status' | 'extend' | 'trigger' | 'remove'>,
  pick: number,
  now: number,
): Partial<Notification> {
  switch (what) {
    case 'ready':
      return { ready: 'yes' };
    case 'reloading':
      return { reloading: { at: pick % 2 === 0 ? now : null } };
    case 'stopping':
      return { stopping: 'yes' };
    case 'status':
      return { status: `status ${pick % 7}` };
    case 'extend':
      return { extend: millis(pick % 20_000) };
    case 'trigger':
      return { watchdog: 'trigger' };
    case 'remove':
      return { store: { type: 'remove', name: `fd${pick % 5}` } };
  }
}

function askOf(wish: Wish, until: number): Ask {
  switch (wish) {
    case 'start':
    case 'restart':
      return { verb: wish, reason: null };
    case 'stop':
      return { verb: 'stop', reason: null, until: null, lasts: 'always' };
    case 'stop for':
      return { verb: 'stop', reason: null, until: wallTime(until), lasts: 'always' };
    case 'stop until boot':
      return { verb: 'stop', reason: null, until: null, lasts: 'boot' };
    case 'hold':
      return { verb: 'hold', reason: null, until: null };
    case 'hold for':
      return { verb: 'hold', reason: null, until: wallTime(until) };
    case 'signal':
      return { verb: 'signal', signal: 'SIGUSR1' };
    case 'reload':
    case 'unhold':
    case 'reset':
      return { verb: wish };
  }
}

function brief(effect: object): string {
  const { spec, ...rest } = effect as { readonly spec?: ServiceSpec };
  return JSON.stringify(spec === undefined ? rest : { ...rest, service: spec.name });
}
