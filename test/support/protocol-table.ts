// The tables of docs/systemd.md: what the checks have found under both, and where the two are not of one mind, with the reason.

import type { Check, Findings } from './protocol-check.js';

export interface Row {
  readonly cites: string;
  readonly looked: string;
  readonly systemd: string;
  readonly upkeep: string;
  /** null: none is given. */
  readonly why: string | null;
}

export const rowsOf = ({ cites, differs = {} }: Check, systemd: Findings, upkeep: Findings): readonly Row[] =>
  [...new Set([...Object.keys(systemd), ...Object.keys(upkeep), ...Object.keys(differs)])].map((looked) => ({
    cites,
    looked,
    systemd: systemd[looked] ?? 'not found',
    upkeep: upkeep[looked] ?? 'not found',
    why: differs[looked] ?? null,
  }));

export const agrees = ({ systemd, upkeep }: Row): boolean => systemd === upkeep;

export function printed(rows: readonly Row[]): string {
  const same = rows.filter(agrees).map(({ cites, looked, systemd }) => [cites, looked, systemd]);
  const other = rows
    .filter((row) => !agrees(row))
    .map(({ cites, looked, systemd, upkeep, why }) => [cites, looked, systemd, upkeep, why ?? '']);
  return `Where they differ, on purpose:

${table(['case', 'what is looked at', 'systemd 252', 'Upkeep', 'why'], other)}
Found under both:

${table(['case', 'what is looked at', 'found'], same)}`;
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
