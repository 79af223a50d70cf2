import { describe, expect, it } from 'vitest';
import { type Answer, anything } from '../core/history.js';
import { Questions } from './questions.js';

const found: Answer = { type: 'found', entries: [], last: null };

function asking(patience: number) {
  const asked: number[] = [];
  return { asked, questions: new Questions({ ask: (id) => void asked.push(id), patience }) };
}

describe('the questions to the history', () => {
  it('go to the record thread one at a time, so that what happened waits for one of them at most', async () => {
    const { asked, questions } = asking(60_000);
    const answers = [questions.ask(anything), questions.ask(anything), questions.ask(anything)];
    expect(asked).toEqual([1]);
    questions.answered(1, found);
    expect(asked).toEqual([1, 2]);
    questions.answered(2, found);
    questions.answered(3, found);
    expect(await Promise.all(answers)).toEqual([found, found, found]);
  });

  it('are not asked any more when nobody waits for the answer', async () => {
    const { asked, questions } = asking(1);
    const answers = await Promise.all([questions.ask(anything), questions.ask(anything)]);
    expect(answers.map(({ type }) => type)).toEqual(['unavailable', 'unavailable']);
    questions.answered(1, found);
    expect(asked).toEqual([1]);
  });

  it('go on when the thread broke over one', async () => {
    const { asked, questions } = asking(60_000);
    const [first, second] = [questions.ask(anything), questions.ask(anything)];
    questions.lost();
    expect(await first).toMatchObject({ type: 'unavailable' });
    expect(asked).toEqual([1, 2]);
    questions.answered(2, found);
    expect(await second).toEqual(found);
  });
});
