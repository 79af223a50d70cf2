// Processes of services that we start: what each is given, the order to the system, and whoever has to know of it from its first
// moment on. What comes of an order is posted. It must not know why something is started.

import type { Effect } from '../core/effect.js';
import { errorCode, errorText } from '../core/error-text.js';
import type { ServiceName, ServiceSpec } from '../core/spec.js';
import type { Outputs, Post, Report } from '../keeper/ports.js';
import type { Ended } from './encounters.js';
import type { Exits } from './exits.js';
import type { Features } from './features.js';
import type { Generations } from './generations.js';
import type { Groups } from './groups.js';
import { handoverEnvironment, mayHandOver } from './handover-environment.js';
import { notifyEnvironment } from './notify-environment.js';
import type { NotifySockets } from './notify-sockets.js';
import { withOom } from './oom-evidence.js';
import { type Given, nothingPassed, passing } from './passing.js';
import { removeStale } from './pid-file.js';
import type { Passed } from './posix-spawn.js';
import type { ReadyFiles } from './ready-file.js';
import type { ServiceSockets } from './service-sockets.js';
import { refuseWithoutRoom, type Spawned, spawn } from './spawn.js';
import type { Speakers } from './speakers.js';
import type { StateFiles } from './state-files.js';
import type { StoredDescriptors } from './stored-descriptors.js';
import { close } from './syscalls.js';

export interface BirthParts {
  readonly post: Post;
  readonly report: Report;
  readonly features: Features;
  readonly exits: Pick<Exits, 'follow'>;
  readonly groups: Pick<Groups, 'assign' | 'place' | 'oomKillSince'>;
  readonly speakers: Pick<Speakers, 'note'>;
  readonly notifySockets: Pick<NotifySockets, 'open' | 'pathOf'>;
  readonly sockets: Pick<ServiceSockets, 'pass' | 'began'>;
  readonly stored: Pick<StoredDescriptors, 'pass'>;
  readonly stateFiles: Pick<StateFiles, 'fileOf'>;
  readonly outputs: Outputs;
  readonly generations: Generations;
  readonly readyFiles: ReadyFiles;
  /** The path of the control socket. */
  readonly socket: string;
  /** The pid of the last dead process of it that was followed: a pid file that names it is stale. */
  readonly lastDead: (service: ServiceName) => number | undefined;
  readonly ended: Ended;
}

type Order = Extract<Effect, { type: 'spawn' }>;
type Failed = Extract<Spawned, { type: 'failed' }>;
type Env = Readonly<Record<string, string>>;

/** A process that has just been started. */
interface Born extends Extract<Spawned, { type: 'spawned' }> {
  readonly passed: readonly Passed[];
}

export class Births {
  readonly #parts: BirthParts;

  constructor(parts: BirthParts) {
    this.#parts = parts;
  }

  begin(order: Order, token: string): void {
    const { spec, role, generation } = order;
    const start = this.#parts.generations.hasStarted(spec.name) ? 'again' : 'first';
    const done = refuseWithoutRoom(start) ?? this.#start(order, token);
    if (done.type === 'spawned') this.#welcome(order, token, done);
    else {
      const { errno, detail } = done;
      this.#parts.post({ type: 'spawnFailed', service: spec.name, role, generation, errno, detail });
    }
  }

  /** What goes wrong on the way is an answer too. */
  #start({ spec, command, role, generation, env }: Order, token: string): Born | Failed {
    const { features, outputs } = this.#parts;
    if (role === 'start') this.#removeStalePidFile(spec);
    let ready: Passed | null = null;
    try {
      const unheard = this.#openNotifySocket(spec);
      if (unheard !== null) return unheard;
      if (role === 'main') ready = this.#makeReadyFile(spec);
      const given = role === 'main' ? passing(spec, this.#givenTo(spec), ready) : nothingPassed;
      const own = { ...env, ...this.#environmentFor(spec, role), ...given.env };
      const { passed, ownPid } = given;
      const output = outputs.descriptorFor(spec);
      const done = spawn({ spec, command, role, generation, token, env: own, output, passed, ownPid }, features);
      return done.type === 'failed' ? done : { ...done, passed };
    } catch (error) {
      return { type: 'failed', errno: errorCode(error, 'EIO'), detail: errorText(error) };
    } finally {
      if (ready !== null) close(ready.fd);
    }
  }

  #welcome({ spec, role, generation }: Order, token: string, { process, pidfd, passed }: Born): void {
    const { post, groups, exits, generations, speakers, sockets, ended } = this.#parts;
    const { name: service, settings } = spec;
    speakers.note(service, process, role === 'main' ? 'main' : 'helper', token);
    if (role === 'main') {
      generations.born(service, process, generation);
      groups.assign(service, process, generation);
      const fds = passed.map(({ fd }) => fd);
      sockets.began(spec, process, fds);
    }
    const oomSince = settings.memory === null ? null : groups.oomKillSince(service, process);
    exits.follow(
      service,
      process,
      (seen) => ended(service, process, oomSince === null ? seen : withOom(seen, oomSince), 'no'),
      { pidfd },
    );
    post({ type: 'spawned', service, role, generation, process });
    if (role === 'main') groups.place(service, process, generation, settings.memory);
  }

  #openNotifySocket({ name, notifyAccess }: ServiceSpec): Failed | null {
    try {
      if (notifyAccess !== 'none') this.#parts.notifySockets.open(name);
      return null;
    } catch (error) {
      const detail = `the socket for its sd_notify cannot be made: ${errorText(error)}`;
      return { type: 'failed', errno: errorCode(error, 'EIO'), detail };
    }
  }

  /** @throws Error: in a sentence */
  #makeReadyFile({ name, ready: { probe } }: ServiceSpec): Passed | null {
    if (probe.type !== 'fd') return null;
    try {
      return { fd: this.#parts.readyFiles.make(name), as: probe.fd };
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

  #environmentFor(spec: ServiceSpec, role: Order['role']): Env {
    const path = this.#parts.notifySockets.pathOf(spec.name);
    return { ...this.#handoverEnvironment(spec, role), ...notifyEnvironment(spec, role, path, process.pid) };
  }

  #handoverEnvironment(spec: ServiceSpec, role: Order['role']): Env {
    const { socket, stateFiles, report } = this.#parts;
    if (role !== 'main' || !mayHandOver(spec)) return {};
    try {
      return handoverEnvironment(spec, socket, stateFiles.fileOf(spec));
    } catch (error) {
      report(`${spec.name} has no place for its state; it hands over none`, error);
      return handoverEnvironment(spec, socket, null);
    }
  }

  /** Many start scripts do nothing while the pid file of a killed daemon is there. */
  #removeStalePidFile({ name, kind }: ServiceSpec): void {
    const dead = this.#parts.lastDead(name);
    if (kind.type === 'watched' && kind.pattern.pidFile !== null && dead !== undefined)
      removeStale(kind.pattern.pidFile, dead);
  }
}
