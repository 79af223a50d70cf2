// An operator's act on several services: asked for as one, each followed until it is done, refused or out of time. Knows how
// to talk to the keeper, not to people.

import { call } from '../control/client.js';
import { CommandError, EXIT, type ExitCode } from './exit.js';
import { fieldsOf, listOf, wordOf } from './keeper-facts.js';
import { bodyOf, type Keeper, reasonText } from './keeper-link.js';

/** What came of the ask of one service. */
export interface Outcome {
  readonly service: string;
  readonly verb: string;
  /** The keeper's number for it; null where it was refused at the door. */
  readonly id: string | null;
  readonly progress: { readonly type: 'pending' | 'done' | 'failed'; readonly text: string };
}

export interface Act {
  readonly keeper: Keeper;
  readonly services: readonly string[];
  readonly verb: string;
  readonly body: Readonly<Record<string, unknown>>;
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

/** Asks for all; resolves when each has an outcome. Never rejects for what the keeper answers of one. @throws CommandError 1, 4 */
export async function carryOut(act: Act): Promise<readonly Outcome[]> {
  const outcomes = [...(await askAll(act))];
  const until = act.wait === 'no' || act.wait.ms === null ? null : performance.now() + act.wait.ms;
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < outcomes.length) {
      const index = next;
      next += 1;
      const asked = outcomes[index];
      if (asked === undefined) continue;
      const isOpen = asked.progress.type === 'pending' && act.wait !== 'no' && !act.signal.aborted;
      const outcome = isOpen ? await followed(act, asked, until) : asked;
      outcomes[index] = outcome;
      act.onOutcome(outcome);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce(act.uid), outcomes.length) }, work));
  return outcomes;
}

/** 1 wins: what failed has failed, whatever is still on its way. */
export function codeOf(outcomes: readonly Outcome[], wait: Act['wait']): ExitCode {
  if (outcomes.some(({ progress }) => progress.type === 'failed')) return EXIT.failed;
  const isOpen = outcomes.some(({ progress }) => progress.type === 'pending');
  return isOpen && wait !== 'no' ? EXIT.underWay : EXIT.done;
}

/** What of them is coupled moves together: which one is asked first says nothing. */
async function askAll({ keeper, services, verb, body }: Act): Promise<readonly Outcome[]> {
  const { socket } = keeper.places;
  const wish = { ...body, verb, services };
  const answer = await call({ socket, method: 'POST', path: '/v1/services', body: wish, patience: 0 });
  if (answer.type === 'no-keeper') throw wentAway(verb, answer.reason);
  return listOf(fieldsOf(bodyOf(answer, keeper.places)).operations).map((one) => outcomeIn(one, verb));
}

async function followed({ keeper, verb, signal }: Act, asked: Outcome, until: number | null): Promise<Outcome> {
  const { socket } = keeper.places;
  const wait = until === null ? FOR_EVER : `${Math.max(0, Math.ceil(until - performance.now()))}ms`;
  const path = `/v1/operations/${encodeURIComponent(asked.id ?? '')}?wait=${wait}`;
  const answer = await call({ socket, method: 'GET', path, patience: 0, signal });
  switch (answer.type) {
    case 'ok':
      return outcomeIn(answer.body, verb);
    case 'error':
      return { ...asked, progress: { type: 'failed', text: answer.message } };
    case 'no-keeper':
      if (signal.aborted) return asked;
      throw wentAway(`${verb} ${asked.service}`, answer.reason);
  }
}

const wentAway = (asked: string, reason: string): CommandError =>
  new CommandError(
    EXIT.noKeeper,
    `the keeper went away while it was asked to ${asked} (${reasonText(reason)}); \`upkeep status\` says how it is`,
  );

function outcomeIn(body: unknown, verb: string): Outcome {
  const { id, service, progress } = fieldsOf(body);
  const { type, text } = fieldsOf(progress);
  const known = type === 'done' || type === 'failed' ? type : 'pending';
  return {
    service: wordOf(service),
    verb,
    id: typeof id === 'string' ? id : null,
    progress: { type: known, text: wordOf(text) },
  };
}
