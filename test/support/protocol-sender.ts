// A service of a check that says what it is told to (sd-notify-sender.py), and a look at it after each word.

import { type Kept, PYTHON, program, type Seen, told, touch } from './protocol-check.js';

export type Step = Readonly<Record<string, unknown>>;

export const SENDER = program('sd-notify-sender.py');

/** The same in the place of each check: nobody may enter the directory of this file, perhaps. */
export const OWN_SENDER = 'sender.py';

/** The service is this from then on; single quotes of the shell have no meaning inside. */
export const becomes = (...steps: readonly Step[]): string => `exec ${PYTHON} ${OWN_SENDER} '${JSON.stringify(steps)}'`;

/** Says one after the other, and waits after each until somebody has looked. */
export const inTurn = (steps: readonly Step[]): readonly Step[] =>
  steps.flatMap((step, i) => [step, { barrier: `heard-${i}` }, { wait: `next-${i}` }]);

/** What is seen after each of these steps. */
export async function turns(kept: Kept, count: number): Promise<readonly Seen[]> {
  const seen: Seen[] = [];
  for (let i = 0; i < count; i++) {
    await told(kept, `heard-${i}`);
    seen.push(await kept.look());
    touch(kept, `next-${i}`);
  }
  return seen;
}
