// `upkeep match`: what a watch would find here, and why not the others.

import { EXIT, usageError } from './exit.js';
import { hasFlag, type Verb } from './input.js';
import { type Colour, type Paint, painter } from './paint.js';
import type { MatchedProcess, MatchReport } from './ports.js';
import { printJson, printLines } from './print.js';
import { tableOf } from './table.js';
import { printable } from './text-width.js';

export const match: Verb = async (input, ports) => {
  const { out } = ports.terminal;
  const answer = await ports.match(input.words[0] ?? '');
  if (answer.type === 'bad') throw usageError(answer.problem);
  const { report } = answer;
  if (hasFlag(input, 'json')) await printJson(out, { version: 1, ...report });
  else await printLines(out, matchLines(report, out.columns(), painter(out.colours)));
  return report.main.type === 'one' ? EXIT.done : EXIT.failed;
};

/** The verdict first, then each process with its reason. */
export function matchLines(report: MatchReport, columns: number | null, paint: Paint): readonly string[] {
  const { processes, unseen } = report;
  const rows = processes.map(({ pid, user, command, part, why }) => [
    { text: PARTS[part], colour: COLOURS[part] },
    { text: String(pid), colour: null },
    { text: printable(user), colour: null },
    { text: printable(command), colour: null },
    { text: printable(why), colour: null },
  ]);
  const titles = [
    { title: '', least: null },
    { title: 'PID', least: null },
    { title: 'USER', least: null },
    { title: 'COMMAND', least: 16 },
    { title: 'WHY', least: 24 },
  ];
  const table = rows.length === 0 ? [] : ['', ...tableOf(titles, rows, columns, paint)];
  const sight = unseen === null ? [] : ['', `not everything could be seen: ${unseen}`];
  return [paint('bold', verdict(report)), ...table, ...sight];
}

function verdict({ understood, main }: MatchReport): string {
  switch (main.type) {
    case 'one':
      return `${understood}: would watch pid ${main.pid}`;
    case 'none':
      return `${understood}: nothing matches`;
    case 'ambiguous':
      return `${understood}: ambiguous: ${main.pids.join(', ')}; narrow with pidFile or user`;
  }
}

const PARTS: Readonly<Record<MatchedProcess['part'], string>> = {
  main: 'main',
  below: 'below it',
  rival: 'rival',
  other: 'no',
};
const COLOURS: Readonly<Record<MatchedProcess['part'], Colour | null>> = {
  main: 'green',
  below: null,
  rival: 'red',
  other: 'dim',
};
