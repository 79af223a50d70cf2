// `upkeep classes`: which classes are set on this host. Without a configuration the hard ones alone.

import { existsSync } from 'node:fs';
import { realHost } from '../config/host-facts.js';
import { fileOf, loadRight } from './check.js';
import { EXIT } from './exit.js';
import { hasFlag, textOf, type Verb } from './input.js';
import { printJson, printLines } from './print.js';

export const classes: Verb = async (input, ports) => {
  const { out } = ports.terminal;
  const file = fileOf(input, ports);
  const { hard } = realHost();
  const isThere = textOf(input, 'config') !== null || existsSync(file);
  const { set, unset } = isThere ? (await loadRight(input, ports, 'specs')).config.classes : { set: hard, unset: [] };
  const soft = set.filter((name) => !hard.includes(name));
  if (hasFlag(input, 'json')) {
    await printJson(out, { version: 1, hard, soft, unset });
    return EXIT.done;
  }
  await printLines(out, [
    `of the host:   ${hard.join(' ')}`,
    `set here:      ${soft.length === 0 ? 'none' : soft.join(' ')}`,
    `not set here:  ${unset.length === 0 ? 'none' : unset.join(' ')}`,
    ...(isThere ? [] : [`(there is no ${file}, which could declare more)`]),
  ]);
  return EXIT.done;
};
