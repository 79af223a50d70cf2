import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { letter, notice } from '../../test/support/letters.js';
import type { Letter } from '../core/notice.js';
import { replaceSettled, settleDirectory } from '../journal/durable-file.js';
import { Outbox, type OutboxDisk } from './outbox.js';

const disk: OutboxDisk = { replace: replaceSettled, settle: settleDirectory };

let directory: string;
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'outbox-')), 'outbox');
});
afterEach(() => rmSync(join(directory, '..'), { recursive: true, force: true }));

const named = (id: string, channel = 'admin'): Letter => ({ ...letter(notice()), id, channel });

const opened = (most?: number, using = disk): Outbox => {
  const outbox = new Outbox(directory, using, most);
  outbox.load();
  return outbox;
};

const loaded = () => new Outbox(directory, disk).load();
const ids = (letters: readonly { readonly id: string }[]): readonly string[] => letters.map(({ id }) => id);

describe('the outbox', () => {
  it('is empty where there was none, and closed to others', () => {
    expect(loaded()).toEqual({ letters: [], desk: null, problems: [] });
  });

  it('gives back what was put, oldest first, with what the desk had kept', () => {
    const outbox = opened();
    outbox.put([named('z'), named('b')], { told: 1 });
    outbox.put([named('a')], { told: 2 });
    const { letters, desk, problems } = loaded();
    expect(ids(letters)).toEqual(['z', 'b', 'a']);
    expect(letters[0]).toEqual({ id: 'z', channel: 'admin', thread: 'w-3fq9', time: letter().time });
    expect([desk, problems]).toEqual([{ told: 2 }, []]);
  });

  it('waits for no FIFO, follows no link, and is closed to others again where it was open', () => {
    const mine = join(directory, '..', 'mine.json');
    mkdirSync(directory);
    chmodSync(directory, 0o777);
    execFileSync('mkfifo', [join(directory, 'a.json')]);
    mkdirSync(join(directory, 'b.json'));
    writeFileSync(mine, JSON.stringify({ version: 1, put: 1, place: 0, letter: named('c') }));
    symlinkSync(mine, join(directory, 'c.json'));
    const { letters, problems } = loaded();
    expect([letters, problems.length]).toEqual([[], 3]);
    expect(problems[0]).toMatch(/a\.json is damaged and was set aside .*no plain file/);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(opened().put([named('d')], { told: 1 })).toMatchObject({ type: 'kept' });
  });

  it('keeps how far the desk has told without a letter too', () => {
    opened().put([], { told: 9 });
    expect(loaded()).toEqual({ letters: [], desk: { told: 9 }, problems: [] });
  });

  it('leaves all or nothing that counts, whichever write is the last before the end (monitors 29)', () => {
    const before = opened();
    before.put([named('old')], { told: 1 });
    let writes = 0;
    const counting: OutboxDisk = {
      replace: (path, text) => {
        writes += 1;
        replaceSettled(path, text);
      },
      settle: settleDirectory,
    };
    opened(undefined, counting).put([named('x'), named('y')], { told: 2 });
    for (let last = 0; last < writes; last += 1) {
      rmSync(directory, { recursive: true });
      opened().put([named('old')], { told: 1 });
      killedAfter(last, (dying) => opened(undefined, dying).put([named('x'), named('y')], { told: 2 }));
      const found = loaded();
      expect([ids(found.letters), found.desk, found.problems]).toEqual([['old'], { told: 1 }, []]);
      const again = opened();
      again.put([named('x'), named('y')], { told: 2 });
      expect(ids(loaded().letters)).toEqual(['old', 'x', 'y']);
    }
  });

  it('refuses on a full disk, keeps nothing of it, and takes the same again when there is room', () => {
    let room: 'yes' | 'no' = 'no';
    const full: OutboxDisk = {
      replace: (path, text) => {
        if (room === 'no' && path.endsWith('desk.json')) throw new Error('ENOSPC: no space left on device');
        replaceSettled(path, text);
      },
      settle: settleDirectory,
    };
    const outbox = opened(undefined, full);
    expect(outbox.put([named('a')], { told: 1 })).toEqual({
      type: 'refused',
      reason: 'the outbox cannot be written: ENOSPC: no space left on device',
    });
    expect(readdirSync(directory)).toEqual([]);
    room = 'yes';
    expect(outbox.put([named('a')], { told: 1 }).type).toBe('kept');
    expect(ids(loaded().letters)).toEqual(['a']);
  });

  it('says so where something is in its place', () => {
    mkdirSync(join(directory, '..'), { recursive: true });
    writeFileSync(directory, '');
    const outbox = new Outbox(directory, disk);
    expect(outbox.load().problems).toEqual([expect.stringMatching(/^the outbox cannot be read: E/)]);
    expect(outbox.put([named('a')], {}).type).toBe('refused');
  });

  it('sets a damaged letter aside, and goes on with the others', () => {
    opened().put([named('a'), named('b'), named('c')], {});
    writeFileSync(join(directory, 'a.json'), readFileSync(join(directory, 'a.json')).subarray(0, 40));
    writeFileSync(join(directory, 'b.json'), '{"version":1,"put":1,"place":0,"letter":{"id":"b"}}');
    writeFileSync(join(directory, 'd.json'), readFileSync(join(directory, 'c.json')));
    const { letters, problems } = loaded();
    expect(ids(letters)).toEqual(['c']);
    expect(problems).toHaveLength(3);
    expect(problems[0]).toMatch(/a\.json is damaged and was set aside as .*a\.damaged: /);
    expect(readdirSync(directory).sort()).toEqual(['a.damaged', 'b.damaged', 'c.json', 'd.damaged', 'desk.json']);
  });

  it('keeps the letters where the file of the desk is damaged: one too many is better than none', () => {
    opened().put([named('a')], { told: 1 });
    writeFileSync(join(directory, 'desk.json'), '{"version":1');
    const { letters, desk, problems } = loaded();
    expect([ids(letters), desk]).toEqual([['a'], null]);
    expect(problems[0]).toMatch(/desk\.json is damaged/);
  });

  it('numbers what it puts after that above what it found', () => {
    opened().put([named('a')], { told: 1 });
    rmSync(join(directory, 'desk.json'));
    opened().put([named('b')], { told: 2 });
    expect(ids(loaded().letters)).toEqual(['a', 'b']);
  });

  it('counts on where a writer before it stopped, also when nobody had it read first', () => {
    opened().put([named('a')], { told: 1 });
    opened().put([named('b')], { told: 2 });
    new Outbox(directory, disk).put([named('c')], { told: 3 });
    expect(ids(loaded().letters)).toEqual(['a', 'b', 'c']);
  });

  it('drops the oldest letter of the channel with the most, when too many wait', () => {
    const outbox = opened(3);
    outbox.put([named('a', 'far'), named('b', 'log'), named('c', 'far')], {});
    const put = outbox.put([named('d', 'log'), named('e', 'far')], {});
    expect(put.type === 'kept' && [ids(put.letters), ids(put.dropped)]).toEqual([
      ['d', 'e'],
      ['a', 'b'],
    ]);
    expect(ids(loaded().letters)).toEqual(['c', 'd', 'e']);
  });

  it('does not count what the courier has delivered meanwhile', () => {
    const outbox = opened(2);
    outbox.put([named('a'), named('b')], {});
    rmSync(join(directory, 'a.json'));
    expect(outbox.put([named('c')], {})).toMatchObject({ type: 'kept', dropped: [] });
  });

  it('forgets what nobody is to have any more', () => {
    const outbox = opened();
    outbox.put([named('a'), named('b')], {});
    outbox.remove(['a', 'never-there']);
    expect(ids(loaded().letters)).toEqual(['b']);
  });
});

/** Nothing is written any more after so many writes, and nothing removed: the process is dead. */
function killedAfter(writes: number, action: (dying: OutboxDisk) => void): void {
  let left = writes;
  const gone = new Error('killed');
  const dying: OutboxDisk = {
    replace: (path, text) => {
      if (left === 0) {
        // What was half written lies beside, and what would be tidied up now is not.
        writeFileSync(`${path}.new`, text.slice(0, 20));
        const there = readdirSync(directory).map((name) => [name, readFileSync(join(directory, name))] as const);
        queue.push(() => {
          for (const [name, bytes] of there) writeFileSync(join(directory, name), bytes);
        });
        throw gone;
      }
      left -= 1;
      replaceSettled(path, text);
    },
    settle: settleDirectory,
  };
  const queue: (() => void)[] = [];
  action(dying);
  for (const restore of queue) restore();
}
