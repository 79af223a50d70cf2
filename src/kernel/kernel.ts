// The port Kernel, made of the parts of this folder: each effect of the core is carried out here, and whatever comes of it
// is posted. Never throws to the keeper: what fails becomes an event. It must not know why something is ordered.

import type { Effect, Role } from '../core/effect.js';
import { errorCode, errorText } from '../core/error-text.js';
import { LOST } from '../core/event.js';
import { commandsOf } from '../core/hooks.js';
import { type ExitEvidence, type ExitStatus, noFindings, type OomKill, type ProcessRef } from '../core/process.js';
import type { Command, ServiceName, ServiceSpec } from '../core/spec.js';
import type { WallTime } from '../core/time.js';
import type { Usage } from '../core/usage.js';
import type { Asking, Handovers, Kernel, Outputs, Post, Readiness, Report } from '../keeper/ports.js';
import { endHelper } from './end-helper.js';
import type { Origin } from './environment.js';
import { type Errand, type ErrandEnd, runErrand } from './errand.js';
import type { Exits } from './exits.js';
import type { Features } from './features.js';
import { Generations } from './generations.js';
import type { Groups } from './groups.js';
import { handoverEnvironment, mayHandOver } from './handover-environment.js';
import type { HeldDescriptors } from './held-descriptors.js';
import { notifyEnvironment } from './notify-environment.js';
import type { NotifySockets } from './notify-sockets.js';
import { type Given, nothingPassed, type Passing, passing } from './passing.js';
import { removeStale } from './pid-file.js';
import type { Passed } from './posix-spawn.js';
import { Preparations } from './prepare.js';
import { environmentOf, variableOf } from './processes-of.js';
import type { Pump } from './pump.js';
import { Reactions } from './reaction.js';
import { ReadyFiles } from './ready-file.js';
import type { Reaper } from './reaper.js';
import { Reclaims } from './reclaim.js';
import { Rests } from './rest.js';
import type { ServiceSockets } from './service-sockets.js';
import { signalGroup, signalProcess } from './signals.js';
import { refuseWithoutRoom, spawn } from './spawn.js';
import type { Speakers } from './speakers.js';
import type { StateFiles } from './state-files.js';
import type { StoredDescriptors } from './stored-descriptors.js';
import { Successors } from './successors.js';
import { close } from './syscalls.js';
import { tokenOf } from './token.js';
import { type UsageAsked, Usages } from './usage.js';
import type { Witnesses } from './witnesses.js';

/** What looks for watched daemons. */
export interface Seeker {
  look(spec: ServiceSpec, seek: 'once' | 'on'): void;
  stopSeeking(service: ServiceName): void;
  matches(spec: ServiceSpec, pid: number): boolean;
  close(): void;
}

export interface KernelParts {
  readonly post: Post;
  readonly report: Report;
  readonly features: Features;
  readonly pump: Pump;
  readonly exits: Exits;
  readonly groups: Groups;
  readonly reaper: Reaper;
  readonly witnesses: Witnesses;
  /** Where services say how they are, and whose processes may say it. */
  readonly notifySockets: NotifySockets;
  readonly speakers: Speakers;
  /** What is held for services, and outlives the keeper. */
  readonly held: HeldDescriptors;
  readonly sockets: ServiceSockets;
  readonly stored: StoredDescriptors;
  readonly seeker: Seeker;
  readonly outputs: Outputs;
  readonly readiness: Readiness;
  readonly asking: Asking;
  readonly handovers: Handovers;
  readonly stateFiles: StateFiles;
  /** The path of the control socket. */
  readonly socket: string;
  /** Random, kept over keepers of one boot: by it a process is found whose birth was not written down. */
  readonly token: string;
  /** In ticks since boot: when the generation that was recorded last by an earlier keeper was recorded first. */
  readonly begunAt: (service: ServiceName) => number;
  /** When it is time by a cron expression, after that time; null: never. */
  readonly nextTime: (expression: string, after: WallTime) => WallTime | null;
  /** Where the files are that services say on that they are ready. */
  readonly readyFiles: string;
}

/** Until following is tried again, in ms. */
const RETRY = 1000;

