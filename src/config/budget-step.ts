// One step of a time budget, and the lengths that budgets are added up from. null is always: without end.

import type { Command, ServiceSpec } from '../core/spec.js';
import { type Millis, millis } from '../core/time.js';
import { durationText } from './quantity.js';

export interface BudgetStep {
  /** Stable, for scripts. */
  readonly step:
    | 'notice'
    | 'grace'
    | 'settle'
    | 'first-delay'
    | 'longest-delay'
    | 'before-start'
    | 'start'
    | 'ready'
    | 'after-start'
    | 'before-stop'
    | 'stop'
    | 'after-stop'
    | 'worst-restart'
    | 'transfer'
    | 'drain'
    | 'watchdog'
    | 'hang';
  /** The longest it takes; null: without end. */
  readonly ms: Millis | null;
  /** For people. */
  readonly text: string;
}

export const beforeStart = ({ hooks }: ServiceSpec): readonly Command[] =>
  hooks.condition === null ? hooks.beforeStart : [hooks.condition, ...hooks.beforeStart];

export const timeOf = (commands: readonly Command[]): Millis | null => sum(commands.map(({ timeout }) => timeout));

export const within = (ms: Millis | null, what: string): string =>
  `${ms === null ? 'no limit' : `${durationText(ms)} at most`} ${what}`;

export const sum = (parts: readonly (Millis | null)[]): Millis | null =>
  parts.reduce<Millis | null>(
    (total, part) => (total === null || part === null ? null : millis(total + part)),
    millis(0),
  );

/** How long its stop may take by its settings. */
export function stopTime({ kind }: ServiceSpec): Millis | null {
  if (kind.stop.type === 'ladder') return sum(kind.stop.rungs.map((rung) => rung.wait));
  return kind.stop.command.timeout;
}
