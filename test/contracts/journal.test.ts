// The port Journal on a real file: what a keeper that was killed at any instant finds again.

import { execFileSync, spawnSync } from 'node:child_process';
import {
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Entry } from '../../src/core/entry.js';
import { serviceName } from '../../src/core/spec.js';
import { newService, type Service } from '../../src/core/state.js';
import { instant, wallTime } from '../../src/core/time.js';
import { appliedIn, appliedText } from '../../src/journal/applied.js';
import { readJson, writeDurably } from '../../src/journal/durable-file.js';
import { DurableWriter } from '../../src/journal/durable-writer.js';
import { writeJob } from '../../src/journal/job.js';
import { findIn, type JournalOptions, type JournalPlace, RuntimeJournal } from '../../src/journal/journal.js';
import { encodeLine } from '../../src/journal/line.js';
import { restore } from '../../src/journal/snapshot.js';
import { Words, wordsIn } from '../../src/journal/words.js';
import { supervised } from '../support/builders.js';

let directory = '';
const closers: Array<() => void> = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'upkeep-journal-'));
});
afterEach(() => {
  for (const close of closers.splice(0)) close();
  rmSync(directory, { recursive: true, force: true });
});

interface Opened {
  readonly journal: RuntimeJournal;
  readonly problems: string[];
}

const place = (): JournalPlace => ({
  path: path(),
  boot: 'this-boot',
  host: 'web1',
  uid: process.getuid?.() ?? 0,
});

function open(options: Partial<JournalOptions> = {}): Opened {
  const problems: string[] = [];
  const journal = new RuntimeJournal({
    ...place(),
    freshToken: 'fresh',
    ticks: () => 0,
    report: (problem) => problems.push(problem),
    ...options,
  });
  closers.push(() => journal.close());
  return { journal, problems };
}

function service(name: string, generation = 1): Service {
  return { ...newService(supervised({ name }), instant(5)), generation };
}

function entry(number: number): Entry {
  const news = { of: 'keeper', what: { type: 'channelBack', channel: 'far' } } as const;
  return { origin: 'here', number, time: wallTime(number), at: instant(number), news, output: null };
}

/** What a new keeper finds of these services, by name. */
function generations(journal: RuntimeJournal): Record<string, number> {
  return Object.fromEntries(
    [...journal.found.snapshots].map(([name, snapshot]) => [name, snapshot.service.generation]),
  );
}

const path = (): string => join(directory, 'journal');

