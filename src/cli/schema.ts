// `upkeep schema`: what editors check a configuration with.

import { jsonSchema } from '../config/json-schema.js';
import { EXIT } from './exit.js';
import type { Verb } from './input.js';
import { printJson } from './print.js';

export const schema: Verb = async (_input, ports) => {
  await printJson(ports.terminal.out, jsonSchema());
  return EXIT.done;
};
