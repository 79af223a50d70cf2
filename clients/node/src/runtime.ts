// `service` itself: puts the parts of this process together, and keeps the order in which they come. Whatever depends on who runs
// it is in a manager.

import type { Server } from 'node:net';
import { AloneManager } from './alone/alone-manager.js';
import type { DrainReason } from './drain-reason.js';
import { forget, type Surroundings, surroundings } from './environment.js';
import { Generation, textOf } from './generation.js';
import { HeldSockets } from './held-sockets.js';
import type { Manager, Ward } from './manager.js';
import type { Mode } from './mode.js';
import { reloadingWords, statusWord } from './notify.js';
import type { Offer, Received } from './offer.js';
import { type Options, type Settings, standard } from './options.js';
import { Requests } from './requests/requests.js';
import type { Address, RestartRequest, Service } from './service-type.js';
import type { NamedDescriptor } from './sockets.js';
import type { IncomingState } from './state-reader.js';
import { keptState, SystemdManager } from './systemd/systemd-manager.js';
import { UpkeepManager } from './upkeep/upkeep-manager.js';
import { startWatchdog } from './watchdog.js';

type Later = () => Promise<void>;

/** 128 and the number of SIGINT, as a shell says it. */
const SECOND_INTERRUPT = 130;

class Runtime implements Service {
  readonly sockets: readonly NamedDescriptor[];
  readonly #surroundings: Surroundings;
  readonly #held: HeldSockets;
  readonly #generation: Generation;
  readonly #manager: Manager;
  readonly #requests: Requests;
  #settings: Settings;
  /** Servers that listen when this generation is accepted. */
  readonly #deferred: Later[] = [];
  #mayServe: 'yes' | 'no';
  #received: Promise<IncomingState | null> | null = null;
  #ready: Promise<boolean> | null = null;
  #reloading: Promise<void> = Promise.resolve();
  #leaving: Promise<void> | null = null;