describe('the journal', () => {
  it('gives the next keeper of this boot every service as it was recorded last, and the token (supervisors 32)', () => {
    const first = open({ freshToken: 'token-1' });
    first.journal.record([service('web', 1), service('db', 1)], [], []);
    first.journal.record([service('web', 2)], [serviceName('db')], []);
    const { journal, problems } = open({ freshToken: 'token-2' });
    expect(generations(journal)).toEqual({ web: 2 });
    expect(journal.found).toMatchObject({ boot: 'same', loss: null });
    expect(journal.token).toBe('token-1');
    expect(problems).toEqual([]);
    expect(statSync(path()).mode & 0o777).toBe(0o600);
  });

  it('gives back a service whole, with the definition it is under and the one that waits, whatever is applied by then', () => {
    const spec = supervised({ name: 'web', description: 'old' });
    const next = supervised({ name: 'web', description: 'new' });
    const plain: Service = { ...newService(spec, instant(5)), generation: 7 };
    const found = (): Service | null => {
      const snapshot = open().journal.found.snapshots.get('web');
      if (snapshot === undefined) throw new Error('not found');
      return restore(snapshot, null);
    };
    for (const it of [plain, { ...plain, next }, { ...plain, spec: next }]) {
      open().journal.record([it], [], []);
      expect(found()).toEqual(it);
    }
  });

  it('writes a definition once, however often its service is recorded', () => {
    const { journal } = open();
    const one = { ...newService(supervised({ name: 'web', description: 'x'.repeat(5000) }), instant(5)) };
    for (let generation = 1; generation <= 100; generation += 1) journal.record([{ ...one, generation }], [], []);
    expect(statSync(path()).size).toBeLessThan(100 * 1500);
    expect(open().journal.found.snapshots.get('web')?.spec?.description).toHaveLength(5000);
  });

  it('remembers when a generation was recorded first, over later records and later keepers', () => {
    let now = 100;
    const { journal } = open({ ticks: () => now });
    const begun = (): number | undefined => findIn(place()).snapshots.get('web')?.begun;
    journal.record([service('web', 1)], [], []);
    now = 200;
    journal.record([{ ...service('web', 1), matched: 'once' }], [], []);
    expect(begun()).toBe(100);
    now = 300;
    journal.record([service('web', 2)], [], []);
    expect(begun()).toBe(300);
    open({ ticks: () => 900 }).journal.record([service('web', 2)], [], []);
    expect(begun()).toBe(300);
  });

  it('drops what was recorded in another boot: its processes are no more', () => {
    open().journal.record([service('web')], [], []);
    const { journal } = open({ boot: 'another-boot' });
    expect(journal.found).toEqual({ snapshots: new Map(), loss: null, boot: 'other', untold: [], last: 0 });
    expect(journal.token).toBe('fresh');
  });

  it('finds every state that was recorded before a death in the middle of a line', () => {
    const { journal } = open();
    const sizes: number[] = [];
    for (let generation = 1; generation <= 5; generation += 1) {
      journal.record([service('web', generation)], [], []);
      sizes.push(statSync(path()).size);
    }
    const whole = readFileSync(path());
    for (let length = sizes[0] ?? 0; length <= whole.length; length += 37) {
      writeFileSync(path(), whole.subarray(0, length));
      const written = sizes.filter((size) => size <= length).length;
      const again = open().journal;
      // Without its newline a line is as good as with it.
      expect([written, written + 1]).toContain(generations(again).web);
      expect(again.found.boot).toBe('same');
    }
  });

  it('uses what is good of a damaged journal and says what was lost, wherever one bit is wrong', () => {
    const { journal } = open();
    journal.record([service('a'), service('b'), service('c')], [], []);
    const whole = readFileSync(path());
    for (let at = 0; at < whole.length; at += 11) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ 0x04;
      writeFileSync(path(), damaged);
      const again = open().journal;
      expect(again.found.snapshots.size).toBeGreaterThanOrEqual(1);
      for (const generation of Object.values(generations(again))) expect(generation).toBe(1);
      // Of a service whose definition is damaged the configuration has one.
      for (const snapshot of again.found.snapshots.values())
        expect(restore(snapshot, service('any').spec)).not.toBeNull();
      expect(again.found.loss).toMatch(/damaged line/);
    }
  });

  it('takes a file of nothing but rubbish as none, and says so', () => {
    for (const rubbish of ['', 'rubbish', '\n\n\n', '00000000 {}\n', Buffer.alloc(100_000)]) {
      writeFileSync(path(), rubbish);
      const { journal } = open();
      expect(journal.found.snapshots.size).toBe(0);
      expect(journal.found.loss).toContain(path());
      journal.record([service('web')], [], []);
      expect(generations(open().journal)).toEqual({ web: 1 });
    }
  });

  it('keeps what happened until it is told, over any number of keepers (monitors 29)', () => {
    const first = open().journal;
    first.record([service('web', 1)], [], [entry(1), entry(2)]);
    first.record([], [], [entry(3)]);
    first.told(1);
    const second = open().journal;
    expect(second.found.untold.map(({ number }) => number)).toEqual([2, 3]);
    expect(second.last).toBe(3);
    second.record([], [], [entry(4)]);
    second.told(4);
    const third = open().journal;
    expect(third.found.untold).toEqual([]);
    expect(third.last).toBe(4);
  });

  it('tells what happened before the boot too, though its processes are no more', () => {
    open().journal.record([service('web', 1)], [], [entry(1)]);
    const { journal } = open({ boot: 'another-boot' });
    expect(journal.found).toMatchObject({ snapshots: new Map(), boot: 'other' });
    expect(journal.found.untold.map(({ number }) => number)).toEqual([1]);
    expect(journal.last).toBe(0);
  });

  it('stays bounded while nothing can be told, and counts what it threw away', () => {
    const { journal } = open();
    for (let number = 1; number <= 20_003; number += 1) journal.record([], [], [entry(number)]);
    expect(journal.dropped).toBe(3);
    const { found, last } = open().journal;
    expect(found.untold.length).toBeGreaterThanOrEqual(20_000);
    expect(last).toBe(20_003);
  });

  it('refuses the journal of a newer version and leaves it as it is', () => {
    const newer = encodeLine({ version: 5, boot: 'this-boot', host: 'web1', token: 't' });
    writeFileSync(path(), newer);
    expect(() => open()).toThrow(/newer upkeep/);
    expect(readFileSync(path(), 'utf8')).toBe(newer);
  });

  it('refuses a link in its place, and the journal of another user', () => {
    symlinkSync(join(directory, 'elsewhere'), path());
    writeFileSync(join(directory, 'elsewhere'), '');
    expect(() => open()).toThrow();
    rmSync(path());
    open().journal.record([service('web')], [], []);
    expect(() => open({ uid: 12_345 })).toThrow(/belongs to uid/);
    if (process.getuid?.() !== 0) return;
    chownSync(path(), 12_345, 12_345);
    expect(() => open()).toThrow(/belongs to uid 12345/);
  });

  it('stays in proportion to what lives, however much happens', () => {
    const { journal } = open();
    for (let generation = 1; generation <= 4_000; generation += 1) journal.record([service('web', generation)], [], []);
    expect(statSync(path()).size).toBeLessThan(2 * 1024 * 1024);
    expect(generations(open().journal)).toEqual({ web: 4_000 });
  });

  it('goes on without a journal that cannot be written, says so once, and writes it whole when it can again', () => {
    const { journal, problems } = open();
    journal.record([service('a', 1)], [], []);
    // A directory that is not there any more stands for a disk without room: nothing new can be put in place.
    for (let generation = 1; generation <= 4_000; generation += 1) journal.record([service('big', generation)], [], []);
    renameSync(directory, `${directory}-away`);
    for (let generation = 1; generation <= 4_000; generation += 1) journal.record([service('b', generation)], [], []);
    expect(problems).toHaveLength(1);
    expect(journal.health).toBe('broken');
    renameSync(`${directory}-away`, directory);
    journal.record([service('c', 9)], [], []);
    expect(journal.health).toBe('good');
    expect(problems).toHaveLength(2);
    expect(generations(open().journal)).toEqual({ a: 1, big: 4_000, b: 4_000, c: 9 });
  });
});

