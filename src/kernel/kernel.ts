// The port Kernel, made of the parts of this folder: each effect of the core is carried out here, and whatever comes of it
// is posted. Never throws to the keeper: what fails becomes an event. It must not know why something is ordered.

import type { Effect, Role } from '../core/effect.js';
import { LOST, type ServiceEvent } from '../core/event.js';
import type { ExitEvidence, ExitStatus, ProcessRef } from '../core/process.js';
import type { Command, ServiceName, ServiceSpec } from '../core/spec.js';
import type { Kernel, Outputs, Post, Readiness, Report } from '../keeper/ports.js';
import type { Exits } from './exits.js';
import type { Features } from './features.js';
import type { Groups } from './groups.js';
import { endHelper } from './helpers.js';
import type { Pump } from './pump.js';
import { ReadyPipes } from './ready-pipe.js';
import type { Reaper } from './reaper.js';
import { findByToken } from './reclaim.js';
import { Rests } from './rest.js';
import { signalGroup, signalProcess } from './signals.js';
import { spawn } from './spawn.js';

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
  readonly seeker: Seeker;
  readonly outputs: Outputs;
  readonly readiness: Readiness;
  /** Random, kept over keepers of one boot: by it a process is found whose birth was not written down. */
  readonly token: string;
}

/** Nobody could say how it ended. */
const unseen: ExitEvidence = { status: { type: 'unknown' }, oom: false, peakMemory: null, cpuTime: null, ticks: null };

export class RealKernel implements Kernel {
  readonly #parts: KernelParts;
  readonly #rests: Rests;
  readonly #pipes: ReadyPipes;

  constructor(parts: KernelParts) {
    this.#parts = parts;
    const { exits, groups, features, post } = parts;
    this.#pipes = new ReadyPipes(parts.pump);
    this.#rests = new Rests({
      exits,
      groups,
      features,
      onEmptied: (service, process) => post({ type: 'emptied', service, process }),
    });
  }

  perform(effect: Effect): void {
    const { seeker, readiness, exits } = this.#parts;
    switch (effect.type) {
      case 'spawn':
        return this.#spawn(effect.spec, effect.command, effect.role, effect.generation);
      case 'reclaim':
        return this.#reclaim(effect.spec, effect.role, effect.generation);
      case 'follow':
        return this.#follow(effect.service, effect.process);
      case 'unfollow':
        return exits.unfollow(effect.service, effect.process);
      case 'signal':
        return this.#signal(effect);
      case 'endRest':
        return this.#rests.end(effect.service, effect.process, effect.signal, effect.policy);
      case 'endHelper':
        return endHelper(effect.process, this.#parts.features, (pid) => seeker.matches(effect.spec, pid));
      case 'look':
        return seeker.look(effect.spec, effect.seek);
      case 'stopSeeking':
        return seeker.stopSeeking(effect.service);
      case 'awaitReady':
        return readiness.await(effect.spec, effect.process);
      case 'stopAwaitingReady':
        this.#pipes.forget(effect.service);
        return readiness.cancel(effect.service);
    }
  }

  /** Runs a command beside a service (a readiness probe), its output thrown away; killed with its group when `signal` aborts. Never rejects. */
  run(command: Command, spec: ServiceSpec, signal: AbortSignal): Promise<ExitStatus> {
    return new Promise((resolve) => {
      const { features, exits } = this.#parts;
      const done = spawn(
        { spec, command, role: 'ready', generation: 0, token: '', output: null, extra: null },
        features,
      );
      if (done.type === 'failed') return resolve({ type: 'unknown' });
      const end = (): void => void signalGroup(done.process, 'SIGKILL', features);
      signal.addEventListener('abort', end, { once: true });
      const follower = `ready ${spec.name}`;
      exits.follow(
        follower,
        done.process,
        ({ status }) => {
          signal.removeEventListener('abort', end);
          resolve(status);
        },
        { pidfd: done.pidfd },
      );
      if (signal.aborted) end();
    });
  }

  close(): void {
    const { seeker, exits, groups, reaper, pump } = this.#parts;
    this.#rests.close();
    this.#pipes.close();
    seeker.close();
    exits.close();
    reaper.close();
    groups.close();
    pump.close();
  }

  #spawn(spec: ServiceSpec, command: Command, role: Role, generation: number): void {
    const { features, outputs, post, groups, exits } = this.#parts;
    const { probe } = spec.ready;
    const pipe = role === 'main' && probe.type === 'fd' ? this.#pipes.open() : null;
    const extra = pipe === null || probe.type !== 'fd' ? null : { fd: pipe.write, as: probe.fd };
    const done = spawn(
      {
        spec,
        command,
        role,
        generation,
        token: this.#tokenFor(spec.name, generation, role),
        output: outputs.descriptorFor(spec),
        extra,
      },
      features,
    );
    if (done.type === 'failed') {
      pipe?.drop();
      post({ type: 'spawnFailed', service: spec.name, role, generation, errno: done.errno, detail: done.detail });
      return;
    }
    const { process } = done;
    exits.follow(
      spec.name,
      process,
      (evidence) => post({ type: 'exited', service: spec.name, process, evidence, away: 'no' }),
      { pidfd: done.pidfd },
    );
    post({ type: 'spawned', service: spec.name, role, generation, process });
    pipe?.listen(spec.name, () => post({ type: 'becameReady', service: spec.name, process }));
    if (role === 'main') groups.place(spec.name, process, spec.settings.memory);
  }

  /** A process that we were told of, not one that we started: it may be gone already, or may not be ours to see. */
  #follow(service: ServiceName, process: ProcessRef): void {
    const { exits, post } = this.#parts;
    const gone = (): void => post({ type: 'exited', service, process, evidence: unseen, away: 'yes' });
    try {
      const outcome = exits.follow(service, process, (evidence) =>
        post({ type: 'exited', service, process, evidence, away: 'no' }),
      );
      if (outcome === 'gone') gone();
    } catch (error) {
      // No descriptor to be had: it is looked at later, not given up.
      this.#parts.report(`process ${process.pid} of ${service} cannot be followed now; it is tried again`, error);
      setTimeout(() => this.#follow(service, process), 1000).unref();
    }
  }

  #reclaim(spec: ServiceSpec, role: Role, generation: number): void {
    const { features, post, exits } = this.#parts;
    const service = spec.name;
    const found = findByToken(this.#tokenFor(service, generation, role), features);
    if (found === null) {
      post({ type: 'spawnFailed', service, role, generation, errno: LOST, detail: 'nothing of it lives' });
      return;
    }
    post({ type: 'spawned', service, role, generation, process: found });
    const event = (evidence: ExitEvidence, away: 'yes' | 'no'): ServiceEvent => ({
      type: 'exited',
      service,
      process: found,
      evidence,
      away,
    });
    if (exits.follow(service, found, (evidence) => post(event(evidence, 'no'))) === 'gone') post(event(unseen, 'yes'));
  }

  #signal({ service, process, signal, to, thenContinue }: Extract<Effect, { type: 'signal' }>): void {
    const { features, report } = this.#parts;
    const send = to === 'group' ? signalGroup : signalProcess;
    try {
      send(process, signal, features);
      if (thenContinue === 'yes') send(process, 'SIGCONT', features);
    } catch (error) {
      report(`${signal} could not be sent to process ${process.pid} of ${service}`, error);
    }
  }

  #tokenFor(service: ServiceName, generation: number, role: Role): string {
    return `${this.#parts.token}.${service}.${generation}.${role}`;
  }
}
