// The port Kernel, made of the parts of this folder: each effect of the core is carried out here, and whatever comes of it
// is posted. Never throws to the keeper: what fails becomes an event. It must not know why something is ordered.

import type { Effect } from '../core/effect.js';
import { LOST } from '../core/event.js';
import type { ExitEvidence, ExitStatus, ProcessRef } from '../core/process.js';
import type { Command, ServiceName, ServiceSpec } from '../core/spec.js';
import type { WallTime } from '../core/time.js';
import type { Usage } from '../core/usage.js';
import type { Asking, Handovers, Kernel, Outputs, Post, Readiness, Report } from '../keeper/ports.js';
import { Births } from './births.js';
import { Encounters, type Ended } from './encounters.js';
import { endHelper } from './end-helper.js';
import type { Origin } from './environment.js';
import { type Errand, type ErrandEnd, runErrand } from './errand.js';
import type { Exits } from './exits.js';
import type { Features } from './features.js';
import { Generations } from './generations.js';
import type { Groups } from './groups.js';
import type { HeldDescriptors } from './held-descriptors.js';
import type { NotifySockets } from './notify-sockets.js';
import { Preparations } from './prepare.js';
import { variableOf } from './processes-of.js';
import type { Pump } from './pump.js';
import { Reactions } from './reaction.js';
import { ReadyFiles } from './ready-file.js';
import type { Reaper } from './reaper.js';
import { Reclaims } from './reclaim.js';
import { Rests } from './rest.js';
import { commandOf } from './role-command.js';
import type { ServiceSockets } from './service-sockets.js';
import { signalGroup, signalProcess } from './signals.js';
import type { Speakers } from './speakers.js';
import type { StateFiles } from './state-files.js';
import type { StoredDescriptors } from './stored-descriptors.js';
import { Successors } from './successors.js';
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

export class RealKernel implements Kernel {
  readonly #parts: KernelParts;
  readonly #rests: Rests;
  readonly #usages: Usages;
  readonly #reactions: Reactions;
  readonly #readyFiles: ReadyFiles;
  readonly #reclaims: Reclaims;
  readonly #preparations: Preparations;
  readonly #generations = new Generations();
  readonly #successors: Successors;
  readonly #births: Births;
  readonly #encounters: Encounters;

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
    const ended: Ended = (service, process, evidence, away) => this.#ended(service, process, evidence, away);
    this.#encounters = new Encounters({ ...parts, generations: this.#generations, ended });
    this.#births = new Births({
      ...parts,
      generations: this.#generations,
      readyFiles: this.#readyFiles,
      lastDead: (service) => this.#encounters.lastDead(service),
      ended,
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
        this.#births.begin(effect, this.#tokenFor(effect.spec.name, effect.generation, effect.role, effect.hook));
        return;
      case 'prepare':
        this.#preparations.begin(effect.spec, effect.generation);
        return;
      case 'reclaim':
        this.#reclaim(effect);
        return;
      case 'follow':
        this.#encounters.follow(effect.service, effect.process);
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
    this.#encounters.close();
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

  #ended(service: ServiceName, process: ProcessRef, evidence: ExitEvidence, away: 'yes' | 'no'): void {
    // Its last words were said while it lived, and count as such.
    this.#parts.notifySockets.catchUp(service);
    this.#parts.sockets.ended(process);
    this.#parts.post({ type: 'exited', service, process, evidence, away });
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
      this.#encounters.follow(service, process);
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
