// The commands at a glance: `upkeep help`, and below the status of a bare `upkeep`. Pure.

import { commands, type Group } from './commands.js';

const TITLES: readonly (readonly [Group, string])[] = [
  ['keeper', 'The keeper'],
  ['look', 'Look'],
  ['act', 'Act on services'],
  ['configuration', 'Configuration'],
  ['more', 'More'],
];

/** Every command with one line about it. */
export function overviewLines(): readonly string[] {
  const usages = commands.map(({ name, words }) => [name, ...words.map(({ usage }) => usage)].join(' '));
  const width = Math.max(...usages.map((usage) => usage.length));
  const lines = TITLES.flatMap(([group, title]) => [
    '',
    `${title}:`,
    ...commands.flatMap((command, index) =>
      command.group === group ? [`  ${(usages[index] ?? '').padEnd(width)}  ${command.summary}`] : [],
    ),
  ]);
  return [
    'Usage: upkeep COMMAND [...]',
    ...lines,
    '',
    'NAMEs are names of services, globs, @tag, or --all. `upkeep COMMAND --help` says more, `upkeep help KEY` explains',
    'a key of the configuration.',
  ];
}

/** Those to know first. */
export const fewLines: readonly string[] = [
  'upkeep status NAME        one service, with its last death',
  'upkeep why NAME           why it is as it is, and how it died',
  'upkeep logs -f NAME       what it prints',
  'upkeep restart NAME       also start, stop, reload, hold',
  'upkeep check              is the configuration right? then plan, apply',
  'upkeep help               all commands',
];
