import { expect, it } from 'vitest';
import { serviceEntry } from '../../test/support/entries.js';
import type { Answer, Question } from '../core/history.js';
import { ControlError } from './control-error.js';
import { HistoryRoute } from './history-route.js';

const nothing: Answer = { type: 'found', entries: [], last: { origin: 'aaaa', number: 1 } };
const something: Answer = { type: 'found', entries: [serviceEntry(2)], last: { origin: 'aaaa', number: 2 } };

/** A route whose history gives these answers, one after the other, the last one for ever. */
function routeOf(...answers: readonly Answer[]): { readonly route: HistoryRoute; readonly asked: Question[] } {
  const asked: Question[] = [];
  const history = (question: Question): Promise<Answer> => {
    asked.push(question);
    return Promise.resolve(answers[Math.min(asked.length, answers.length) - 1] ?? nothing);
  };
  return { route: new HistoryRoute({ history }), asked };
}

const here = (): AbortSignal => new AbortController().signal;
const query = (text: string): URLSearchParams => new URLSearchParams(text);
/** Until the question was asked and its answer looked at. */
const aMoment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

it('answers at once where nobody wants to wait', async () => {
  const { route } = routeOf(nothing);
  expect(await route.answer(query(''), 'no', here())).toEqual({ version: 1, entries: [], last: 'aaaa.1' });
});

it('waits until there is something to answer', async () => {
  const { route, asked } = routeOf(nothing, nothing, something);
  const answer = route.answer(query('after=aaaa.1&wait=50s'), 'no', here());
  await aMoment();
  expect(asked).toHaveLength(1);
  route.recorded();
  await aMoment();
  route.recorded();
  expect(await answer).toMatchObject({ entries: [{ id: 'aaaa.2' }], last: 'aaaa.2' });
  expect(asked).toHaveLength(3);
});

it('does not sleep over what was recorded while it asked', async () => {
  const asked: Question[] = [];
  const route: HistoryRoute = new HistoryRoute({
    history: (question) => {
      asked.push(question);
      if (asked.length > 1) return Promise.resolve(something);
      route.recorded();
      return Promise.resolve(nothing);
    },
  });
  expect((await route.answer(query('wait=50s'), 'no', here())).entries).toHaveLength(1);
});

it('answers with nothing when the time is over, when the client is gone, and when the keeper leaves', async () => {
  const empty = { version: 1, entries: [], last: 'aaaa.1' };
  expect(await routeOf(nothing).route.answer(query('wait=10ms'), 'no', here())).toEqual(empty);

  const gone = new AbortController();
  const away = routeOf(nothing, something);
  const left = away.route.answer(query('wait=50s'), 'no', gone.signal);
  await aMoment();
  gone.abort();
  expect(await left).toEqual(empty);
  expect(away.asked).toHaveLength(1);

  const { route } = routeOf(nothing);
  const released = route.answer(query('wait=50s'), 'no', here());
  await aMoment();
  route.release();
  expect(await released).toEqual(empty);
  expect(await route.answer(query('wait=50s'), 'no', here())).toEqual(empty);
});

it('says why there is no history', async () => {
  const { route } = routeOf({ type: 'unavailable', problem: 'there is no history: this Node has no SQLite' });
  const refused = await route.answer(query(''), 'no', here()).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(ControlError);
  expect(refused).toMatchObject({
    status: 503,
    code: 'history-unavailable',
    message: 'there is no history: this Node has no SQLite',
  });
});
