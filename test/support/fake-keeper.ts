// A control socket as the keeper opens it, over services that a test puts into the states it wants. For the commands:
// the server and the protocol are the real ones, nothing else is.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ControlServer } from '../../src/control/server.js';
import type { TestParts } from '../../src/control/test-route.js';
import type { WhyParts } from '../../src/control/why.js';
import type { What } from '../../src/core/change.js';
import type { Ask } from '../../src/core/event.js';
import { type Outlook, outlookOf } from '../../src/core/outlook.js';
import { asPid, type ProcessRef } from '../../src/core/process.js';
import { type ServiceName, type ServiceSpec, serviceName } from '../../src/core/spec.js';
import { newService, type Service, type ServiceState } from '../../src/core/state.js';
import { type KeeperStatus, type Status, statusOf } from '../../src/core/status.js';
import { instant, type Now, wallTime } from '../../src/core/time.js';
import { worldOf } from '../../src/core/world.js';
import { type ControlListener, openControlListener } from '../../src/kernel/control-listener.js';

/** The keeper's clock stands: ten in the morning, a million milliseconds after the boot. */
export const NOW = Date.parse('2026-11-20T10:00:00.000Z');
export const INSTANT = 1_000_000;
const now: Now = { instant: instant(INSTANT), wall: wallTime(NOW), random: 0 };

export interface FakeOptions {
  /** Who is on the other side of every connection. */
  readonly uid?: number;
  readonly keeper?: Partial<KeeperStatus>;
  /** What GET /v1/keeper says beside the status. */
  readonly facts?: Readonly<Record<string, unknown>>;
  /** What GET /v1/notices lists. */
  readonly channels?: readonly unknown[];
  /** Answers of POST /v1/NAME. */
  readonly govern?: Readonly<Record<string, (body: unknown) => unknown>>;
  /** What an operator's ask does; without it the service is where the ask wants it at once. */
  readonly onAsk?: (ask: Ask, name: string, keeper: FakeKeeper) => void;
  readonly detail?: (name: string) => unknown;
  readonly fds?: (name: string) => unknown;
  /** What the host does not let us see. */
  readonly without?: WhyParts['without'];
  readonly elsewhere?: ReturnType<WhyParts['elsewhere']>;
  readonly history?: WhyParts['history'];
  /** What the askers hear. */
  readonly test?: TestParts['test'];
}

export const processRef = (pid: number): ProcessRef => ({ pid: asPid(pid), startTicks: 10_000, inode: null });

/** Ran since five minutes ago. */
export const running = (pid: number): ServiceState => ({
  name: 'running',
  since: instant(INSTANT - 300_000),
  process: processRef(pid),
  helper: null,
  deadline: null,
});

export const stopped = (why: 'requested' | 'policy' | 'no-start' = 'requested'): ServiceState => ({
  name: 'stopped',
  since: instant(INSTANT - 60_000),
  why,
});

export const backoff = (inMs: number): ServiceState => ({
  name: 'backoff',
  since: instant(INSTANT - 1000),
  attempt: 2,
  deadline: instant(INSTANT + inMs),
});

export const starting = (): ServiceState => ({
  name: 'starting',
  since: instant(INSTANT - 2000),
  why: 'requested',
  hook: 0,
  setback: null,
  phase: 'readying',
  process: processRef(77),
  helper: null,
  deadline: null,
});

export const givenUp = (): ServiceState => ({
  name: 'failed',
  since: instant(INSTANT - 1000),
  failure: { type: 'limit', count: 10 },
  deadline: null,
});

export class FakeKeeper {
  readonly directory: string;
  readonly #server: ControlServer;
  #listener: ControlListener | null = null;
  readonly #services = new Map<ServiceName, Service>();
  readonly #options: FakeOptions;
  /** How many events its socket has posted. */
  posts = 0;
  readonly asked: { readonly name: string; readonly ask: Ask }[] = [];

