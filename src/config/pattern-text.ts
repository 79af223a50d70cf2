// `upkeep match PATTERN`: what stands behind `watch:`, given on a command line. One word, or a map as YAML writes it on a line.

import type { Pattern } from '../core/pattern.js';
import { gatherProblems, type Problem } from './problem.js';
import { watch } from './watch.js';
import { readTree } from './yaml.js';

/** The pattern, or all that is wrong with it. */
export function readPattern(
  text: string,
):
  | { readonly type: 'ok'; readonly pattern: Pattern }
  | { readonly type: 'bad'; readonly problems: readonly Problem[] } {
  const problems = gatherProblems();
  const tree = readTree('PATTERN', text, problems);
  const pattern =
    tree === undefined
      ? undefined
      : watch.read(watch.complete(watch.expand(tree), 'watched'), { problems, key: '', mode: 'whole' });
  return pattern === undefined ? { type: 'bad', problems: problems.found() } : { type: 'ok', pattern };
}
