// docs/configuration.md: the reference page of all keys, written from the tables.

import { allKeys, defaultText, type KeyHelp } from './help.js';
import { serviceKeys } from './service-keys.js';
import type { Key, Keys } from './shape.js';

/** The page in Markdown. */
export function configurationReference(): string {
  const keys = allKeys().filter((key) => !isRepetition(key));
  const now = keys.filter((key) => key.key.presence !== 'later');
  const later = keys.filter((key) => key.key.presence === 'later');
  return `${[
    '# Configuration keys',
    '',
    '<!-- Generated from the tables in src/config (npx vitest run src/config/reference.test.ts -u); do not edit. -->',
    '',
    'Every key that a configuration file may hold. `upkeep help KEY` prints the same, `upkeep schema` gives it to editors.',
    'Durations are written `500ms`, `5s`, `1h30m` or `3d`, sizes `64K`, `10M` or `2G` (of 1024), rates `10 in 5m`;',
    '`umask` and `env` are taken as written, with or without quotes. `null` takes back what defaults or templates said.',
    '',
    'A command is one string, split into words as a shell would but run without one, or a list of arguments, or a map',
    '`{exec: COMMAND, timeout: 90s, user: www}`: `timeout` is how long it may run before it and what it started are ended',
    "(its default stands in the tables), `user` who runs it instead of the service's `user`. For pipes, variables and the",
    'like write `[sh, -c, "…"]`. In `hooks` alone a list is one of commands, since there may be several: `[[sh, -c, "…"], other command]`.',
    'A limit is one value, or `{soft: 1024, hard: 4096}`.',
    '',
    '## Top level',
    '',
    ...table(now.filter((key) => key.of === 'top level')),
    '',
    '## A service',
    '',
    'In `services`, `templates` and `defaults`. A service has exactly one of `run` (*supervised*: Upkeep starts it) and',
    '`watch` (*watched*: something else starts it).',
    '',
    ...table(now.filter((key) => key.of === 'service')),
    '',
    '## Not in this version yet',
    '',
    'These are refused with a message that says so, and never ignored.',
    '',
    ...later.map(({ path, key }) => `- \`${path}\`: ${inCell(key.doc)}`),
  ].join('\n')}\n`;
}

function table(keys: readonly KeyHelp[]): readonly string[] {
  return ['| key | write | default | meaning |', '| --- | --- | --- | --- |', ...keys.map(row)];
}

/** The options of commands and limits are the same everywhere, and told once. */
function isRepetition({ path, parent }: KeyHelp): boolean {
  const name = path.split('.').at(-1) ?? '';
  if (parent === null) return false;
  if (parent.soft !== undefined) return true;
  return isCommand(parent) ? COMMAND_KEYS.includes(name) : parent === serviceKeys.run.shape.keys;
}

const COMMAND_KEYS: readonly string[] = ['exec', 'timeout', 'user'];

/** A heartbeat has these keys too, but its `exec` is a command by itself. */
const isCommand = (keys: Keys): boolean =>
  keys.exec?.shape.keys === null && COMMAND_KEYS.every((name) => keys[name] !== undefined);

function defaultCell(key: Key<unknown>): string {
  const { keys } = key.shape;
  if (keys === null || !isCommand(keys) || key.default !== null) return defaultText(key);
  return `${defaultText(key)}; timeout ${keys.timeout === undefined ? '' : defaultText(keys.timeout)}`;
}

function row({ path, key }: KeyHelp): string {
  const only = key.only === null ? '' : ` (${key.only})`;
  return `| \`${path}\`${only} | ${inCell(key.shape.write)} | ${inCell(defaultCell(key))} | ${inCell(key.doc)} |`;
}

const inCell = (text: string): string => text.replaceAll('|', '\\|');
