import { describe, expect, it } from 'vitest';
import { anything } from '../core/history.js';
import { parseHistoryQuery } from './history-query.js';

const NOW = Date.parse('2026-11-20T10:00:00Z');

const parse = (query: string) => parseHistoryQuery(new URLSearchParams(query), NOW);

describe('the query of GET /v1/history', () => {
  it('asks for the newest 50 that matter, where nothing is said', () => {
    expect(parse('')).toEqual({
      question: { ...anything, level: 'info', most: 50 },
      wait: 0,
    });
  });

  it('takes everything that may be asked', () => {
    const query =
      'service=a&service=b*&since=2h&until=2026-11-20T09:30:00Z&n=7&what=died&incident=x&by=alice&all=1&after=0f-1.12&wait=20s';
    expect(parse(query)).toEqual({
      question: {
        ...anything,
        services: ['a', 'b*'],
        since: NOW - 7_200_000,
        until: NOW - 1_800_000,
        what: ['died'],
        incident: 'x',
        by: 'alice',
        level: 'debug',
        most: 7,
        after: { origin: '0f-1', number: 12 },
      },
      wait: 20_000,
    });
  });

  it.each([
    ['n=0', /^n=0: a number from 1 to 1000/],
    ['n=1001', /before=ID/],
    ['n=many', /^n=many/],
    ['since=yesterday', /^since=yesterday: how long ago/],
    ['until=7', /^until=7/],
    ['after=12', /^after=12: the id of an entry/],
    ['before=%27%3B.1', /^before=';\.1/],
    ['all=yes', /^all=yes: 1 or 0/],
    ['wait=5', /^wait=5 is no duration/],
    ['serivce=a', /^there is no parameter serivce; there are service, since/],
    [`${'service=a&'.repeat(501)}n=1`, /by a glob/],
    // Patterns of a hostile user must not keep the record thread busy.
    [`${'service=a*&'.repeat(21)}n=1`, /^more than 20 globs/],
    [`service=${'*a'.repeat(101)}`, /^a glob of more than 200 characters/],
  ])('refuses %s with what would do', (query, problem) => {
    expect(() => parse(query)).toThrow(problem);
  });
});
