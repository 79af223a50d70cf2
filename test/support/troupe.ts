// What scenarios about coupled services look at: the order of starts and signals, how often each was started and charged,
// and which waves there were. Reads what a stage remembers, changes nothing.

import type { Change } from '../../src/core/change.js';
import { type ExitStatus, isSameProcess } from '../../src/core/process.js';
import type { Stage } from './stage.js';

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
