// Hand-overs on a stage: services that overlap, and invariant R of docs/graceful.md in one place: whatever a hand-over that came to
// nothing may have met, the old generation is as it was, whoever asked knows why, and nothing of the attempt is left.

import { expect } from 'vitest';
import type { Verb } from '../../src/core/event.js';
import { type Progress, progressOf } from '../../src/core/operation.js';
import { outlookOf } from '../../src/core/outlook.js';
import type { ServiceSpec } from '../../src/core/spec.js';
import type { Handover, Service } from '../../src/core/state.js';
import { worldOf } from '../../src/core/world.js';
import { command, supervised } from './builders.js';
import { exitsAfter, handsOver, type Program, program, readyAfter } from './program.js';
import type { SimulatedProcess } from './simulated-host.js';
import { Stage, type StageOptions } from './stage.js';

/** A service that is replaced beside itself, and says so when it is ready. */
export const overlapping = (wish: Parameters<typeof supervised>[0] = {}): ServiceSpec =>
  supervised({
    ready: { probe: { type: 'notify' } },
    notifyAccess: 'main',
    ...wish,
    handover: { mode: 'overlap', ...wish?.handover },
  });

/** Knows the hand-over channel, and is ready 50 ms after it has all that it needs. */
export const polite: Program = program(handsOver(), readyAfter(50));

const succeeds = program(exitsAfter(10, 0));

/** It runs, and has for a minute. `next`: what later starts are. `commands`: what its commands are, as /srv/NAME; those that are not named succeed. */
export function serving(
  spec: ServiceSpec = overlapping(),
  first: Program = polite,
  next: readonly Program[] = [],
  commands: Readonly<Record<string, readonly Program[]>> = {},
  options: StageOptions = {},
): Stage {
  const stage = new Stage(options);
  for (const role of ['pre', 'post', 'bye', 'gone']) stage.host.install(`/srv/${role}`, succeeds);
  for (const [name, programs] of Object.entries(commands)) stage.host.install(`/srv/${name}`, ...programs);
  const file = spec.kind.type === 'supervised' ? (spec.kind.run.argv[0] ?? '') : '';
  stage.host.install(file, first, ...(next.length === 0 ? [first] : next));
  stage.add(spec);
  stage.runUntilState(spec.name, 'running');
  stage.run(60_000);
  return stage;
}

/** Commands before and after a start, and a socket: with them a hand-over passes through every phase. */
export const thorough = (wish: Parameters<typeof supervised>[0] = {}): ServiceSpec =>
  overlapping({
    hooks: { beforeStart: [command('/srv/pre')], afterStart: [command('/srv/post')] },
    sockets: [http],
    fdStore: 4,
    ...wish,
  });

export const http: ServiceSpec['sockets'][number] = {
  ...{ name: 'http', address: { type: 'tcp', host: null, port: 80 }, backlog: 4096 },
  ...{ lazy: 'no', freebind: 'no', reusePort: 'no' },
};

export const phases = ['preparing', 'before', 'launching', 'warming', 'transfer', 'verdict', 'after'] as const;

/** A restart is asked for, and is in this phase now. */
export function reach(stage: Stage, phase: Handover['phase'], name = 'web'): void {
  stage.ask(name, 'restart');
  for (let tries = 0; tries < 10_000; tries++) {
    const { state } = stage.service(name);
    if (state.name === 'handover' && state.phase === phase) return;
    stage.run(1);
  }
  throw new Error(`it never came to ${phase}: ${stage.describe()}`);
}

/** The new generation of the hand-over under way. */
export function successorOf(stage: Stage, name = 'web'): SimulatedProcess {
  const { state } = stage.service(name);
  const process = state.name === 'handover' && state.successor !== null ? stage.host.find(state.successor) : null;
  if (process === null) throw new Error(`there is no successor: ${stage.describe()}`);
  return process;
}

/** How things stand before a hand-over. */
export interface Standing {
  readonly service: Service;
  readonly main: SimulatedProcess;
  readonly stored: readonly string[];
  readonly changes: number;
  readonly received: number;
}

export const standingOf = (stage: Stage, name = 'web'): Standing => ({
  service: stage.service(name),
  main: stage.serving(name),
  stored: stage.kernel.keeping.stored(name),
  changes: stage.changes.length,
  received: stage.serving(name).received.length,
});

/** What came of an ask since then. */
export function progressSince(stage: Stage, { changes }: Standing, verb: Verb = 'restart', name = 'web'): Progress {
  const { services } = stage.keeper;
  const mine = stage.changes.slice(changes).filter(({ service }) => service === name);
  return progressOf(verb, mine, services.get(name) ?? null, stage.clock.now(), outlookOf(worldOf(services)));
}

/** Invariant R, at the moment of the end of the attempt and once what was dismissed has gone. `reason`: what the requester is told. */
export function expectUndone(stage: Stage, was: Standing, reason: RegExp | string, name = 'web'): void {
  expect(stage.problems).toEqual([]);
  expectSame(stage, was, name);
  expect(stage.service(name).draining.every(({ why }) => why === 'refused')).toBe(true);
  const progress = progressSince(stage, was, 'restart', name);
  expect(progress.type).toBe('failed');
  expect(progress.text).toMatch(reason);
  const told = stage.changes.slice(was.changes).filter((change) => change.service === name);
  expect(told.map(({ what }) => what.type)).not.toContain('died');
  expect(told.map(({ what }) => what.type)).not.toContain('startFailed');
  expect(told.filter(({ what }) => what.type === 'handoverRefused')).toHaveLength(1);

  stage.runUntil(() => stage.service(name).draining.length === 0);
  stage.run(100);
  expectSame(stage, was, name);
  expect(stage.mains(name).map(({ ref }) => ref)).toEqual([was.main.ref]);
  expect(stage.kernel.keeping.apart(name)).toBe(0);

  const refusals = stage.happened(name, 'refused').length;
  stage.ask(name, 'restart');
  expect(stage.happened(name, 'refused')).toHaveLength(refusals);
  expect(stage.state(name).name).toBe('handover');
}

/** The old generation is the service, under its old definition, with everything that was remembered of it. */
function expectSame(stage: Stage, { service, main, stored, received }: Standing, name: string): void {
  const now = stage.service(name);
  expect(now.state).toEqual(service.state);
  expect([now.generation, now.restarts, now.spec, now.next]).toEqual([
    service.generation,
    service.restarts,
    service.spec,
    null,
  ]);
  expect([now.lastDeath, now.rest, now.wave, now.said]).toEqual([
    service.lastDeath,
    service.rest,
    service.wave,
    service.said,
  ]);
  expect(now.health.map(({ verdict }) => verdict)).toEqual(service.health.map(({ verdict }) => verdict));
  expect([main.life, main.received.length]).toEqual(['alive', received]);
  expect(stage.kernel.speech.isStill(main.ref)).toBe(false);
  expect(stage.kernel.speech.accepting(name)).toEqual([main]);
  expect(stage.kernel.keeping.stored(name)).toEqual(stored);
  expect(stage.kernel.keeping.areOpen(now.spec)).toBe(now.spec.sockets.length > 0);
  expect(stage.kernel.speech.stateFiles.has(name)).toBe(false);
}
