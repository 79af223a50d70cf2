// `upkeep init`: writes a configuration to begin with, and never over one that is there.

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { initText } from '../config/init.js';
import { errorCode, errorText } from '../core/status.js';
import { fileOf } from './check.js';
import { daemonsHere } from './daemons.js';
import { CommandError, EXIT } from './exit.js';
import type { Verb } from './input.js';
import { printLines } from './print.js';

export const init: Verb = async (input, ports) => {
  const path = fileOf(input, ports);
  const daemons = daemonsHere();
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await writeFile(path, initText(daemons), { flag: 'wx', mode: 0o644 });
  } catch (error) {
    throw new CommandError(EXIT.failed, whyNot(path, error));
  }
  const found = daemons.length === 0 ? '' : ` with ${daemons.map(({ name }) => name).join(', ')}, found running here`;
  await printLines(ports.terminal.out, [
    `wrote ${path}${found}; edit it, try it with \`upkeep check ${path}\`, then \`upkeep run\``,
  ]);
  return EXIT.done;
};

function whyNot(path: string, error: unknown): string {
  const code = errorCode(error);
  if (code === 'EEXIST') return `${path} is there already, and is left as it is; name another FILE`;
  if (code === 'EACCES' || code === 'EROFS')
    return `${path} cannot be written by this user (${code}); name another FILE`;
  return `${path} cannot be written: ${errorText(error)}`;
}
