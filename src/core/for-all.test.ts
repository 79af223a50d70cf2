import { expect, it } from 'vitest';
import { serviceEntry } from '../../test/support/entries.js';
import type { What } from './change.js';
import { whatForAll } from './for-all.js';
import { historyDocument } from './history-view.js';
import type { QuestionKind } from './question.js';

const unhealthy = (kind: QuestionKind): What => ({
  type: 'unhealthy',
  heartbeat: 'check',
  asked: { kind, text: `${kind} with hunter2` },
  detail: 'said hunter2',
  fails: { count: 3, of: 3 },
  then: 'notice',
  incident: 'mi8k3x2z4ab',
});

const unasked: What = {
  type: 'unasked',
  heartbeat: 'check',
  asked: { kind: 'exec', text: 'exec with hunter2' },
  reason: 'hunter2',
};

it('what a heartbeat’s program printed, and its command line, are not for everybody', () => {
  expect(whatForAll(unhealthy('exec'))).toMatchObject({ asked: { kind: 'exec', text: null }, detail: null });
  expect(whatForAll(unasked)).toMatchObject({ asked: { kind: 'exec', text: null }, reason: null });
});

it('what was asked over the network is no secret', () => {
  const what = unhealthy('http');
  expect(whatForAll(what)).toBe(what);
});

it('the history has another line for those who may not see it', () => {
  const line = 'check failed: said hunter2';
  const entries = [unhealthy('exec'), unasked].map((what, n) => serviceEntry(n + 1, { what, line }));
  const answer = { type: 'found', entries, last: null } as const;
  expect(JSON.stringify(historyDocument(answer, 'yes'))).toContain('hunter2');
  const seen = historyDocument(answer, 'no');
  expect(JSON.stringify(seen)).not.toContain('hunter2');
  expect(seen.entries.map(({ text }) => text)).toEqual([
    'web does not do its work: heartbeat check failed 3 times in a row; nothing is done about it',
    'heartbeat check of web could not be asked, and nothing is done about that',
  ]);
});