  constructor(options: FakeOptions = {}) {
    this.#options = options;
    this.directory = mkdtempSync(join(tmpdir(), 'upkeep-cli-'));
    const { govern = {} } = options;
    this.#server = new ControlServer({
      post: (event) => {
        this.posts += 1;
        for (const one of event.type === 'together' ? event.events : [event]) {
          if (one.type !== 'asked') throw new Error(`a control socket posts asks only, not ${one.type}`);
          this.asked.push({ name: one.service, ask: one.ask });
          (options.onAsk ?? obey)(one.ask, one.service, this);
        }
      },
      services: () => this.#services,
      outlook: () => this.#outlook(),
      status: () => this.status(),
      keeper: () => ({ ...this.status().keeper, paths: {}, elsewhere: [], memory: {}, counters: {}, ...options.facts }),
      channels: () => ({ version: 1, channels: options.channels ?? [] }),
      now: () => now,
      without: options.without ?? [],
      elsewhere: () => options.elsewhere ?? [],
      history: options.history ?? (() => Promise.resolve({ type: 'unavailable', problem: 'there is none here' })),
      test: options.test ?? (() => Promise.reject(new Error('nobody was to be asked'))),
      judges: { keeperUid: 0, isInGroup: () => false, serviceOf: () => null },
      peerOf: () => ({ pid: 4711, uid: options.uid ?? 0, gid: 0 }),
      describe: ({ pid, uid }) => ({ pid, name: null, uid, user: null, grade: 'seen' }),
      govern: Object.fromEntries(
        Object.entries(govern).map(([name, answer]) => [name, (body: unknown) => Promise.resolve(answer(body))]),
      ),
      detail: options.detail ?? (() => null),
      fds: options.fds ?? (() => null),
      handover: { knows: () => false, memberOf: () => 'nobody is', open: () => ({ close: () => {} }) },
      report: (problem, error) => {
        throw new Error(problem, { cause: error });
      },
    });
  }

  get socket(): string {
    return join(this.directory, 'control.sock');
  }

  listen(): Promise<void> {
    this.#listener = openControlListener(this.socket, 16);
    return this.#server.listen(this.#listener.share());
  }

  /** The history has more than before. */
  recorded(): void {
    this.#server.history.recorded();
  }

  /** The keeper goes away. */
  hangUp(): void {
    this.#server.close();
    this.#listener?.close();
    this.#listener = null;
  }

  close(): void {
    this.hangUp();
    rmSync(this.directory, { recursive: true, force: true });
  }

  put(spec: ServiceSpec, state: ServiceState, more: Partial<Service> = {}): void {
    this.#services.set(spec.name, { ...newService(spec, instant(0)), state, ...more });
  }

  /** The service goes into another state, and everybody who follows hears it. */
  move(name: string, state: ServiceState, what: What = { type: 'stopped' }): void {
    const service = this.#services.get(serviceName(name));
    if (service === undefined) throw new Error(`there is no ${name}`);
    const after = { ...service, state };
    this.#services.set(service.spec.name, after);
    const change = {
      service: service.spec.name,
      time: wallTime(NOW),
      generation: 1,
      from: service.state.name,
      wave: null,
      to: state.name,
      what,
    };
    this.#server.operations.tell([change], this.#services);
    this.#server.events.tell([change], this.#services);
    this.#server.tally.tell([change], this.#services);
  }

  /** The configuration has it no more. */
  drop(name: string): void {
    this.move(name, stopped(), { type: 'removed' });
    this.#services.delete(serviceName(name));
  }

  #outlook(): Outlook {
    return outlookOf(worldOf(this.#services));
  }

  status(): Status {
    const view = {
      now,
      outlook: this.#outlook(),
      bootWall: NOW - INSTANT,
      ticksPerSecond: 100,
      notEnforced: () => [],
    };
    return {
      version: 1,
      host: 'web1',
      time: new Date(NOW).toISOString(),
      keeper: {
        pid: 801,
        since: new Date(NOW - 7_200_000).toISOString(),
        version: '0.1.0',
        config: '/etc/upkeep/upkeep.yaml',
        owner: null,
        pending: false,
        without: [],
        problems: [],
        ...this.#options.keeper,
      },
      services: [...this.#services.values()].map((service) => statusOf(service, view)),
    };
  }
}

function obey(ask: Ask, name: string, keeper: FakeKeeper): void {
  if (ask.verb === 'start' || ask.verb === 'restart') keeper.move(name, running(900));
  else if (ask.verb === 'stop') keeper.move(name, stopped());
  else if (ask.verb === 'reload') keeper.move(name, running(900), { type: 'reloaded' });
}
