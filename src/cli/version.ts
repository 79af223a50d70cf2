// `upkeep version`.

import { EXIT } from './exit.js';
import type { Verb } from './input.js';
import { printLines } from './print.js';

export const version: Verb = async (_input, ports) => {
  await printLines(ports.terminal.out, [`upkeep ${ports.version}`]);
  return EXIT.done;
};
