import { describe, expect, it } from 'vitest';
import { alice, keeperEntry, killed, serviceEntry } from '../../test/support/entries.js';
import { historyDocument, positionIn, positionText } from './history-view.js';

const last = { origin: 'aaaa', number: 3 };

describe('the outward view of the history', () => {
  const died = serviceEntry(1, {
    what: killed(),
    level: 'warning',
    line: 'web is not running, restarting: killed by SIGKILL from bash (pid 4711, alice)',
    incident: 'mi8x',
    output: ['panic'],
  });

  it('has a change with its cause, who did it, and its incident', () => {
    const [entry] = historyDocument({ type: 'found', entries: [died], last }, 'no').entries;
    expect(entry).toMatchObject({
      id: 'aaaa.1',
      time: '2026-11-20T10:00:01.000Z',
      service: 'web',
      what: 'died',
      level: 'warning',
      text: 'web is not running, restarting: killed by SIGKILL from bash (pid 4711, alice)',
      generation: 1,
      from: 'running',
      to: 'stopped',
      incident: 'mi8x',
      by: { ...alice, name: 'bash' },
      death: { cause: 'signal', signal: 'SIGKILL' },
    });
  });

  it('shows output and command lines to those alone who may see them', () => {
    const forAll = JSON.stringify(historyDocument({ type: 'found', entries: [died], last }, 'no'));
    expect(forAll).not.toMatch(/secret|panic|sshd/);
    const [entry] = historyDocument({ type: 'found', entries: [died], last }, 'yes').entries;
    expect(entry?.details).toMatchObject({
      command: 'bash -c secret',
      parent: { pid: 4000, name: 'sshd' },
      output: ['panic'],
      peakMemory: 10_000_000,
    });
  });

  it('tells operators alone in which words a channel failed', () => {
    const lost = keeperEntry(2, {
      type: 'channelLost',
      channel: 'page',
      reason: 'page ended with exit code 1: hunter2',
    });
    const textFor = (details: 'yes' | 'no') =>
      historyDocument({ type: 'found', entries: [lost], last }, details).entries[0]?.text;
    expect(textFor('yes')).toBe('notices do not get through to page: page ended with exit code 1: hunter2');
    expect(textFor('no')).toBe('notices do not get through to page: why is for operators to see');
  });

  it('has who asked for what, and why', () => {
    const asked = serviceEntry(2, {
      what: { type: 'asked', verb: 'stop', by: alice, reason: 'new disk' },
      line: 'stop by alice: new disk',
    });
    const acked = keeperEntry(3, { type: 'acked', incident: 'mi8x', service: 'web', by: alice, reason: null });
    const { entries } = historyDocument({ type: 'found', entries: [asked, acked], last }, 'no');
    expect(entries).toMatchObject([
      { service: 'web', what: 'asked', text: 'stop by alice: new disk', by: alice, reason: 'new disk', death: null },
      { service: 'web', what: 'acked', incident: 'mi8x', by: alice, reason: null, generation: null },
    ]);
  });

  it('has a sentence also for what another line has said', () => {
    const silent = serviceEntry(1, { line: null, level: 'debug' });
    expect(historyDocument({ type: 'found', entries: [silent], last }, 'no').entries[0]?.text).toBe('it is stopped');
  });

  it('names an entry so that it can be asked for', () => {
    expect(positionIn(positionText(last))).toEqual(last);
    expect(['', 'aaaa', 'aaaa.', '.1', 'a b.1', "'.1", 'aaaa.1e3'].map(positionIn)).toEqual(Array(7).fill(null));
  });
});
