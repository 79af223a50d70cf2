import { describe, expect, it } from 'vitest';
import { millis } from '../core/time.js';
import { type FromAsker, heardFromAsker, lineOf } from './wire.js';

const answer: FromAsker = {
  type: 'answer',
  id: 3,
  answer: { result: 'good', ms: millis(1.5), detail: '200' },
  steps: [{ name: 'connect', ms: millis(1), detail: null }],
};

describe('what an asker says', () => {
  it('is heard as it was said', () => {
    for (const message of [answer, { type: 'ready' }, { type: 'runs', id: 1, pid: 4711 }] as const)
      expect(heardFromAsker(lineOf(message))).toEqual(message);
  });

  it('is nothing when it is no message: it belongs to another user', () => {
    const lines = [
      '',
      'null',
      '[]',
      '{"type":"answer"',
      '{"type":"spawn"}',
      '{"type":"runs","id":1,"pid":-1}',
      '{"type":"runs","id":1,"pid":1}',
      '{"type":"runs","id":1,"pid":"1; rm"}',
      '{"type":"answer","id":1,"answer":null}',
      '{"type":"answer","id":1,"answer":{"result":"better","ms":1,"detail":""}}',
      '{"type":"answer","id":1,"answer":{"result":"good","ms":-1,"detail":""}}',
    ];
    for (const line of lines) expect(heardFromAsker(line)).toBeNull();
  });

  it('is cleaned and bounded here too', () => {
    const lie = {
      type: 'answer',
      id: 1,
      answer: { result: 'good', ms: 1, detail: `\u001b[31m${'x'.repeat(10_000)}` },
      steps: Array.from({ length: 1000 }, () => ({ name: 7, ms: 'long', detail: '\u202e' })),
    };
    const heard = heardFromAsker(JSON.stringify(lie));
    if (heard?.type !== 'answer') throw new Error('not heard');
    expect(heard.answer.detail).toHaveLength(200);
    expect(heard.answer.detail).not.toContain('\u001b');
    expect(heard.steps).toHaveLength(50);
    expect(heard.steps[0]).toEqual({ name: '', ms: 0, detail: '' });
  });
});
