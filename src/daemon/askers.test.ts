import { beforeEach, describe, expect, it } from 'vitest';
import { heartbeat, supervised } from '../../test/support/builders.js';
import { HandClock } from '../../test/support/hand-clock.js';
import type { Event } from '../core/event.js';
import type { HeartbeatSpec } from '../core/heartbeat.js';
import { asPid } from '../core/process.js';
import type { Question } from '../core/question.js';
import { serviceName } from '../core/spec.js';
import { millis, seconds } from '../core/time.js';
import type { Order, ToAsker } from '../heartbeats/wire.js';
import type { AskerRightsOrNot } from '../kernel/asker-rights.js';
import type { Read } from '../notices/secret.js';
import type { AskerEars } from './asker-process.js';
import { AskerSecrets } from './asker-secrets.js';
import { Askers } from './askers.js';

interface FakeAsker {
  readonly user: number;
  readonly ears: AskerEars;
  readonly told: ToAsker[];
  end: 'working' | 'dismissed' | 'killed';
}

const process = { pid: asPid(4711), startTicks: 1, inode: null };
const good = { result: 'good', ms: millis(1), detail: '200' } as const;

let clock: HandClock;
let askers: FakeAsker[];
let ended: [leaders: readonly number[], uid: number][];
let endPrograms: (leaders: readonly number[], uid: number) => void;
let reported: string[];
let answers: Extract<Event, { type: 'answered' }>[];
let read: (word: Read) => void;
let looked: string[];
let backlog: number;
let pool: Askers;

/** Names are numbers here; 0 is refused. */
function rightsOf({ user }: { readonly user: string | null }): AskerRightsOrNot {
  looked.push(user ?? '');
  const uid = Number(user ?? 1);
  if (uid === 0) return { type: 'refused', reason: 'never as root' };
  return { type: 'rights', uid, gid: uid, groups: 'none', hop: ['setpriv'], env: {} };
}

beforeEach(() => {
  clock = new HandClock();
  [askers, ended, answers, looked, reported, backlog] = [[], [], [], [], [], 0];
  endPrograms = (leaders, uid) => void ended.push([leaders, uid]);
  pool = new Askers({
    clock,
    post: (event) => {
      if (event.type === 'answered') answers.push(event);
    },
    start: ({ uid }, ears) => {
      const asker: FakeAsker = { user: uid, ears, told: [], end: 'working' };
      askers.push(asker);
      return {
        say: (message) => void asker.told.push(message),
        backlog: () => backlog,
        dismiss: () => {
          asker.end = 'dismissed';
        },
        kill: () => {
          asker.end = 'killed';
        },
      };
    },
    rightsOf,
    secrets: new AskerSecrets(
      { env: {}, uid: 0 },
      () =>
        new Promise((resolve) => {
          read = resolve;
        }),
    ),
    measure: () =>
      Promise.resolve({ type: 'measured', processes: 1, memory: 1024, cpu: null, threads: 1, openFiles: null }),
    endPrograms: (leaders, uid) => endPrograms(leaders, uid),
    report: (problem) => void reported.push(problem),
  });
  pool.limit = 2;
});

let asked = 0;
function ask(more: Partial<HeartbeatSpec> = {}, service = 'web'): number {
  asked += 1;
  const spec = supervised({ name: service });
  pool.ask({ type: 'ask', spec, heartbeat: heartbeat(more), process, question: asked });
  return asked;
}

const asUser = (user: number): { readonly user: string } => ({ user: String(user) });
const begin = (asker = askers.at(-1)): void => asker?.ears.hear({ type: 'ready' });
const orders = (asker = askers.at(-1)): readonly Order[] => asker?.told.filter((one) => one.type === 'ask') ?? [];

function answer(asker = askers.at(-1)): void {
  const id = orders(asker).at(-1)?.id ?? -1;
  asker?.ears.hear({ type: 'answer', id, answer: good, steps: [] });
}

const answerTo = (question: number) => answers.find((one) => one.question === question)?.answer;
const working = (): readonly number[] => askers.filter(({ end }) => end === 'working').map(({ user }) => user);

