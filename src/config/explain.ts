// `upkeep explain`: the effective settings of a service, each with its origin, and its time budget; as lines or JSON.

import type { ServiceSpec } from '../core/spec.js';
import { budgetOf } from './budget.js';
import type { BudgetStep } from './budget-step.js';
import type { Setting } from './setting.js';

export interface Explanation {
  readonly name: string;
  readonly kind: 'supervised' | 'watched';
  readonly settings: readonly Setting[];
  readonly budget: readonly BudgetStep[];
}

/** Plain data, as `--json` prints it. `name`: as it was asked for; that of a pool means what its members have in common. */
export const explain = (name: string, spec: ServiceSpec, settings: readonly Setting[]): Explanation => ({
  name,
  kind: spec.kind.type,
  settings,
  budget: budgetOf(spec),
});

const WIDEST_VALUE = 60;

/** The lines for people. */
export function explanationLines({ name, kind, settings, budget }: Explanation): readonly string[] {
  const keyWidth = Math.max(0, ...settings.map((setting) => setting.key.length));
  const valueWidth = Math.max(0, ...settings.map((setting) => Math.min(setting.value.length, WIDEST_VALUE)));
  const rows = settings.map(
    ({ key, value, origin }) => `  ${key.padEnd(keyWidth)}  ${value.padEnd(valueWidth)}  ${origin}`,
  );
  return [`${name} (${kind})`, ...rows, '', 'Time budget', ...budget.map((step) => `  ${step.text}`)];
}