export class RealKernel implements Kernel {
  readonly #parts: KernelParts;
  readonly #rests: Rests;
  readonly #usages: Usages;
  readonly #reactions: Reactions;
  readonly #readyFiles: ReadyFiles;
  readonly #reclaims: Reclaims;
  readonly #preparations: Preparations;
  readonly #retries = new Set<NodeJS.Timeout>();
  /** The last dead process of each service that was followed: a pid file that names it is stale. */
  readonly #dead = new Map<ServiceName, number>();
  readonly #generations = new Generations();
  readonly #successors: Successors;

  constructor(parts: KernelParts) {
    this.#parts = parts;
    const { exits, groups, features, post, report } = parts;
    this.#readyFiles = new ReadyFiles(parts.readyFiles);
    this.#reclaims = new Reclaims(features);
    groups.endWholeGroups(parts.pump);
    this.#rests = new Rests({
      exits,
      groups,
      features,
      report,
      generations: this.#generations,
      onEmptied: (service, process) => {
        this.#generations.forget(service, process);
        post({ type: 'emptied', service, process });
      },
    });
    this.#successors = new Successors({
      left: (service, dead) => this.#rests.left(service, dead),
      answer: (service, dead, successor) => post({ type: 'succeeded', service, dead, process: successor }),
    });
    this.#usages = new Usages({ exits, groups, generations: this.#generations });
    this.#reactions = new Reactions({ post, run: (errand) => this.#send(errand) });
    this.#preparations = new Preparations({
      post,
      report,
      living: (service) => this.#rests.living(service),
      open: (spec, walk) => parts.sockets.open(spec, walk),
    });
  }

  perform(effect: Effect): void {
    try {
      this.#perform(effect);
    } catch (error) {
      this.#parts.report(`the order "${effect.type}" could not be carried out`, error);
    }
  }

  #perform(effect: Effect): void {
    const { seeker, readiness, exits, asking, handovers, stored } = this.#parts;
    switch (effect.type) {
      case 'spawn':
        this.#spawn(effect);
        return;
      case 'prepare':
        this.#preparations.begin(effect.spec, effect.generation);
        return;
      case 'reclaim':
        this.#reclaim(effect);
        return;
      case 'follow':
        this.#follow(effect.service, effect.process);
        return;
      case 'unfollow':
        exits.unfollow(effect.service, effect.process);
        this.#parts.sockets.ended(effect.process);
        return;
      case 'signal':
        this.#signal(effect);
        return;
      case 'endRest':
        this.#rests.end(effect.service, effect.process, effect.signal, effect.policy);
        return;
      case 'endHelper':
        this.#endHelper(effect.process, effect.spec);
        return;
      case 'look':
        seeker.look(effect.spec, effect.seek);
        return;
      case 'stopSeeking':
        seeker.stopSeeking(effect.service);
        return;
      case 'awaitReady':
        this.#awaitReady(effect.spec, effect.process);
        return;
      case 'stopAwaitingReady':
        this.#readyFiles.forget(effect.service);
        readiness.cancel(effect.service);
        return;
      case 'ask':
        asking.ask(effect);
        return;
      case 'stopAsking':
        asking.stop(effect.service);
        return;
      case 'react':
        this.#reactions.begin(effect);
        return;
      case 'plan':
        this.#plan(effect);
        return;
      case 'export':
        handovers.export(effect);
        return;
      case 'endExport':
        handovers.endExport(effect.service);
        return;
      case 'tell':
        handovers.say(effect.service, effect.process, effect.word);
        return;
      case 'seekSuccessor':
        this.#successors.seek(effect.spec, effect.dead, effect.patience);
        return;
      case 'keep':
        stored.keep(effect);
        return;
      case 'dropKept':
        stored.drop(effect.service, effect.name);
        return;
      case 'settleKept':
        stored.settle(effect.service, effect.process, effect.as);
        return;
      case 'emptyStore':
        stored.empty(effect.service);
        return;
      case 'closeSockets':
        this.#parts.sockets.close(effect.spec);
        return;
      case 'awaitConnection':
        this.#awaitConnection(effect.spec);
        return;
      case 'stopAwaitingConnection':
        this.#parts.sockets.stopAwaitingConnection(effect.service);
        return;
    }
  }

  /** Runs a command beside a service (a readiness probe), its output thrown away; killed with its group when `signal` aborts. Never rejects. */
  async run(command: Command, spec: ServiceSpec, signal: AbortSignal): Promise<ExitStatus> {
    const end = await this.#send({ role: 'ready', spec, command, env: {}, signal });
    return end.type === 'failed' ? { type: 'unknown' } : end;
  }

  #send(errand: Errand): Promise<ErrandEnd> {
    return runErrand(errand, this.#tokenFor(errand.spec.name, 0, errand.role, 0), this.#parts);
  }

  #plan({ service, what, expression, after }: Extract<Effect, { type: 'plan' }>): void {
    const next = this.#parts.nextTime(expression, after);
    this.#parts.post({ type: 'planned', service, what, expression, next });
  }

  /** What all processes of a service take together. @throws SystemCallFailure: EMFILE */
  usageOf(asked: UsageAsked): Promise<Usage> {
    return this.#usages.of(asked);
  }

  /** `yes`: a call to a file system has not returned, and Node's own exit would wait for it. */
  get waitsForFiles(): 'yes' | 'no' {
    return this.#preparations.isUnderWay;
  }

  close(): void {
    const { seeker, exits, groups, reaper, witnesses, pump, notifySockets } = this.#parts;
    for (const timer of this.#retries) clearTimeout(timer);
    this.#rests.close();
    this.#successors.close();
    this.#preparations.close();
    this.#reactions.close();
    this.#readyFiles.close();
    this.#reclaims.close();
    notifySockets.close();
    this.#parts.stored.close();
    this.#parts.held.close();
    seeker.close();
    exits.close();
    witnesses.close();
    reaper.close();
    groups.close();
    pump.close();
  }

  #spawn({ spec, command, role, hook, generation, env }: Extract<Effect, { type: 'spawn' }>): void {
    const { features, outputs, post, groups, exits, notifySockets, speakers, sockets } = this.#parts;
    const refused = refuseWithoutRoom(this.#generations.hasStarted(spec.name) ? 'again' : 'first');
    if (refused !== null) {
      const { errno, detail } = refused;
      post({ type: 'spawnFailed', service: spec.name, role, generation, errno, detail });
      return;
    }
    if (role === 'start') this.#removeStalePidFile(spec);
    try {
      if (spec.notifyAccess !== 'none') notifySockets.open(spec.name);
    } catch (error) {
      const errno = errorCode(error, 'EIO');
      const detail = `the socket for its sd_notify cannot be made: ${errorText(error)}`;
      post({ type: 'spawnFailed', service: spec.name, role, generation, errno, detail });
      return;
    }
    let ready: Passed | null = null;
    let given: Passing;
    try {
      if (role === 'main') ready = this.#makeReadyFile(spec);
      given = role === 'main' ? passing(spec, this.#givenTo(spec), ready) : nothingPassed;
    } catch (error) {
      if (ready !== null) close(ready.fd);
      post({
        type: 'spawnFailed',
        service: spec.name,
        role,
        generation,
        errno: errorCode(error, 'EIO'),
        detail: errorText(error),
      });
      return;
    }
    const token = this.#tokenFor(spec.name, generation, role, hook);
    const done = spawn(
      {
        spec,
        command,
        role,
        generation,
        token,
        env: { ...env, ...this.#handoverEnvironment(spec, role), ...this.#notifyEnvironment(spec, role), ...given.env },
        output: outputs.descriptorFor(spec),
        passed: given.passed,
        ownPid: given.ownPid,
      },
      features,
    );
    if (ready !== null) close(ready.fd);
    if (done.type === 'failed') {
      post({ type: 'spawnFailed', service: spec.name, role, generation, errno: done.errno, detail: done.detail });
      return;
    }
    const { process } = done;
    speakers.note(spec.name, process, role === 'main' ? 'main' : 'helper', token);
    if (role === 'main') {
      this.#generations.born(spec.name, process, generation);
      groups.assign(spec.name, process, generation);
      sockets.began(
        spec,
        process,
        given.passed.map(({ fd }) => fd),
      );
    }
    const oomSince = spec.settings.memory === null ? null : groups.oomKillSince(spec.name, process);
    exits.follow(
      spec.name,
      process,
      (seen) => {
        const evidence = oomSince === null ? seen : withOom(seen, oomSince);
        notifySockets.catchUp(spec.name);
        sockets.ended(process);
        post({ type: 'exited', service: spec.name, process, evidence, away: 'no' });
      },
      { pidfd: done.pidfd },
    );
    post({ type: 'spawned', service: spec.name, role, generation, process });
    if (role === 'main') groups.place(spec.name, process, generation, spec.settings.memory);
  }

  #notifyEnvironment(spec: ServiceSpec, role: Role): Readonly<Record<string, string>> {
    return notifyEnvironment(spec, role, this.#parts.notifySockets.pathOf(spec.name), process.pid);
  }

  /** @throws what the system says */
  #makeReadyFile({ name, ready: { probe } }: ServiceSpec): Passed | null {
    if (probe.type !== 'fd') return null;
    try {
      return { fd: this.#readyFiles.make(name), as: probe.fd };
    } catch (error) {
      throw new Error(`the file for its \`ready: {fd}\` cannot be made (${errorCode(error, 'EIO')})`);
    }
  }

  /** What is held for it. @throws Error: not all of it is there */
  #givenTo(spec: ServiceSpec): readonly Given[] {
    const sockets = this.#parts.sockets.pass(spec);
    if (sockets === null) throw new Error('its sockets are not open any more; it is started again');
    return [...sockets, ...this.#parts.stored.pass(spec)];
  }

  #handoverEnvironment(spec: ServiceSpec, role: Role): Readonly<Record<string, string>> {
    const { socket, stateFiles, report } = this.#parts;
    if (role !== 'main' || !mayHandOver(spec)) return {};
    try {
      return handoverEnvironment(spec, socket, stateFiles.fileOf(spec));
    } catch (error) {
      report(`${spec.name} has no place for its state; it hands over none`, error);
      return handoverEnvironment(spec, socket, null);
    }
  }

  /** A process that we were told of, not one that we started: it may be gone already, or may not be ours to see. */
  #follow(service: ServiceName, process: ProcessRef): void {
    const { exits, groups, post, notifySockets, speakers, sockets } = this.#parts;
    const exited = (evidence: ExitEvidence, away: 'yes' | 'no'): void => {
      this.#dead.set(service, process.pid);
      notifySockets.catchUp(service);
      sockets.ended(process);
      post({ type: 'exited', service, process, evidence, away });
    };
    const variable = environmentOf(process.pid);
    const isHelper = ![null, 'main'].includes(variable('UPKEEP_ROLE'));
    speakers.note(service, process, isHelper ? 'helper' : 'main', variable('UPKEEP_TOKEN'));
    try {
      if (!isHelper) this.#generations.met(service, process);
      if (!isHelper) sockets.met(service, process);
      if (!isHelper) this.#parts.stored.met(service, process);
      groups.recognize(service, process);
      const oomSince = groups.oomKillSince(service, process);
      const onExit = (seen: ExitEvidence): void => {
        const peakMemory = seen.peakMemory ?? groups.peakMemory(service, process);
        exited(withOom({ ...seen, peakMemory }, oomSince), 'no');
      };
      if (exits.follow(service, process, onExit) === 'gone') exited(exits.ofMissed(process), 'yes');
    } catch (error) {
      // No descriptor to be had: it is tried again, not given up.
      this.#parts.report(`process ${process.pid} of ${service} cannot be followed now; it is tried again`, error);
      const timer = setTimeout(() => {
        this.#retries.delete(timer);
        this.#follow(service, process);
      }, RETRY);
      this.#retries.add(timer);
    }
  }

  /** Many start scripts do nothing while the pid file of a killed daemon is there. */
  #removeStalePidFile({ name, kind }: ServiceSpec): void {
    const dead = this.#dead.get(name);
    if (kind.type === 'watched' && kind.pattern.pidFile !== null && dead !== undefined)
      removeStale(kind.pattern.pidFile, dead);
  }

  #reclaim({ spec, role, hook, generation }: Extract<Effect, { type: 'reclaim' }>): void {
    const { begunAt, post } = this.#parts;
    const service = spec.name;
    const user = commandOf(spec, role, hook)?.user ?? spec.settings.user;
    const wanted = { token: this.#tokenFor(service, generation, role, hook), user, since: begunAt(service) };
    this.#reclaims.ask(wanted, (process) => {
      if (process === null) {
        post({ type: 'spawnFailed', service, role, generation, errno: LOST, detail: 'nothing of it lives' });
        return;
      }
      post({ type: 'spawned', service, role, generation, process });
      this.#follow(service, process);
    });
  }

  #awaitConnection(spec: ServiceSpec): void {
    const { sockets, post } = this.#parts;
    sockets.awaitConnection(spec, () => post({ type: 'connected', service: spec.name }));
  }

  #awaitReady(spec: ServiceSpec, process: ProcessRef): void {
    const { readiness, post } = this.#parts;
    const { probe } = spec.ready;
    if (probe.type === 'fd')
      this.#readyFiles.await(spec.name, () => post({ type: 'becameReady', service: spec.name, process }));
    if (probe.type === 'exec' && !this.#generations.isOwn(spec.name, process)) this.#endProbe(spec, probe.command);
    readiness.await(spec, process);
  }

  /** The question that an earlier keeper had asked when it died may still run, and for as long as it likes. */
  #endProbe(spec: ServiceSpec, command: Command): void {
    const { begunAt, exits, features } = this.#parts;
    const user = command.user ?? spec.settings.user;
    this.#reclaims.ask({ token: this.#probeToken(spec), user, since: begunAt(spec.name) }, (process) => {
      if (process !== null && !exits.isFollowed(process.pid)) signalGroup(process, 'SIGKILL', features);
    });
  }

  #probeToken(spec: ServiceSpec): string {
    return this.#tokenFor(spec.name, 0, 'ready', 0);
  }

  #endHelper(helper: ProcessRef, spec: ServiceSpec): void {
    const { exits, features, report, seeker } = this.#parts;
    const spares = (pid: number): boolean => seeker.matches(spec, pid);
    const isFollowed = (pid: number): boolean => exits.isFollowed(pid);
    endHelper(helper, variableOf(helper.pid, 'UPKEEP_TOKEN'), { features, report, isFollowed, spares });
  }

  #signal({ service, process, signal, to, thenContinue }: Extract<Effect, { type: 'signal' }>): void {
    const { features, report } = this.#parts;
    // One that was born of it may be in its process group, and serve.
    const isShared = to === 'group' && this.#generations.livesOn(service, process);
    const send = to === 'group' && !isShared ? signalGroup : signalProcess;
    try {
      send(process, signal, features);
      if (thenContinue === 'yes') send(process, 'SIGCONT', features);
    } catch (error) {
      report(`${signal} could not be sent to process ${process.pid} of ${service}`, error);
    }
  }

  #tokenFor(service: ServiceName, generation: number, role: Origin['role'], hook: number): string {
    return tokenOf(this.#parts.token, service, generation, role, hook);
  }
}

