// Coupled services on a stage: how they come up together, and what scenarios look at: the order of starts and signals, how
// often each was started and charged, which waves there were, and whether all is over.

import { expect } from 'vitest';
import type { Change } from '../../src/core/change.js';
import { type ExitStatus, isSameProcess } from '../../src/core/process.js';
import type { ServiceSpec } from '../../src/core/spec.js';
import { lives, type Program, program, readyAfter } from './program.js';
import { Stage, type StageOptions } from './stage.js';

/** Each ready 20 ms after its start where nothing else is said, and all up for a minute, so that nothing waits for a delay. */
export function standing(
  specs: readonly ServiceSpec[],
  options: StageOptions = {},
  act: Program = program(lives, readyAfter(20)),
): Stage {
  const stage = new Stage(options);
  const names = specs.map(({ name }) => name);
  for (const name of names) stage.host.install(`/srv/${name}`, act);
  stage.addAll(specs);
  settle(stage, names);
  stage.run(60_000);
  return stage;
}

/** All is over: these run, nothing waits, no wave is open. */
export function rests(stage: Stage, names: readonly string[]): void {
  stage.run(60_000);
  for (const name of names) {
    expect([name, stage.state(name).name]).toEqual([name, 'running']);
    expect(stage.service(name).wave).toBeNull();
    expect(stage.service(name).missing).toEqual([]);
    expect(stage.mains(name)).toHaveLength(1);
  }
  expect(stage.problems).toEqual([]);
}

/** Everything is up. */
export function settle(stage: Stage, names: readonly string[]): void {
  stage.runUntil(() => names.every((name) => ['running', 'done'].includes(stage.state(name).name)));
}

/** Starts and signals since that effect, as `start NAME` and `SIGTERM NAME`; those given alone, else all. */
export function actsSince(stage: Stage, effect: number, only?: readonly string[]): readonly string[] {
  return stage.effects.slice(effect).flatMap((it) => {
    const name = 'spec' in it ? it.spec.name : it.service;
    if (only !== undefined && !only.includes(name)) return [];
    if (it.type === 'spawn' && (it.role === 'main' || it.role === 'start')) return [`start ${name}`];
    return it.type === 'signal' ? [`${it.signal} ${name}`] : [];
  });
}

/** How often each was started and how often that was charged to it. */
export function tally(stage: Stage, names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names.map((name) => [name, `${stage.spawns(name)} starts, ${stage.service(name).restarts.total} charged`]),
  );
}

/** What waves did, as `ORIGIN moves A, B; spares C (hold)`. */
export function waves(stage: Stage, since = 0): readonly string[] {
  return stage.changes.slice(since).flatMap(({ service, what }: Change) => {
    if (what.type !== 'waved') return [];
    const spares = what.spares.map((spared) => `${spared.service} (${spared.why})`);
    return [`${service} moves ${what.moves.join(', ')}${spares.length === 0 ? '' : `; spares ${spares.join(', ')}`}`];
  });
}

/** The wave of each move, without doubles: one for all that belong together. */
export function waveIds(stage: Stage, since = 0): readonly string[] {
  return [...new Set(stage.changes.slice(since).flatMap(({ wave }) => (wave === null ? [] : [wave])))];
}

/** The main process ends by itself. */
export function endMain(stage: Stage, name: string, status: ExitStatus | 'SIGKILL' | 'SIGSEGV' | 0 | 1): void {
  const process = stage.main(name);
  const exact: ExitStatus =
    typeof status === 'number'
      ? { type: 'exited', code: status }
      : typeof status === 'string'
        ? { type: 'signaled', signal: status, coreDumped: false }
        : status;
  stage.host.end(process, exact);
}

/** Is this still the process that it was? */
export function isUntouched(stage: Stage, name: string, was: ReturnType<Stage['main']>): boolean {
  return stage.mains(name).length === 1 && isSameProcess(stage.main(name).ref, was.ref);
}