describe('the pool', () => {
  it('tells an asker nothing before it has said that it is who it is to be', () => {
    const question = ask();
    expect(askers[0]?.told).toEqual([]);
    begin();
    expect(orders()).toHaveLength(1);
    answer();
    expect(answers).toEqual([{ type: 'answered', service: 'web', process, heartbeat: 'tcp', question, answer: good }]);
  });

  it('has one asker for each account, and looks nobody up again for each question', () => {
    for (const user of [1, 2, 1, 2]) ask(asUser(user));
    expect(working()).toEqual([1, 2]);
    expect(looked).toEqual(['1', '2']);
  });

  it('never asks as root', () => {
    expect(answerTo(ask(asUser(0)))).toMatchObject({ result: 'unasked', detail: 'never as root' });
    expect(askers).toEqual([]);
  });

  it('tells nobody anything who could not drop the rights of the keeper', () => {
    const question = ask();
    askers[0]?.ears.hear({ type: 'refused', reason: 'its user is 0' });
    expect(answerTo(question)).toMatchObject({ result: 'unasked' });
    expect(answerTo(question)?.detail).toContain('its user is 0');
    expect([askers[0]?.end, askers[0]?.told]).toEqual(['killed', []]);
  });

  it('sends an asker away that has had nothing to do for minutes, and no sooner', () => {
    ask();
    begin();
    answer();
    clock.pass(4 * 60_000);
    expect(working()).toEqual([1]);
    clock.pass(7 * 60_000);
    expect(askers[0]?.end).toBe('dismissed');
    expect(clock.timers.size).toBe(0);
  });
});

describe('an asker that dies', () => {
  it('could not ask what it was asked, and is replaced by the next question (monitors 11)', () => {
    const questions = [ask(), ask()];
    begin();
    answer();
    askers[0]?.ears.gone('ended: killed by SIGKILL');
    expect(answerTo(questions[0] ?? 0)).toMatchObject({
      result: 'unasked',
      detail: 'the asker ended: killed by SIGKILL',
    });
    ask();
    expect(askers).toHaveLength(2);
  });

  it('or cannot be started at all says so', () => {
    const question = ask();
    askers[0]?.ears.gone('cannot be started: spawn EAGAIN');
    expect([answerTo(question)?.detail, answerTo(ask())?.detail]).toEqual([
      'the asker cannot be started: spawn EAGAIN',
      'the asker cannot be started: spawn EAGAIN; another is started after 1.0 s',
    ]);
  });

  it('leaves no program running', () => {
    ask();
    begin();
    askers[0]?.ears.hear({ type: 'runs', id: orders()[0]?.id ?? 0, pid: 815 });
    askers[0]?.ears.gone('ended: killed by SIGKILL');
    expect(ended).toEqual([[[815], 1]]);
  });

  it('whose program cannot be ended leaves no question open', () => {
    endPrograms = () => {
      throw new Error('EMFILE');
    };
    const questions = [ask(), ask()];
    begin();
    for (const { id } of orders()) askers[0]?.ears.hear({ type: 'runs', id, pid: 815 + id });
    askers[0]?.ears.gone('ended: killed by SIGKILL');
    expect(questions.map((question) => answerTo(question)?.result)).toEqual(['unasked', 'unasked']);
    expect(reported[0]).toContain('cannot be ended (pid 816, 817 of uid 1)');
  });

  it('without ever having answered is not started again and again', () => {
    for (let second = 0; second < 120; second += 1) {
      ask();
      if (askers.at(-1)?.end === 'working') askers.at(-1)?.ears.gone('ended: exit code 1: Error: no');
      const last = askers.at(-1);
      if (last !== undefined) last.end = 'killed';
      clock.pass(1000);
    }
    expect(askers.length).toBeLessThan(10);
    expect(answers).toHaveLength(120);
    expect(answers.at(-1)?.answer).toMatchObject({ result: 'unasked' });
    expect(answers.at(-1)?.answer.detail).toContain('exit code 1: Error: no');
  });

  it('is not believed any more, nor heard', () => {
    ask();
    begin();
    askers[0]?.ears.gone('ended: killed by SIGKILL');
    answer(askers[0]);
    expect(answers).toHaveLength(1);
  });
});

describe('an asker that is late', () => {
  it('is replaced a moment after the deadline that it missed, with all that it was asked', () => {
    const [late, other] = [ask({ timeout: seconds(5) }), ask({ timeout: seconds(60) })];
    begin();
    clock.pass(5900);
    expect(answers).toEqual([]);
    clock.pass(1600);
    expect(askers[0]?.end).toBe('killed');
    for (const question of [late, other])
      expect(answerTo(question)).toMatchObject({
        result: 'unasked',
        detail: 'the asker did not answer in time',
      });
  });

  it('is heard when it was the keeper that stood still', () => {
    ask();
    begin();
    // As the loop does after a stall: the timer first, then what lies in the pipe.
    clock.ms += 60_000;
    clock.pass(0);
    answer();
    clock.pass(1000);
    expect([answers[0]?.answer, working()]).toEqual([good, [1]]);
  });

  it('to begin is killed', () => {
    const question = ask();
    clock.pass(6500);
    expect(answerTo(question)?.detail).toBe('the asker did not begin in time');
  });

  it('to take what it is told is told no more', () => {
    ask();
    begin();
    backlog = 5 * 1024 * 1024;
    expect(answerTo(ask())).toMatchObject({ result: 'unasked' });
  });
});

