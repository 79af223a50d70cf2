// A failed play as a person needs it: the rule that was broken, the shortest schedule that breaks it, and how to see it again.

import { seeded } from '../support/random.js';
import { type Action, schedule } from './action.js';
import { play, type Verdict } from './play.js';
import { shrink } from './shrink.js';

type Failed = Extract<Verdict, { readonly type: 'failed' }>;

/** The rule without the names and numbers of this one case. */
export function ruleOf(failed: Failed): string {
  return (failed.rule.split('\n')[0] ?? '')
    .replaceAll(/\{"name":"(\w+)".*?("phase":"\w+"|"why":"\w+"|"for":"\w+")?.*\}/g, '$1 $2')
    .replace(/^(nobody was told of entry).*/, '$1')
    .replaceAll(/\b(run|watch)\d+/g, 'a service')
    .replaceAll(/\d+/g, 'N');
}

/** The failure of this seed, shortened to what breaks the same rule. */
export function failureOf(seed: number, steps: number, failed: Failed): string {
  const all = schedule(seeded(seed), steps);
  const chosen = (part: readonly number[]): readonly Action[] => part.flatMap((index) => all[index] ?? []);
  const failsAlike = (part: readonly number[]): boolean => {
    const verdict = play(seed, chosen(part));
    return verdict.type === 'failed' && ruleOf(verdict) === ruleOf(failed);
  };
  const short = shrink([...all.keys()], failsAlike);
  return [
    `seed ${seed}: ${failed.rule}`,
    `shortened to ${short.length} of ${steps} steps:`,
    ...chosen(short).map((action) => `  ${JSON.stringify(action)}`),
    `again: npm run simulate -- --seed ${seed} --steps ${steps} --keep ${short.join(',')}`,
  ].join('\n');
}