// A small disk in a mount namespace of its own, which nobody else sees.
const canMount = spawnSync('unshare', ['-m', 'true']).status === 0;

describe.runIf(canMount)('the journal on a full disk', () => {
  it('does not stop the keeper, neither at its start nor later, and is whole once there is room (supervisors 35)', () => {
    const program = `
      import { rmSync, writeFileSync } from 'node:fs';
      import { RuntimeJournal } from '${new URL('../../dist/journal/journal.js', import.meta.url).href}';
      const [directory, text] = process.argv.slice(1);
      const problems = [];
      const open = () => new RuntimeJournal({ path: directory + '/journal', boot: 'b', host: 'h', uid: process.getuid(), freshToken: 't', ticks: () => 0, report: (problem) => problems.push(problem) });
      const fill = () => { try { writeFileSync(directory + '/fill', Buffer.alloc(1 << 20)); } catch {} };
      const service = (name) => ({ ...JSON.parse(text), spec: { name, kind: {} } });
      fill();
      const journal = open();
      journal.record([service('a')], [], []);
      rmSync(directory + '/fill');
      journal.record([service('b')], [], []);
      fill();
      for (let i = 0; i < 50; i += 1) journal.record([service('c' + i)], [], []);
      rmSync(directory + '/fill');
      journal.record([service('d')], [], []);
      console.log(JSON.stringify({ names: [...open().found.snapshots.keys()].length, problems: problems.length }));`;
    const script = 'mount -t tmpfs -o size=128k none "$1" && exec "$2" --input-type=module -e "$3" "$1" "$4"';
    const text = JSON.stringify(service('web'));
    const out = execFileSync('unshare', ['-m', 'sh', '-c', script, 'sh', directory, process.execPath, program, text], {
      encoding: 'utf8',
    });
    expect(JSON.parse(out)).toEqual({ names: 53, problems: 4 });
  });
});

