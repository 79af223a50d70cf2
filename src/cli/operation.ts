// An operator's act on several services: asked for in parallel, each followed until it is done, refused or out of time.
// Knows how to talk to the keeper, not to people.

import { call } from '../control/client.js';
import { CommandError, EXIT, type ExitCode } from './exit.js';
import { fieldsOf, wordOf } from './keeper-facts.js';
import { type Keeper, reasonText } from './keeper-link.js';

/** What came of the ask of one service. `unasked`: the watching ended before it was asked. */
export interface Outcome {
  readonly service: string;
  readonly verb: string;
  /** The keeper's number for it; null where it was refused at the door. */
  readonly id: string | null;
  readonly progress: { readonly type: 'pending' | 'done' | 'failed' | 'unasked'; readonly text: string };
}

export interface Act {
  readonly keeper: Keeper;
  readonly services: readonly string[];
  readonly verb: string;
  readonly body: unknown;
  /** `no`: as soon as it is asked. `ms`: so long at most; null for ever. */
  readonly wait: 'no' | { readonly ms: number | null };
  readonly uid: number;
  readonly onOutcome: (outcome: Outcome) => void;
  /** Ends the watching, not the act. */
  readonly signal: AbortSignal;
}

// The server takes 32 connections of an ordinary user and 512 in all, and others want to talk to it too.
const atOnce = (uid: number): number => (uid === 0 ? 200 : 20);

/** What `wait` of the protocol means by "for ever": the longest that a timer of the keeper holds, 24 days. */
const FOR_EVER = '24d';

/** Asks for all; resolves when each has an outcome. Never rejects for what the keeper answers. @throws CommandError 4 when it goes away */
export async function carryOut(act: Act): Promise<readonly Outcome[]> {
  const outcomes: (Outcome | undefined)[] = act.services.map(() => undefined);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < act.services.length) {
      const index = next;
      next += 1;
      const service = act.services[index] ?? '';
      const outcome = act.signal.aborted ? unasked(act, service) : await askFor(act, service);
      outcomes[index] = outcome;
      act.onOutcome(outcome);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce(act.uid), act.services.length) }, work));
  return outcomes.filter((outcome) => outcome !== undefined);
}

/** 1 wins: what failed has failed, whatever is still on its way. */
export function codeOf(outcomes: readonly Outcome[], wait: Act['wait']): ExitCode {
  if (outcomes.some(({ progress }) => progress.type === 'failed')) return EXIT.failed;
  const isOpen = outcomes.some(({ progress }) => progress.type === 'pending' || progress.type === 'unasked');
  return isOpen && wait !== 'no' ? EXIT.underWay : EXIT.done;
}

async function askFor({ keeper, verb, body, wait, signal }: Act, service: string): Promise<Outcome> {
  const { socket } = keeper.places;
  const query = wait === 'no' ? '' : `?wait=${wait.ms === null ? FOR_EVER : `${wait.ms}ms`}`;
  const path = `/v1/services/${encodeURIComponent(service)}/${verb}${query}`;
  const answer = await call({ socket, method: 'POST', path, body, patience: 0, signal });
  switch (answer.type) {
    case 'ok':
      return outcomeIn(answer.body, service, verb);
    case 'error':
      return { service, verb, id: null, progress: { type: 'failed', text: answer.message } };
    case 'no-keeper':
      if (signal.aborted) return { service, verb, id: null, progress: { type: 'pending', text: 'asked' } };
      throw new CommandError(
        EXIT.noKeeper,
        `the keeper went away while it was asked to ${verb} ${service} (${reasonText(answer.reason)}); \`upkeep status\` says how it is`,
      );
  }
}

function outcomeIn(body: unknown, service: string, verb: string): Outcome {
  const { id, progress } = fieldsOf(body);
  const { type, text } = fieldsOf(progress);
  const known = type === 'done' || type === 'failed' ? type : 'pending';
  return { service, verb, id: typeof id === 'string' ? id : null, progress: { type: known, text: wordOf(text) } };
}

const unasked = ({ verb }: Act, service: string): Outcome => ({
  service,
  verb,
  id: null,
  progress: { type: 'unasked', text: 'not asked' },
});
