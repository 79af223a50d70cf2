import { describe, expect, it } from 'vitest';
import type { Sender } from './death.js';
import type { KeeperNews } from './entry.js';
import { describeNews } from './keeper-news.js';

const alice: Sender = { pid: 4711, name: 'upkeep', uid: 1000, user: 'alice', grade: 'seen' };

describe('what happened to the keeper, in a sentence', () => {
  it.each<[KeeperNews, string, string]>([
    [{ type: 'began', pid: 801, version: '0.1.0', before: null }, 'info', 'the keeper began (pid 801, version 0.1.0)'],
    [
      { type: 'began', pid: 801, version: '0.1.0', before: 'the one before was killed by SIGKILL, 3 s ago' },
      'warning',
      'the keeper is back (pid 801, version 0.1.0): the one before was killed by SIGKILL, 3 s ago',
    ],
    [{ type: 'ended', how: 'leave', by: alice }, 'notice', 'the keeper was ended by alice, its services go on'],
    [{ type: 'ended', how: 'stop', by: null }, 'notice', 'the keeper was ended, its services were stopped'],
    [
      { type: 'applied', config: '/etc/upkeep/upkeep.yaml', by: { ...alice, user: null } },
      'notice',
      '/etc/upkeep/upkeep.yaml was applied by uid 1000',
    ],
    [
      { type: 'rejected', config: '/etc/upkeep/upkeep.yaml', problems: ['a', 'b', 'c'], by: alice },
      'error',
      '/etc/upkeep/upkeep.yaml was not applied, which was asked for by alice: a, and 2 more; `upkeep check` says all',
    ],
    [
      {
        type: 'rejected',
        config: '/etc/upkeep/upkeep.yaml',
        problems: ['/etc/upkeep/upkeep.yaml:5:1: no YAML'],
        by: null,
      },
      'error',
      '/etc/upkeep/upkeep.yaml was not applied: line 5:1: no YAML',
    ],
    [{ type: 'troubled', problem: 'the journal cannot be written' }, 'error', 'the journal cannot be written'],
    [
      { type: 'channelLost', channel: 'page', reason: 'it answered 500' },
      'error',
      'notices do not get through to page: it answered 500',
    ],
    [{ type: 'channelBack', channel: 'page' }, 'notice', 'notices get through to page again'],
    [
      { type: 'acked', incident: 'mh1x', service: 'web', by: alice, reason: 'known, disk is ordered' },
      'notice',
      'incident mh1x of web was acknowledged by alice; no more reminders of it: known, disk is ordered',
    ],
  ])('%o', (news, level, text) => {
    expect(describeNews(news)).toEqual({ level, text });
  });
});
