// `npm run simulate -- --seeds 1000 [--seed 1] [--steps 60] [--keep 1,5,7]`: many seeds in one process, the first
// failure shortened. `--seed S --keep …` plays that failure again and prints all that was seen.

import { parseArgs } from 'node:util';
import { seeded } from '../support/random.js';
import { schedule } from './action.js';
import { failureOf, ruleOf } from './failure.js';
import { play } from './play.js';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    steps: { type: 'string', default: '60' },
    keep: { type: 'string' },
  },
});

const first = Number(values.seed);
const steps = Number(values.steps);

if (values.keep === undefined) process.exitCode = explore(Number(values.seeds));
else process.exitCode = again(values.keep === '' ? [] : values.keep.split(',').map(Number));

/** Tells of each broken rule once, with the first seed that broke it, and how many seeds did. */
function explore(seeds: number): number {
  const began = Date.now();
  const counts = new Map<string, number>();
  for (let seed = first; seed < first + seeds; seed++) {
    const verdict = play(seed, schedule(seeded(seed), steps));
    if (verdict.type === 'passed') continue;
    const rule = ruleOf(verdict);
    if (!counts.has(rule)) console.error(`${failureOf(seed, steps, verdict)}\n`);
    counts.set(rule, (counts.get(rule) ?? 0) + 1);
  }
  for (const [rule, count] of counts) console.error(`${count} of ${seeds} seeds: ${rule}`);
  if (counts.size === 0)
    console.log(`${seeds} seeds of ${steps} steps passed in ${((Date.now() - began) / 1000).toFixed(1)} s`);
  return counts.size === 0 ? 0 : 1;
}

function again(keep: readonly number[]): number {
  const all = schedule(seeded(first), steps);
  const verdict = play(
    first,
    keep.flatMap((index) => all[index] ?? []),
    (line) => console.log(line),
  );
  console.log(verdict.type === 'passed' ? 'passed' : `\n${verdict.rule}`);
  return verdict.type === 'passed' ? 0 : 1;
}
