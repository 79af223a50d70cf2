// What the keeper and an asker say to each other: a line of JSON each. The keeper speaks on the asker's stdin, the asker answers
// on its stdout. Pure; it must not know who asks, nor how. An asker belongs to another user: it is believed nothing but answers.

import type { Secret } from '../core/notice-spec.js';
import { oneLine } from '../core/one-line.js';
import type { Answer, AskStep, ProcessQuestion, Question, Result } from '../core/question.js';
import { type Millis, millis } from '../core/time.js';

/** What an asker can be asked: the processes of a service are measured by the keeper itself. */
export type AskerQuestion = Exclude<Question, ProcessQuestion>;

export interface Order {
  readonly type: 'ask';
  readonly id: number;
  readonly service: string;
  readonly heartbeat: string;
  readonly question: AskerQuestion;
  readonly timeout: Millis;
  /** Whatever the question names, by `keyOf`. */
  readonly secrets: Readonly<Record<string, string>>;
  /** `yes`: the steps are told too. */
  readonly trace: 'yes' | 'no';
}

export type ToAsker =
  | Order
  /** Nobody waits for it any more: it is given up, and not answered. */
  | { readonly type: 'cancel'; readonly id: number };

export type FromAsker =
  /** It has become who it was to be, and has begun. */
  | { readonly type: 'ready' }
  /** It has not, and asks nothing. */
  | { readonly type: 'refused'; readonly reason: string }
  /** A program runs for this question: the leader of a session of its own. */
  | { readonly type: 'runs'; readonly id: number; readonly pid: number }
  | { readonly type: 'answer'; readonly id: number; readonly answer: Answer; readonly steps: readonly AskStep[] };

export const LONGEST_DETAIL = 200;
const MOST_STEPS = 50;

export const lineOf = (message: ToAsker | FromAsker): string => `${JSON.stringify(message)}\n`;

/** The keeper is believed: it is who started us. null: half a line, of a keeper that was killed. */
export const heardByAsker = (line: string): ToAsker | null => parsed(line) as ToAsker | null;

/** null: nothing that an asker says. */
export function heardFromAsker(line: string): FromAsker | null {
  const { type, id, pid, reason, answer, steps } = fieldsOf(parsed(line));
  switch (type) {
    case 'ready':
      return { type };
    case 'refused':
      return { type, reason: textOf(reason) };
    case 'runs':
      return isNumber(id) && isNumber(pid) && pid > 1 ? { type, id, pid } : null;
    case 'answer': {
      const read = answerOf(fieldsOf(answer));
      return isNumber(id) && read !== null ? { type, id, answer: read, steps: stepsOf(steps) } : null;
    }
  }
  return null;
}

export const keyOf = (secret: Secret): string =>
  secret.type === 'file' ? `file ${secret.path}` : `env ${secret.name}`;

/** What has to be read before this can be asked. */
export function secretsOf(question: AskerQuestion): readonly Secret[] {
  switch (question.kind) {
    case 'http':
      return question.auth === null ? [] : [question.auth.password];
    case 'ldap':
      return question.bind === null ? [] : [question.bind.password];
    case 'redis':
      return question.password === null ? [] : [question.password];
    case 'tcp':
    case 'unix':
    case 'tls':
    case 'dns':
    case 'ssh':
    case 'sshAgent':
    case 'smtp':
    case 'postgres':
    case 'exec':
    case 'file':
      return [];
  }
}

const RESULTS: readonly string[] = ['good', 'failed', 'unasked'] satisfies readonly Result[];

function answerOf({ result, ms, detail }: Fields): Answer | null {
  if (typeof result !== 'string' || !RESULTS.includes(result) || !isNumber(ms)) return null;
  return { result: result as Result, ms: millis(ms), detail: textOf(detail) };
}

function stepsOf(steps: unknown): readonly AskStep[] {
  if (!Array.isArray(steps)) return [];
  return steps.slice(0, MOST_STEPS).map((step) => {
    const { name, ms, detail } = fieldsOf(step);
    return {
      name: textOf(name),
      ms: millis(isNumber(ms) ? ms : 0),
      detail: typeof detail === 'string' ? textOf(detail) : null,
    };
  });
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (read: unknown): Fields => (typeof read === 'object' && read !== null ? { ...read } : {});
const textOf = (text: unknown): string => (typeof text === 'string' ? oneLine(text, LONGEST_DETAIL) : '');
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0;

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
