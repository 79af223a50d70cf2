import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { millis } from '../core/time.js';
import { type Asked, askOnce, type Terms } from './ask-once.js';
import { Verdict } from './judge.js';
import { type Asking, type Finding, failed, good } from './kind.js';

const RIGHT_TO_LEFT = '\u202e';

let now: number;
const terms = (more: Partial<Terms> = {}): Terms => ({
  timeout: millis(5000),
  now: () => now,
  secret: () => 'open sesame',
  hide: (text) => text.replaceAll('open sesame', '***'),
  ...more,
});

beforeEach(() => {
  now = 0;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

const forEver = (): Promise<Finding> => new Promise(() => undefined);
const thrown = (error: unknown) => askOnce(() => Promise.reject(error), terms()).outcome;

/** The deadline of a question that does this passes. */
async function late(ask: (asking: Asking) => Promise<Finding>): Promise<Asked | null> {
  const { outcome } = askOnce(ask, terms());
  for (let i = 0; i < 50; i += 1) {
    now += 100;
    vi.advanceTimersByTime(100);
  }
  return outcome;
}

describe('a question', () => {
  it('is answered with its time and its steps', async () => {
    const { outcome } = askOnce(async ({ begin }) => {
      begin('resolve');
      now = 1.26;
      begin('connect', '::1');
      now = 3;
      return good('200');
    }, terms());
    expect(await outcome).toEqual({
      answer: { result: 'good', ms: 3, detail: '200' },
      steps: [
        { name: 'resolve', ms: 1.3, detail: '::1' },
        { name: 'connect', ms: 1.7, detail: null },
      ],
    });
  });

  it('says nothing about a service where the system has failed us (monitors 11)', async () => {
    for (const code of ['EMFILE', 'ENFILE', 'ENOMEM', 'EACCES', 'ENETUNREACH'])
      expect((await thrown(Object.assign(new Error(code), { code })))?.answer.result).toBe('unasked');
    for (const code of ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT'])
      expect((await thrown(Object.assign(new Error(code), { code })))?.answer.result).toBe('failed');
  });

  it('is not held against a service where the mistake is ours', async () => {
    expect((await thrown(new TypeError('x is not a function')))?.answer).toMatchObject({
      result: 'unasked',
      detail: 'upkeep made a mistake: x is not a function',
    });
  });

  it('has the answer that a kind throws', async () => {
    expect((await thrown(new Verdict(failed('refused by ::1'))))?.answer.detail).toBe('refused by ::1');
  });

  it('tells one short line, without secrets and without what moves a cursor', async () => {
    const text = `open sesame ${RIGHT_TO_LEFT}\u001b[2Jno\nyes ${'x'.repeat(500)}`;
    const { detail } = (await askOnce(async () => good(text), terms()).outcome)!.answer;
    expect(detail).toMatch(/^\*\*\* +\[2Jno yes x+…$/);
    expect(detail).toHaveLength(200);
  });

  it('does not hide a part of a secret that is cut', async () => {
    const { detail } = (await askOnce(async () => good(`${'x'.repeat(195)}open sesame`), terms()).outcome)!.answer;
    expect(detail).not.toContain('open');
  });

  it('has failed when its time is over, and says what it waited for', async () => {
    expect((await late(forEver))?.answer).toMatchObject({ result: 'failed', detail: 'no answer within 5 s' });
    const connecting = await late(({ begin }) => {
      begin('resolve');
      begin('connect');
      return forEver();
    });
    expect(connecting?.answer.detail).toBe('no answer within 5 s (in: connect)');
    const silent = await late(({ begin }) => {
      begin('connect');
      now += 2;
      begin('answer');
      return forEver();
    });
    expect(silent?.answer.detail).toBe('no answer within 5 s (connect 2 ms, then silence)');
  });

  it('says whether it was met with silence or with an answer that does not end', async () => {
    let came = 30;
    const dripping = await late(({ begin, hears }) => {
      begin('connect');
      hears?.(() => came);
      now += 2;
      came += 170;
      begin('body', '200');
      came += 5;
      return forEver();
    });
    expect(dripping?.answer.detail).toBe('no answer within 5 s (connect 2 ms, then 5 bytes without an end in: body)');
  });

  it('could not be asked when its time is over before anybody was asked', async () => {
    for (const step of ['resolve', 'queue', 'look']) {
      const asked = await late(({ begin }) => {
        begin(step);
        return forEver();
      });
      expect(asked?.answer.result).toBe('unasked');
    }
  });

  it('is not held against a service when the asker has stood still meanwhile', async () => {
    const { outcome } = askOnce(({ begin }) => {
      begin('answer');
      return forEver();
    }, terms());
    now = 20_000;
    vi.advanceTimersByTime(250);
    expect((await outcome)?.answer).toMatchObject({ result: 'unasked', detail: 'the asker stood still for 20 s' });
  });

  it('has the answer that had come by its deadline, and was not read yet', async () => {
    let come: (finding: Finding) => void = () => undefined;
    const { outcome } = askOnce(
      () =>
        new Promise((resolve) => {
          come = resolve;
        }),
      terms({ timeout: millis(100) }),
    );
    now = 100;
    vi.advanceTimersByTime(100);
    come(good('200'));
    expect((await outcome)?.answer.result).toBe('good');
  });

  it('has its signal aborted at the deadline, and what is found in that very moment is told', async () => {
    const asked = await late(
      ({ signal, begin }) =>
        new Promise((resolve) => {
          begin('ask 2 addresses');
          signal.addEventListener('abort', () => resolve(failed('::1: no answer in time')));
        }),
    );
    expect(asked?.answer.detail).toBe('::1: no answer in time');
  });

  it('has the deadline’s answer from a kind that gives up as it was told', async () => {
    const asked = await late(
      ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
    expect(asked?.answer.detail).toBe('no answer within 5 s');
  });

  it('that nobody waits for is not answered, and its signal is aborted', async () => {
    let aborted = false;
    const { outcome, cancel } = askOnce(({ signal }) => {
      signal.addEventListener('abort', () => {
        aborted = true;
      });
      return forEver();
    }, terms());
    cancel();
    expect(await outcome).toBeNull();
    expect(aborted).toBe(true);
  });
});
