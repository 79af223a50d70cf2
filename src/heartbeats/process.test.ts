import { expect, test } from 'vitest';
import type { ProcessQuestion } from '../core/question.js';
import type { Usage } from '../core/usage.js';
import { judgeUsage } from './process.js';

const MIB = 1024 ** 2;

test('A service within its bounds is good, with what was asked for', () => {
  expect(judge({ memory: { is: '<', than: 1024 * MIB }, cpu: { is: '<', than: 90 } })).toEqual({
    result: 'good',
    detail: 'memory 310 MiB, cpu 11 %',
  });
  expect(judge({ threads: { is: '<=', than: 12 }, openFiles: { is: '<', than: 100 } })).toEqual({
    result: 'good',
    detail: 'threads 12, open files 40',
  });
});

test('A service beyond them has failed, and only what is too much is told', () => {
  expect(judge({ memory: { is: '<', than: 256 * MIB }, cpu: { is: '<', than: 90 } })).toEqual({
    result: 'failed',
    detail: 'memory 310 MiB, wanted < 256 MiB',
  });
  expect(judge({ cpu: { is: '<', than: 10 }, openFiles: { is: '>', than: 50 } })).toEqual({
    result: 'failed',
    detail: 'cpu 11 %, wanted < 10 %; open files 40, wanted > 50',
  });
});

test('What uses the processor is not known at the first question, and the rest is judged', () => {
  const cpu = { is: '<', than: 10 } as const;
  expect(judge({ cpu }, { cpu: null })).toEqual({ result: 'good', detail: 'cpu not known yet' });
  expect(judge({ cpu, threads: { is: '<', than: 20 } }, { cpu: null })).toEqual({
    result: 'good',
    detail: 'threads 12, cpu not known yet',
  });
  expect(judge({ cpu, threads: { is: '<', than: 5 } }, { cpu: null })).toEqual({
    result: 'failed',
    detail: 'threads 12, wanted < 5',
  });
});

test('What may not be seen says nothing about the service', () => {
  expect(judge({ openFiles: { is: '<', than: 100 } }, { openFiles: null })).toMatchObject({ result: 'unasked' });
  expect(judge({ threads: { is: '<', than: 100 } }, { openFiles: null })).toMatchObject({ result: 'good' });
  expect(judgeUsage(question({ threads: { is: '<', than: 100 } }), { type: 'unseen' })).toMatchObject({
    result: 'unasked',
  });
});

const question = (wanted: Partial<ProcessQuestion>): ProcessQuestion => ({
  ...{ kind: 'process', memory: null, cpu: null, threads: null, openFiles: null },
  ...wanted,
});

const judge = (
  wanted: Partial<ProcessQuestion>,
  usage: Partial<Extract<Usage, { readonly type: 'measured' }>> = {},
): ReturnType<typeof judgeUsage> =>
  judgeUsage(question(wanted), {
    ...{ type: 'measured', processes: 3, memory: 310 * MIB, cpu: 11.2, threads: 12, openFiles: 40 },
    ...usage,
  });
