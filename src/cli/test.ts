// `upkeep test NAME [HEARTBEAT]`: asks the heartbeats of a service now, and shows each step with its time. The exit code is 0
// where all were good.

import { call } from '../control/client.js';
import { isDocument } from '../control/client-document.js';
import type { TestDocument } from '../core/status.js';
import { CommandError, EXIT, usageError } from './exit.js';
import { durationOf, hasFlag, textOf, type Verb } from './input.js';
import { bodyOf, type Keeper, reachAndWarn, servicesFor, understood } from './keeper-link.js';
import { painter } from './paint.js';
import { printJson, printLines } from './print.js';
import { progressLine } from './progress-line.js';
import type { Terminal } from './terminal.js';
import { testLines } from './test-view.js';

export const test: Verb = async (input, ports) => {
  const { terminal } = ports;
  const [name, heartbeat = null, ...more] = input.words;
  if (name === undefined || more.length > 0)
    throw usageError('it is `upkeep test NAME [HEARTBEAT]`: one service, and one of its heartbeats or all');
  // The keeper reads it; what is no duration is said before anybody is asked.
  durationOf(input, 'timeout');
  const keeper = await reachAndWarn(input, ports);
  const services = await servicesFor({ ...input, words: [name] }, keeper, 'refuse');
  const body = { heartbeat, timeout: textOf(input, 'timeout') };
  const names = services.map((service) => service.name);
  const documents = await askAll(keeper, names, body, terminal);
  if (hasFlag(input, 'json'))
    await printJson(terminal.out, documents.length === 1 ? documents[0] : together(documents));
  else {
    const paint = painter(terminal.out.colours);
    const blocks = documents.map((document) => testLines(document, terminal.out.columns(), paint));
    await printLines(
      terminal.out,
      blocks.flatMap((lines, index) => (index === 0 ? lines : ['', ...lines])),
    );
  }
  const isGood = documents.every(({ answers }) => answers.every(({ result }) => result === 'good'));
  return isGood ? EXIT.done : EXIT.failed;
};

const together = (services: readonly TestDocument[]) => ({ version: 1, services });

interface Body {
  readonly heartbeat: string | null;
  readonly timeout: string | null;
}

async function askAll(
  keeper: Keeper,
  names: readonly string[],
  body: Body,
  { err, onInterrupt }: Terminal,
): Promise<readonly TestDocument[]> {
  const line = progressLine(err);
  line.show(`asking ${names.join(', ')} …`);
  const giveUp = new AbortController();
  const stopListening = onInterrupt(() => giveUp.abort());
  try {
    return await Promise.all(names.map((name) => ask(keeper, name, body, giveUp.signal)));
  } finally {
    stopListening();
    await line.clear();
  }
}

async function ask({ places }: Keeper, name: string, body: Body, signal: AbortSignal): Promise<TestDocument> {
  // Each question has a deadline of its own: the keeper answers in the end.
  const path = `/v1/services/${encodeURIComponent(name)}/test`;
  const answer = await call({ socket: places.socket, method: 'POST', path, body, patience: 0, signal });
  if (signal.aborted) throw new CommandError(EXIT.underWay, 'no longer waiting for the answer');
  return understood(bodyOf(answer, places), isTest);
}

const isTest = (body: unknown): body is TestDocument => isDocument(body, 'answers');
