import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ENTRY_TIME, keeperEntry, killed, serviceEntry } from '../../test/support/entries.js';
import { planWith } from '../../test/support/newsroom.js';
import type { Entry } from '../core/entry.js';
import type { Letter } from '../core/notice.js';
import { type Desk, emptyDesk, type Setting } from '../core/notices.js';
import { wallTime } from '../core/time.js';
import type { Envelope } from '../notices/outbox-file.js';
import type { KeepJob, RecordJob } from '../recorder.js';
import { Telling } from './telling.js';

/** The record thread as the test plays it. */
let jobs: RecordJob[] = [];
let confirmed: number[] = [];
let posted: Envelope[] = [];
let said: string[] = [];
let setting: Setting;

function open(): Telling {
  return new Telling({
    send: (job) => jobs.push(job),
    setting: () => setting,
    now: () => wallTime(Date.now()),
    confirm: (entries) => confirmed.push(...entries.map(({ number }) => number)),
    post: (letters) => posted.push(...letters),
    say: (_level, text) => said.push(text),
  });
}

function loaded(desk: Desk = emptyDesk, letters: readonly Envelope[] = []): Telling {
  const telling = open();
  telling.begin();
  jobs = [];
  telling.hear({ type: 'loaded', desk, letters });
  return telling;
}

function job(): KeepJob {
  const it = jobs.shift();
  if (it?.type !== 'keep') throw new Error(`there is no job to keep, but ${it?.type}`);
  return it;
}

const kept = (telling: Telling, { key, letters }: KeepJob, unwritten: string | null = null): void =>
  telling.hear({ type: 'kept', key, unwritten, letters: letters.map(envelope), dropped: [] });
const envelope = ({ id, channel, thread, time }: Letter): Envelope => ({ id, channel, thread, time });
const numbers = (entries: readonly Entry[]): readonly number[] => entries.map(({ number }) => number);

beforeEach(() => {
  vi.useFakeTimers({ now: ENTRY_TIME + 1000 });
  [jobs, confirmed, posted, said] = [[], [], [], []];
  setting = { plan: planWith([{ tell: ['admin'], kinds: ['died', 'keeper'] }]), host: 'web3', without: [] };
});
afterEach(() => {
  vi.useRealTimers();
});

describe('what happened, on its way to the history and to people', () => {
  it('waits until it is known what was told before', () => {
    const telling = open();
    telling.pass([serviceEntry(1)]);
    telling.begin();
    expect(jobs).toEqual([{ type: 'load', key: 'load', lasts: 'once' }]);
    jobs = [];
    telling.hear({ type: 'loaded', desk: emptyDesk, letters: [] });
    expect(numbers(job().entries)).toEqual([1]);
  });

  it('is asked for again when the thread broke over that', () => {
    const telling = open();
    telling.begin();
    telling.failed('load', 'it broke');
    vi.advanceTimersByTime(5000);
    expect(jobs).toHaveLength(2);
  });

  it('is safe only when it is on disk, one job at a time', () => {
    const telling = loaded();
    telling.pass([serviceEntry(1)]);
    telling.pass([serviceEntry(2)]);
    telling.pass([serviceEntry(3)]);
    const first = job();
    expect(jobs).toEqual([]);
    expect(confirmed).toEqual([]);
    kept(telling, first);
    expect(confirmed).toEqual([1]);
    expect(numbers(job().entries)).toEqual([2, 3]);
  });

  it('is sent only when it lies in the outbox', () => {
    const telling = loaded();
    telling.pass([serviceEntry(1, { what: killed() })]);
    kept(telling, job());
    expect(posted).toEqual([]);
    vi.advanceTimersByTime(2000);
    const urgent = job();
    expect(urgent.letters).toHaveLength(1);
    expect(posted).toEqual([]);
    kept(telling, urgent);
    expect(posted).toEqual(urgent.letters.map(envelope));
  });

  it('is given again, the same, while the disk is full, and that is said once', () => {
    const telling = loaded();
    telling.pass([serviceEntry(1)]);
    const first = job();
    for (let i = 0; i < 3; i += 1) {
      telling.hear({ type: 'notKept', key: first.key, reason: 'ENOSPC' });
      vi.advanceTimersByTime(5000);
      expect(job()).toBe(first);
    }
    kept(telling, first);
    expect(said).toEqual([
      'what happened cannot be written down, and is tried again until it can: ENOSPC',
      'what happened is written down again',
    ]);
    expect(confirmed).toEqual([1]);
  });

  it('reaches people also while the history will not have it', () => {
    const telling = loaded();
    telling.pass([keeperEntry(1, { type: 'channelLost', channel: 'far', reason: 'no route' })]);
    kept(telling, job(), 'it is locked');
    vi.advanceTimersByTime(2000);
    const urgent = job();
    expect(urgent.letters).toHaveLength(1);
    expect(numbers(urgent.entries)).toEqual([1]);
    expect(confirmed).toEqual([]);
    kept(telling, urgent, 'it is locked');
    expect(posted).toHaveLength(1);
    vi.advanceTimersByTime(5000);
    kept(telling, job());
    expect(confirmed).toEqual([1]);
  });

  it('costs nothing while nothing is due', () => {
    const telling = loaded();
    telling.pass([serviceEntry(1)]);
    kept(telling, job());
    vi.advanceTimersByTime(86_400_000);
    expect(jobs).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('turns the desk where a person has taken note, before it was read too', () => {
    const telling = open();
    const turned: Desk = { ...emptyDesk, clock: wallTime(1) };
    telling.change(() => turned);
    telling.begin();
    jobs = [];
    telling.hear({ type: 'loaded', desk: emptyDesk, letters: [] });
    expect(job().desk).toBe(turned);
  });

  it('is done when all of it is written, or is not waited for any longer', async () => {
    const telling = loaded();
    await expect(telling.flush(1000)).resolves.toBe('done');
    telling.pass([serviceEntry(1)]);
    const flushed = telling.flush(1000);
    kept(telling, job());
    await expect(flushed).resolves.toBe('done');
    telling.pass([serviceEntry(2)]);
    const late = telling.flush(1000);
    vi.advanceTimersByTime(1000);
    await expect(late).resolves.toBe('late');
  });
});
