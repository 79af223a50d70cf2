import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { alice, ENTRY_TIME, keeperEntry, killed, serviceEntry } from '../../test/support/entries.js';
import type { Entry } from '../core/entry.js';
import { anything, type Question } from '../core/history.js';
import { wallTime } from '../core/time.js';
import { History, type HistoryOptions } from './history.js';
import { libsql } from './libsql.js';
import { nodeSqlite } from './node-sqlite.js';
import { defaultBounds } from './prune.js';
import type { Sqlite, Store } from './store.js';

/** Those that the Node at hand has: 20 has libsql alone. */
const bindings = [nodeSqlite(), libsql()].filter((sqlite) => sqlite !== null);

const everything: Question = { ...anything, most: 1000 };

let path: string;
let said: string[];
const opened: History[] = [];

beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'upkeep-history-')), 'history.db');
  said = [];
});
afterEach(() => {
  for (const history of opened.splice(0)) history.close();
  rmSync(dirname(path), { recursive: true, force: true });
});

function open(sqlite: Sqlite | null, more: Partial<HistoryOptions> = {}): History {
  const say = (text: string): void => void said.push(text);
  const history = new History({ path, sqlite, bounds: defaultBounds, now: () => ENTRY_TIME, say, ...more });
  opened.push(history);
  return history;
}

function ask(history: History, more: Partial<Question> = {}): readonly Entry[] {
  const answer = history.ask({ ...everything, ...more });
  if (answer.type === 'unavailable') throw new Error(answer.problem);
  return answer.entries;
}

const numbers = (history: History, more: Partial<Question> = {}): readonly number[] =>
  ask(history, more).map(({ number }) => number);

const aside = (): readonly string[] =>
  readdirSync(dirname(path)).filter((name) => /^history\.db\.\d/.test(name) && !/-(wal|shm)$/.test(name));

it('finds an SQLite on every Node that it runs on', () => {
  expect(bindings.map(({ name }) => name)).not.toEqual([]);
});

