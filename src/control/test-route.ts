// POST /v1/services/NAME/test: asks the heartbeats of a service now, and answers what they say, with each step. Changes nothing:
// such an answer counts for no verdict. Knows no askers but by their port.

import type { HeartbeatSpec } from '../core/heartbeat.js';
import type { TestAnswer, TestDocument } from '../core/heartbeat-test.js';
import { listOf } from '../core/message.js';
import type { Answer, AskStep } from '../core/question.js';
import { questionInWords } from '../core/question-text.js';
import { isHeld, type Service, type ServiceSet } from '../core/state.js';
import { millis, tenths } from '../core/time.js';
import { ControlError } from './control-error.js';
import { parseDuration } from './duration.js';

export interface TestParts {
  readonly services: () => ServiceSet;
  /** Never rejects; it has a deadline of its own. */
  readonly test: (service: Service, heartbeat: HeartbeatSpec) => Promise<Tested>;
}

export interface Tested {
  readonly answer: Answer;
  readonly steps: readonly AskStep[];
}

/** @throws ControlError */
export async function answerTest(name: string, body: unknown, { services, test }: TestParts): Promise<TestDocument> {
  const service = services().get(name);
  if (service === undefined) throw new ControlError(404, 'no-service', `there is no service ${name}`);
  const heartbeats = heartbeatsIn(service, body);
  const answers = await Promise.all(
    heartbeats.map(async (heartbeat) => answerOf(heartbeat, await test(service, heartbeat))),
  );
  return { version: 1, service: name, state: service.state.name, notAsked: notAskedOf(service), answers };
}

function notAskedOf(service: Service): TestDocument['notAsked'] {
  if (service.state.name !== 'running') return 'not running';
  return isHeld(service) ? 'on hold' : null;
}

/** Those that are meant, with the time that they are given. */
function heartbeatsIn({ spec }: Service, body: unknown): readonly HeartbeatSpec[] {
  const fields = new Map<string, unknown>(typeof body === 'object' && body !== null ? Object.entries(body) : []);
  const timeout = timeoutIn(fields.get('timeout') ?? null);
  const wanted = fields.get('heartbeat') ?? null;
  const names = spec.heartbeats.map(({ name }) => name);
  if (names.length === 0)
    throw new ControlError(
      409,
      'no-heartbeats',
      `${spec.name} has no heartbeats; \`upkeep help heartbeat\` says how to ask`,
    );
  const meant = spec.heartbeats.filter(({ name }) => wanted === null || name === wanted);
  if (meant.length === 0)
    throw new ControlError(
      404,
      'no-heartbeat',
      `${spec.name} has no heartbeat ${JSON.stringify(wanted)}; it has ${listOf(names)}`,
    );
  return meant.map((heartbeat) => (timeout === null ? heartbeat : { ...heartbeat, timeout: millis(timeout) }));
}

/** Nobody waits longer than that for one answer. */
const longest = 3_600_000;

function timeoutIn(text: unknown): number | null {
  if (text === null) return null;
  const timeout = typeof text === 'string' ? parseDuration(text) : null;
  if (timeout === null || timeout <= 0 || timeout > longest)
    throw new ControlError(
      400,
      'bad-timeout',
      `timeout ${JSON.stringify(text)} is not right; write 500ms, 5s or 2m, up to 1h`,
    );
  return timeout;
}

const answerOf = ({ name, question }: HeartbeatSpec, { answer, steps }: Tested): TestAnswer => ({
  heartbeat: name,
  kind: question.kind,
  asks: questionInWords(question),
  result: answer.result,
  ms: tenths(answer.ms),
  detail: answer.detail,
  steps: steps.map((step) => ({ name: step.name, ms: tenths(step.ms), detail: step.detail })),
});
