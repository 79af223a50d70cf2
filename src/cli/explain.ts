// `upkeep explain`: the effective settings of a service, each with its origin, and its time budget, from the file.

import { explain, explanationLines } from '../config/explain.js';
import { didYouMean } from '../config/suggest.js';
import { fileOf, loadRight } from './check.js';
import { EXIT, usageError } from './exit.js';
import { hasFlag, type Verb } from './input.js';
import { printJson, printLines } from './print.js';

export const explainService: Verb = async (input, ports) => {
  const { out } = ports.terminal;
  const name = input.words[0] ?? '';
  const { config, settings } = await loadRight(input, ports, 'settings');
  const spec = config.specs.find((one) => one.name === name || one.pool?.name === name);
  if (spec === undefined) {
    const other = config.elsewhere.find((one) => one.name === name);
    if (other !== undefined) throw usageError(`${name} is not for this host: ${other.reason}`);
    const near = didYouMean(
      name,
      config.specs.map((one) => one.name),
    );
    throw usageError(`there is no service ${name} in ${fileOf(input, ports)}${near}`);
  }
  const explanation = explain(name, spec, settings[name] ?? []);
  if (hasFlag(input, 'json')) await printJson(out, { version: 1, ...explanation });
  else await printLines(out, explanationLines(explanation));
  return EXIT.done;
};