  constructor(env: NodeJS.ProcessEnv, argv: readonly string[]) {
    this.#surroundings = surroundings(env, process.pid);
    this.#settings = standard(env, argv);
    forget(env);
    const { origin } = this.#surroundings;
    const kept = keptState(this.#surroundings);
    this.sockets = this.#surroundings.sockets.filter((socket) => socket !== kept);
    this.#held = new HeldSockets(
      this.sockets,
      origin.manager === 'alone' && origin.handed !== null ? 'generation' : 'manager',
    );
    this.#generation = new Generation({
      service: origin.manager === 'upkeep' ? origin.service : (argv[1] ?? 'node'),
      generation: () => this.#manager.generation,
      stateLimit: () => this.#settings.stateLimit,
      exit: (code) => process.exit(code),
    });
    this.#requests = new Requests(origin.manager === 'alone' ? (origin.handed?.requests ?? null) : null, () =>
      this.restart(),
    );
    this.#manager = this.#managerFor(this.#ward());
    this.#mayServe = isSuccessor(this.#surroundings) ? 'no' : 'yes';
  }

  get mode(): Mode {
    const watchdog = this.#surroundings.watchdog !== null;
    return { manager: this.#surroundings.origin.manager, guarantees: { ...this.#manager.guarantees(), watchdog } };
  }

  get generation(): number {
    return this.#manager.generation;
  }

  get mayAccept(): Promise<void> {
    return this.#manager.mayAccept;
  }

  configure(options: Options): void {
    if (this.#ready !== null) throw new Error('configure comes before ready');
    this.#settings = { ...this.#settings, ...options };
  }

  async listen(server: Server, name: string, address?: Address): Promise<void> {
    const listen: Later = () => this.#held.listen(server, name, address ?? null);
    if (this.#mayServe === 'yes') await listen();
    else this.#deferred.push(listen);
  }

  hold(server: Server, name: string): void {
    this.#held.hold(server, name);
  }

  ready(words: { readonly status?: string } = {}): Promise<boolean> {
    const status = words.status === undefined ? [] : [statusWord(words.status)];
    if (this.#ready !== null) return this.#manager.notify(['READY=1', ...status]);
    this.#ready = this.#becomeReady(status);
    return this.#ready;
  }

  status(text: string): Promise<boolean> {
    return this.#manager.notify([statusWord(text)]);
  }

  reloading(): Promise<boolean> {
    return this.#manager.notify(reloadingWords());
  }

  onReload(reload: () => Promise<void> | void): void {
    process.on('SIGHUP', () => {
      this.#reloading = this.#reloading.then(() => this.#reload(reload));
    });
  }

  stopping(words: { readonly status?: string } = {}): Promise<boolean> {
    return this.#manager.notify(['STOPPING=1', ...(words.status === undefined ? [] : [statusWord(words.status)])]);
  }

  onDrain(drain: (why: DrainReason) => Promise<void> | void): void {
    // A program that finishes nothing ends at a signal as it always has.
    if (!this.#generation.canDrain) this.#hearEnd();
    this.#generation.onDrain(drain);
  }

  receive(): Promise<Received | null>;
  receive<T>(load: (state: Received) => Promise<T> | T): Promise<T | null>;
  async receive<T>(load?: (state: Received) => Promise<T> | T): Promise<Received | T | null> {
    try {
      const state = await this.#incoming();
      return state === null || load === undefined ? state : await load(state);
    } catch (error) {
      if (load === undefined || !this.mode.guarantees.canRefuse) throw error;
      return this.refuse(textOf(error));
    }
  }

  #incoming(): Promise<IncomingState | null> {
    this.#received ??= this.#manager.incoming({
      newest: this.#generation.schema,
      limit: this.#settings.stateLimit,
      // Whatever the program makes of it: with half a state this generation does not take over.
      onBroken: (error) => void this.#decline(error.message),
    });
    return this.#received;
  }

  onHandover(offer: Offer): void {
    this.#generation.offer(offer);
    this.#manager.offered();
  }

  async refuse(reason: string): Promise<never> {
    process.stderr.write(`this generation does not take over: ${reason}\n`);
    await this.#manager.refuse(reason);
    process.exit(1);
  }

  restart({ reason = '', by = 'request' }: RestartRequest = {}): Promise<number> {
    return this.#manager.restart({ reason: reason === '' ? null : reason, by });
  }

  /** Where nobody else would go on, it is for the program to say what is to be done. */
  async #decline(reason: string): Promise<void> {
    if (this.mode.guarantees.canRefuse) await this.#manager.refuse(reason);
  }

  async #becomeReady(words: readonly string[]): Promise<boolean> {
    await this.#verify();
    const { watchdog, origin } = this.#surroundings;
    // Under Upkeep it is `upkeep restart` that asks.
    const isAsked = origin.manager !== 'upkeep';
    if (isAsked) this.#requests.hear(this.#settings);
    const isTold = await this.#manager.ready(words);
    this.#mayServe = 'yes';
    for (const listen of this.#deferred.splice(0)) await listen();
    this.#manager.serves();
    if (watchdog !== null) startWatchdog(watchdog, this.#manager.notify);
    if (isAsked) await this.#requests.listen(this.#settings);
    return isTold;
  }

  /** A state that was taken and is not whole is not begun with, silently. */
  async #verify(): Promise<void> {
    try {
      const state = await this.#received;
      await state?.verified();
    } catch (error) {
      await this.#decline(textOf(error));
      throw error;
    }
  }

  async #reload(reload: () => Promise<void> | void): Promise<void> {
    await this.reloading();
    try {
      await reload();
      await this.#manager.notify(['READY=1']);
    } catch (error) {
      // It goes on as it was, and that is ready too.
      await this.#manager.notify(['READY=1', statusWord(`reload failed: ${textOf(error)}`)]);
    }
  }

  /** These stay to the end: a keeper that was killed says again what it may not have said, and that must kill nobody. */
  #hearEnd(): void {
    const leave = (): void => {
      this.#leaving ??= this.#leave();
    };
    process.on('SIGTERM', leave);
    process.on('SIGINT', () => {
      // Whoever sits at the terminal means it.
      if (this.#leaving !== null && this.#surroundings.origin.manager === 'alone') process.exit(SECOND_INTERRUPT);
      leave();
    });
  }

  /** Told to end, by a signal. */
  async #leave(): Promise<void> {
    const why = await this.#manager.leave();
    await this.stopping();
    if (why === 'stop') this.#held.removePaths();
    await this.#drain(0, why);
  }

  #drain(code: number, why: DrainReason): Promise<void> {
    this.#requests.close(why === 'stop' ? 'last' : 'succeeded');
    return this.#generation.drain(code, why);
  }

  #ward(): Ward {
    const generation = this.#generation;
    return {
      settings: () => this.#settings,
      held: this.#held,
      requests: () => this.#requests.descriptor,
      hasState: () => generation.schema !== null,
      send: (out, onProgress) => generation.send(out, onProgress),
      thaw: (reason) => generation.thaw(reason),
      canDrain: () => generation.canDrain,
      drain: (code, why) => this.#drain(code, why),
    };
  }

  #managerFor(ward: Ward): Manager {
    const { origin, notifySocket } = this.#surroundings;
    switch (origin.manager) {
      case 'upkeep':
        return new UpkeepManager(origin, ward);
      case 'systemd':
        return new SystemdManager({ origin, notifySocket, kept: keptState(this.#surroundings), ward });
      case 'alone':
        return new AloneManager(origin.handed, ward);
    }
  }
}

export const runtime = (env: NodeJS.ProcessEnv, argv: readonly string[]): Service => new Runtime(env, argv);

function isSuccessor({ origin }: Surroundings): boolean {
  return (
    (origin.manager === 'upkeep' && origin.succeeds !== null) || (origin.manager === 'alone' && origin.handed !== null)
  );
}