describe('no more askers than are allowed', () => {
  it('run at once: one that has nothing to do makes room', () => {
    ask(asUser(1));
    begin();
    answer();
    clock.pass(1000);
    ask(asUser(2));
    begin();
    answer();
    ask(asUser(3));
    expect(working()).toEqual([2, 3]);
    expect(askers[0]?.end).toBe('dismissed');
  });

  it('run at once: a question waits for a free one, and could not be asked when that takes too long', () => {
    const first = ask({ ...asUser(1), timeout: seconds(60) });
    begin();
    ask({ ...asUser(2), timeout: seconds(60) });
    begin();
    const [waits, gives] = [ask({ ...asUser(3), timeout: seconds(60) }), ask({ ...asUser(4), timeout: seconds(2) })];
    clock.pass(3000);
    expect(answerTo(gives)).toMatchObject({ result: 'unasked' });
    expect(answerTo(gives)?.detail).toContain('keeper.limits.askers');
    answer(askers[0]);
    expect(answerTo(first)).toBe(good);
    expect(working()).toEqual([2, 3]);
    begin();
    answer();
    expect(answerTo(waits)).toBe(good);
  });

  it('are left when fewer are allowed', () => {
    for (const user of [1, 2]) {
      ask(asUser(user));
      begin();
      answer();
    }
    pool.limit = 1;
    expect(working()).toHaveLength(1);
  });
});

describe('what nobody waits for any more', () => {
  it('is given up and not answered, wherever it is; that of other services goes on', async () => {
    ask();
    const other = ask({}, 'mail');
    begin();
    const [gone] = orders();
    ask(secretly());
    await settled();
    pool.stop(serviceName('web'));
    expect(askers[0]?.told.at(-1)).toEqual({ type: 'cancel', id: gone?.id });
    read({ type: 'read', word: 'x' });
    await settled();
    answer();
    clock.pass(30_000);
    expect(answers.map(({ question }) => question)).toEqual([other]);
  });

  it('ends with the pool', () => {
    const question = ask();
    pool.close();
    expect([askers[0]?.end, answerTo(question)?.result]).toEqual(['killed', 'unasked']);
    expect(clock.timers.size).toBe(0);
    expect(answerTo(ask())?.detail).toBe('the keeper is ending');
  });
});

const secretly = (): Partial<HeartbeatSpec> => ({
  question: {
    kind: 'redis',
    at: { type: 'unix', path: '/run/redis.sock' },
    password: { type: 'file', path: '/etc/upkeep/redis' },
  } satisfies Question,
});

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a secret', () => {
  it('is read before anybody is asked, and goes with the question', async () => {
    ask(secretly());
    await settled();
    expect(askers).toEqual([]);
    read({ type: 'read', word: 's3cret' });
    await settled();
    begin();
    expect(orders()[0]?.secrets).toEqual({ 'file /etc/upkeep/redis': 's3cret' });
  });

  it('that cannot be read is the answer', async () => {
    const question = ask(secretly());
    await settled();
    read({ type: 'unreadable', reason: '/etc/upkeep/redis is no file' });
    await settled();
    expect(answerTo(question)).toMatchObject({ result: 'unasked', detail: '/etc/upkeep/redis is no file' });
  });

  it('on a disk that hangs is not waited for', () => {
    const question = ask(secretly());
    clock.pass(6000);
    expect(answerTo(question)?.detail).toBe('the disk of its secret does not answer');
  });
});

it('the processes of a service are measured by the keeper itself', async () => {
  const question = ask({
    question: { kind: 'process', memory: { is: '<', than: 2048 }, cpu: null, threads: null, openFiles: null },
  });
  await settled();
  expect(answerTo(question)?.result).toBe('good');
  expect(askers).toEqual([]);
});

it('whoever asks to see it gets the steps, and no service hears of it', async () => {
  const test = pool.test(supervised(), heartbeat(), process);
  begin();
  pool.stop(serviceName('web'));
  const steps = [{ name: 'connect', ms: millis(1), detail: null }];
  askers[0]?.ears.hear({ type: 'answer', id: orders()[0]?.id ?? 0, answer: good, steps });
  expect(orders()[0]?.trace).toBe('yes');
  expect(await test).toEqual({ answer: good, steps });
  expect(answers).toEqual([]);
});