describe.each(bindings)('the history with $name', (sqlite) => {
  it('gives back what it was given, as it was, in the order in which it happened', () => {
    const entries = [
      serviceEntry(1, { what: killed(), output: ['one', 'two \u2603'], incident: 'i1', line: 'web is not running' }),
      // The clock was set back.
      serviceEntry(2, { time: ENTRY_TIME - 5000 }),
      keeperEntry(3, { type: 'applied', config: '/etc/upkeep/upkeep.yaml', by: alice }),
    ];
    const history = open(sqlite);
    expect(history.append(entries)).toEqual({ type: 'kept' });
    expect(ask(history)).toEqual(entries);
    history.close();
    expect(ask(open(sqlite))).toEqual(entries);
  });

  it('keeps an entry once, however often a keeper that was killed gives it again', () => {
    const history = open(sqlite);
    history.append([serviceEntry(1), serviceEntry(2)]);
    history.append([serviceEntry(2), serviceEntry(3)]);
    history.append([serviceEntry(1, { origin: 'bbbb' })]);
    expect(ask(history).map(({ origin, number }) => `${origin}.${number}`)).toEqual([
      'aaaa.1',
      'aaaa.2',
      'aaaa.3',
      'bbbb.1',
    ]);
  });

  it('answers with what was asked for', () => {
    const history = open(sqlite);
    history.append([
      serviceEntry(1, { service: 'web-1', what: killed(), incident: 'i1', level: 'warning' }),
      serviceEntry(2, { service: 'web-2', level: 'debug' }),
      serviceEntry(3, { service: 'db', what: { type: 'asked', verb: 'stop', by: alice, reason: null } }),
      keeperEntry(4, { type: 'ended', how: 'leave', by: { ...alice, user: null, uid: 7 } }),
      keeperEntry(5, { type: 'acked', incident: 'i1', service: 'web-1', by: alice, reason: null }),
    ]);
    expect(numbers(history, { services: ['db'] })).toEqual([3]);
    expect(numbers(history, { services: ['web-*'] })).toEqual([1, 2, 5]);
    expect(numbers(history, { services: ['web-[!2]', 'db'] })).toEqual([1, 3, 5]);
    expect(numbers(history, { services: ["'; DROP TABLE entry; --"] })).toEqual([]);
    expect(numbers(history, { what: ['died', 'ended'] })).toEqual([1, 4]);
    expect(numbers(history, { incident: 'i1' })).toEqual([1, 5]);
    expect(numbers(history, { by: 'alice' })).toEqual([1, 3, 5]);
    expect(numbers(history, { by: '7' })).toEqual([4]);
    expect(numbers(history, { level: 'info' })).toEqual([1, 3, 4, 5]);
    expect(numbers(history, { level: 'warning' })).toEqual([1]);
    expect(numbers(history, { since: wallTime(ENTRY_TIME + 2000), until: wallTime(ENTRY_TIME + 4000) })).toEqual([
      2, 3,
    ]);
  });

  it('answers with the newest, and page by page with what came before and after', () => {
    const history = open(sqlite);
    history.append([1, 2, 3, 4, 5].map((number) => serviceEntry(number)));
    expect(numbers(history, { most: 2 })).toEqual([4, 5]);
    expect(numbers(history, { most: 2, before: { origin: 'aaaa', number: 4 } })).toEqual([2, 3]);
    expect(numbers(history, { most: 2, after: { origin: 'aaaa', number: 1 } })).toEqual([2, 3]);
    expect(history.ask({ ...everything, services: ['db'] })).toEqual({
      type: 'found',
      entries: [],
      last: { origin: 'aaaa', number: 5 },
    });
  });

  it('has everything to tell after an entry that a history begun anew does not know', () => {
    const history = open(sqlite);
    history.append([serviceEntry(8), serviceEntry(1, { origin: 'bbbb' })]);
    expect(numbers(history, { after: { origin: 'aaaa', number: 7 } })).toEqual([8, 1]);
    expect(numbers(history, { after: { origin: 'aaaa', number: 9 } })).toEqual([1]);
  });

  it('is for its own user alone', () => {
    open(sqlite).append([serviceEntry(1)]);
    const modes = ['', '-wal', '-shm'].map((end) => statSync(`${path}${end}`).mode & 0o777);
    expect(modes).toEqual([0o600, 0o600, 0o600]);
    chmodSync(path, 0o644);
    expect(numbers(open(sqlite))).toEqual([1]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('forgets what is older than its time, a few at a time', () => {
    const bounds = { ...defaultBounds, age: 1_000_000 };
    let now = ENTRY_TIME;
    const history = open(sqlite, { bounds, now: () => now });
    history.append(Array.from({ length: 500 }, (_, index) => serviceEntry(index, { time: ENTRY_TIME + index })));
    now = ENTRY_TIME + 1_000_000 + 499;
    expect(history.prune()).toBe('more');
    expect(numbers(history)).toHaveLength(300);
    while (history.prune() === 'more');
    expect(numbers(history)).toEqual([499]);
  });

  it('stays within its size, and keeps the newest', () => {
    const bounds = { ...defaultBounds, bytes: 2 ** 20 };
    const history = open(sqlite, { bounds });
    const output = ['x'.repeat(1000)];
    let largest = 0;
    for (let number = 0; number < 6000; number += 20) {
      history.append(Array.from({ length: 20 }, (_, index) => serviceEntry(number + index, { output })));
      largest = Math.max(largest, statSync(path).size + statSync(`${path}-wal`).size);
    }
    // The database, its slack, and the log of what was not yet written into it: 1000 pages.
    expect(largest).toBeLessThan(2 ** 20 + 2 ** 20 + 6 * 2 ** 20);
    const kept = numbers(history);
    expect(kept.at(-1)).toBe(5999);
    expect(kept.length).toBeGreaterThan(300);
    expect(kept).toEqual(kept.map((_, index) => 6000 - kept.length + index));
  });

  it('gives pages back to the disk when its bounds are narrower than before', () => {
    const output = ['x'.repeat(1000)];
    const wide = open(sqlite);
    wide.append(Array.from({ length: 5000 }, (_, index) => serviceEntry(index, { output })));
    wide.close();
    const before = statSync(path).size;
    const history = open(sqlite, { bounds: { ...defaultBounds, bytes: 2 ** 20 } });
    while (history.prune() === 'more');
    history.close();
    expect(statSync(path).size).toBeLessThan(before / 2);
  });

  it('sets a damaged file aside, says so, and begins anew', () => {
    writeFileSync(path, 'no database at all, and quite long enough to look at '.repeat(100));
    const history = open(sqlite);
    expect(history.append([serviceEntry(1)])).toEqual({ type: 'kept' });
    expect(numbers(history)).toEqual([1]);
    expect(said).toEqual([
      expect.stringMatching(
        /^the history .*history\.db is damaged \(.*\); it was set aside as history\.db\.2026-11-20T10-00-00\.000Z, and a new one is begun$/,
      ),
    ]);
    expect(readFileSync(join(dirname(path), aside()[0] ?? ''), 'utf8')).toMatch(/^no database/);
  });

  it('finds damage in the middle of the file, and says so to whoever asks', () => {
    const first = open(sqlite);
    first.append(Array.from({ length: 2000 }, (_, index) => serviceEntry(index)));
    first.close();
    const bytes = readFileSync(path);
    bytes.fill(0xff, 8192);
    writeFileSync(path, bytes);
    const history = open(sqlite);
    expect(history.ask(everything)).toMatchObject({ type: 'unavailable', problem: expect.stringMatching(/set aside/) });
    expect(history.ask(everything)).toEqual({ type: 'found', entries: [], last: null });
    expect(aside()).toHaveLength(1);
  });

  it.each<[string, () => void, RegExp]>([
    ['a directory', () => mkdirSync(path), /is a directory/],
    ['a link to nothing', () => symlinkSync('/nonexistent/history.db', path), /is a link to nothing/],
    ['a link beside it', () => symlinkSync('/etc/passwd', `${path}-shm`), /is no file in the place of its -shm/],
    ['a directory beside it', () => mkdirSync(`${path}-wal`), /is no file in the place of its -wal/],
    ['a torn file', () => truncateSync(written(sqlite), 6000), /is damaged/],
    ['another version', () => change(sqlite, 'PRAGMA user_version = 7'), /was written by another version of upkeep/],
    ['other tables', () => change(sqlite, 'DROP TABLE entry'), /is not as this version made it/],
    ['another database', () => change(sqlite, 'PRAGMA user_version = 0'), /is the database of another program/],
  ])('takes %s in its place for no history', (_what, make, why) => {
    make();
    const history = open(sqlite);
    expect(history.append([serviceEntry(7)])).toEqual({ type: 'kept' });
    expect(numbers(history)).toEqual([7]);
    expect(said).toEqual([expect.stringMatching(why)]);
    expect(aside()).toHaveLength(1);
  });

  it('never keeps more than two that were set aside', () => {
    let now = ENTRY_TIME;
    for (let time = 0; time < 4; time += 1) {
      writeFileSync(path, `${time} `.repeat(5000));
      now += 1000;
      const history = open(sqlite, { now: () => now });
      history.append([serviceEntry(1)]);
      history.close();
    }
    expect(aside().map((name) => readFileSync(join(dirname(path), name), 'utf8').slice(0, 1))).toEqual(['2', '3']);
    const left = readdirSync(dirname(path)).filter((name) => /Z-(wal|shm)$/.test(name));
    expect(left.filter((name) => !aside().includes(name.replace(/-\w+$/, '')))).toEqual([]);
  });

  it('goes on in a new file when somebody removes the old one', () => {
    const history = open(sqlite);
    history.append([serviceEntry(1)]);
    for (const end of ['', '-wal', '-shm']) rmSync(`${path}${end}`);
    expect(history.append([serviceEntry(2)])).toEqual({ type: 'kept' });
    history.close();
    expect(numbers(open(sqlite))).toEqual([2]);
    expect(said).toEqual([expect.stringMatching(/was removed or replaced/)]);
  });

  it('says once that it cannot, goes on trying, and says that it can again', () => {
    const directory = dirname(path);
    rmSync(directory, { recursive: true });
    const history = open(sqlite);
    expect(history.append([serviceEntry(1)]).type).toBe('later');
    expect(history.append([serviceEntry(1)]).type).toBe('later');
    expect(history.ask(everything).type).toBe('unavailable');
    expect(said).toHaveLength(1);
    mkdirSync(directory);
    expect(history.append([serviceEntry(1)])).toEqual({ type: 'kept' });
    expect(said[1]).toMatch(/is kept again$/);
    expect(numbers(history)).toEqual([1]);
  });

  it('waits for nobody: who locks the file is named, and it goes well later', () => {
    const history = open(sqlite);
    history.append([serviceEntry(1)]);
    const other = sqlite.open(path);
    other.exec('BEGIN IMMEDIATE');
    expect(history.append([serviceEntry(2)])).toEqual({
      type: 'later',
      problem: expect.stringMatching(/is locked by another program/),
    });
    expect(numbers(history)).toEqual([1]);
    other.exec('ROLLBACK');
    other.close();
    expect(history.append([serviceEntry(2)])).toEqual({ type: 'kept' });
    expect(numbers(history)).toEqual([1, 2]);
  });

  it('says that the disk is full, goes on answering, and goes well when there is room again', () => {
    const disk = smallDisk(sqlite);
    const history = open(disk.sqlite);
    history.append([serviceEntry(1)]);
    disk.hold(1);
    const many = Array.from({ length: 200 }, (_, index) => serviceEntry(2 + index));
    const full = { type: 'later', problem: expect.stringMatching(/no space is left on its disk$/) };
    expect(history.append(many)).toEqual(full);
    expect(history.append(many)).toEqual(full);
    expect(numbers(history)).toEqual([1]);
    disk.hold(1_000_000);
    expect(history.append(many)).toEqual({ type: 'kept' });
    expect(numbers(history)).toHaveLength(201);
    expect(said).toEqual([expect.stringMatching(/no space/), expect.stringMatching(/is kept again$/)]);
    expect(aside()).toEqual([]);
  });

  it('begins when there is room, where the disk was full from the start', () => {
    const disk = smallDisk(sqlite);
    disk.hold(1);
    const history = open(disk.sqlite);
    expect(history.append([serviceEntry(1)]).type).toBe('later');
    expect(history.ask(everything).type).toBe('unavailable');
    disk.hold(1_000_000);
    expect(history.append([serviceEntry(1)])).toEqual({ type: 'kept' });
    expect(numbers(history)).toEqual([1]);
    expect(aside()).toEqual([]);
  });

  it('keeps all of what it is given at once, or none of it', () => {
    const history = open(sqlite);
    history.append([serviceEntry(1)]);
    const other = sqlite.open(path);
    other.exec("CREATE TRIGGER no BEFORE INSERT ON entry WHEN new.number = 3 BEGIN SELECT RAISE(ABORT, 'no'); END");
    other.close();
    expect(history.append([serviceEntry(2), serviceEntry(3)]).type).toBe('later');
    expect(numbers(history)).toEqual([1]);
  });
});

it('says that there is no history where there is no SQLite, and touches nothing', () => {
  const history = open(null);
  expect(history.append([serviceEntry(1)])).toMatchObject({ type: 'never' });
  expect(history.ask(everything)).toMatchObject({ type: 'unavailable', problem: expect.stringMatching(/no SQLite/) });
  expect(history.prune()).toBe('done');
  expect(said).toEqual([expect.stringMatching(/^there is no history: /)]);
  expect(existsSync(path)).toBe(false);
});

/** To SQLite a database that may not grow is a disk that is full. */
function smallDisk(sqlite: Sqlite): { readonly sqlite: Sqlite; readonly hold: (pages: number) => void } {
  let room = 1_000_000;
  let last: Store | null = null;
  const limit = (): void => last?.exec(`PRAGMA max_page_count = ${room}`);
  const openLimited = (at: string): Store => {
    const store = sqlite.open(at);
    const close = (): void => {
      last = null;
      store.close();
    };
    last = { ...store, close };
    limit();
    return last;
  };
  const hold = (pages: number): void => {
    room = pages;
    limit();
  };
  return { sqlite: { ...sqlite, open: openLimited }, hold };
}

/** A history with an entry, closed. */
function written(sqlite: Sqlite): string {
  const history = open(sqlite);
  history.append([serviceEntry(1)]);
  history.close();
  expect(lstatSync(path).isFile()).toBe(true);
  return path;
}

function change(sqlite: Sqlite, sql: string): void {
  const store = sqlite.open(written(sqlite));
  store.exec(sql);
  store.close();
}