describe('the words of operators', () => {
  const stop = { desired: 'down', by: null, since: wallTime(1), until: null, lasts: 'always', reason: 'disk' } as const;
  const hold = { by: null, since: wallTime(2), until: wallTime(3), reason: null } as const;

  it('outlive a reboot when they are meant to, and only then (monitors 18)', () => {
    const written: string[] = [];
    const words = new Words('words.json', new Map(), (_path, text) => written.push(text));
    words.record(
      [
        { ...service('a'), override: stop },
        { ...service('b'), override: { ...stop, lasts: 'boot' } },
        { ...service('c'), hold },
      ],
      [],
    );
    const found = wordsIn(JSON.parse(written.at(-1) ?? ''), 'words.json');
    expect([...found]).toEqual([
      ['a', { override: stop, hold: null }],
      ['c', { override: null, hold }],
    ]);
    const next = new Words('words.json', found, (_path, text) => written.push(text));
    next.record([service('a')], [serviceName('c')]);
    expect(wordsIn(JSON.parse(written.at(-1) ?? ''), 'words.json').size).toBe(0);
  });

  it('are written only when they change', () => {
    const written: string[] = [];
    const words = new Words('words.json', new Map(), (_path, text) => written.push(text));
    words.record([service('a'), { ...service('b'), override: stop }], []);
    words.record([{ ...service('b', 2), override: { ...stop } }], [serviceName('unknown')]);
    expect(written).toHaveLength(1);
  });

  it('are refused when they are of a newer version or none of ours', () => {
    expect(() => wordsIn({ version: 2, words: {} }, 'words.json')).toThrow(/newer/);
    expect(() => wordsIn([], 'words.json')).toThrow(/words\.json is damaged/);
    expect(wordsIn(null, 'words.json').size).toBe(0);
  });
});

describe('the applied configuration', () => {
  it('comes back as it was', () => {
    const file = join(directory, 'applied.json');
    const configuration = { specs: [supervised({ name: 'web' })] };
    writeDurably(file, appliedText(configuration, 5));
    expect(appliedIn(readJson(file), file)).toEqual({ version: 1, at: 5, configuration });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readJson(join(directory, 'nothing'))).toBeNull();
    expect(() => appliedIn({ version: 2, configuration }, file)).toThrow(/newer/);
  });

  it('is written again and again until it can be, its newest version only, and told of twice', {
    timeout: 180_000,
  }, async () => {
    const told: string[] = [];
    const writer = new DurableWriter((problem) => told.push(problem));
    closers.push(() => writer.close());
    const folder = join(directory, 'state');
    const file = join(folder, 'applied.json');
    writer.perform(writeJob(file, 'one'));
    writer.perform(writeJob(file, 'two'));
    expect(told).toHaveLength(1);
    mkdirSync(folder);
    await expect.poll(() => told, { timeout: 30_000 }).toHaveLength(2);
    expect(readFileSync(file, 'utf8')).toBe('two');
  });

  it('is not half there when writing it failed', () => {
    const file = join(directory, 'applied.json');
    writeDurably(file, 'old');
    mkdirSync(`${file}.new`);
    expect(() => writeDurably(file, 'new')).toThrow();
    expect(readFileSync(file, 'utf8')).toBe('old');
  });
});