/** What is run for this. */
function commandOf({ kind, hooks }: ServiceSpec, role: Role, hook: number): Command | null {
  switch (role) {
    case 'main':
      return kind.type === 'supervised' ? kind.run : null;
    case 'start':
      return kind.type === 'watched' ? kind.start : null;
    case 'stop':
      return kind.stop.type === 'command' ? kind.stop.command : null;
    case 'restart':
      return kind.type === 'watched' ? kind.restart : null;
    case 'reload':
      return kind.reload?.type === 'command' ? kind.reload.command : null;
    case 'condition':
    case 'beforeStart':
    case 'afterStart':
    case 'beforeStop':
    case 'afterStop':
      return commandsOf(hooks, role)[hook] ?? null;
  }
}

/** The kernel's word that somebody of the service was killed for want of memory counts for a main process that was killed, unless somebody was seen who did that. */
function withOom(evidence: ExitEvidence, oomSince: () => OomKill | null): ExitEvidence {
  const { status, findings } = evidence;
  if (evidence.oom || evidence.by !== null || status.type !== 'signaled' || status.signal !== 'SIGKILL')
    return evidence;
  const oomKill = oomSince();
  return oomKill === null ? evidence : { ...evidence, oom: true, findings: { ...(findings ?? noFindings), oomKill } };
}
