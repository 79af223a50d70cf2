import { closeSync, fstatSync, openSync, readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { asPid, type ProcessRef } from '../core/process.js';
import type { ServiceName } from '../core/spec.js';
import type { Held } from './held-descriptors.js';
import { createPump, type Pump } from './pump.js';
import { type Admit, type KeepOrder, StoredDescriptors } from './stored-descriptors.js';
import { close, duplicate, eventfd, pipe, write } from './syscalls.js';

const web = 'web' as ServiceName;
const main: ProcessRef = { pid: asPid(10), startTicks: 1, inode: null };
const successor: ProcessRef = { pid: asPid(11), startTicks: 2, inode: null };

/** Everything that is new, up to `most`: the rules themselves are protocol/'s. */
const admit: Admit = (has, arriving, most, isSame) => {
  const isKnown = (one: (typeof arriving)[number]): boolean => has.some((other) => isSame(other, one));
  const fresh = arriving.filter((one) => !isKnown(one));
  const room = most - has.length;
  return { kept: fresh.slice(0, room), known: arriving.filter(isKnown), refused: fresh.slice(room) };
};

let pump: Pump;
let waiting: number[] = [];
let held = new Map<number, Held>();
let said: string[] = [];
/** What only a living process of the service has. */
let lost: Held[] = [];
let store: StoredDescriptors;

const make = (): StoredDescriptors =>
  new StoredDescriptors({
    pump,
    held: {
      add: (one) => void held.set(one.fd, one),
      remove: (fd) => void held.delete(fd),
      of: () => [...held.values()],
      recoverFrom: () => lost.splice(0),
    },
    batches: { claim: () => waiting.splice(0) },
    admit,
    onFull: (service, refused, sent, most) => said.push(`${service}: ${refused} of ${sent}, ${most}`),
    complain: (service, text) => said.push(`${service}: ${text}`),
    now: () => 1000,
  });

beforeEach(() => {
  held = new Map();
  said = [];
  pump = createPump({ uvPoll: 'yes' }, (problem, error) => said.push(`${problem}: ${String(error)}`));
  store = make();
});
afterEach(() => {
  store.empty(web);
  pump.close();
});

const order: KeepOrder = {
  spec: { name: web, fdStore: 4 },
  process: main,
  as: 'main',
  batch: 1,
  name: 'x',
  poll: 'yes',
};

function keep(fds: readonly number[], more: Partial<KeepOrder> = {}): void {
  waiting = [...fds];
  store.keep({ ...order, ...more });
}

const file = (): number => openSync(import.meta.filename, 'r');
const passed = (): readonly string[] => store.pass(order.spec).map(({ name }) => name);
const isOpen = (fd: number): boolean => {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
};
const count = (): number => readdirSync('/proc/self/fd').length;

async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 20_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error('it did not come to that');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('what a service stores', () => {
  it('is passed to its next start in the order in which it came, and held beside us', () => {
    keep([file(), file()], { name: 'a' });
    keep([file()], { name: 'b' });
    expect(passed()).toEqual(['a', 'a', 'b']);
    expect([...held.values()].map(({ owner, kind, name }) => ({ owner, kind, name }))).toEqual(
      ['a', 'a', 'b'].map((name) => ({ owner: 'web', kind: 'stored', name })),
    );
  });

  it('is one descriptor for one open file, under the name that it had first (graceful C2)', () => {
    const before = count();
    const one = file();
    keep([one], { name: 'first' });
    keep([duplicate(one)], { name: 'second' });
    expect(passed()).toEqual(['first']);
    expect(count()).toBe(before + 1);
  });

  it('is closed when there is no room, and the log says so once a message (graceful C4)', () => {
    const fds = Array.from({ length: 6 }, file);
    keep(fds);
    expect(passed()).toHaveLength(4);
    expect(fds.map(isOpen)).toEqual([true, true, true, true, false, false]);
    expect(said).toEqual(['web: 2 of 6, 4']);
  });

  it('is closed by its name, all of it', () => {
    keep([file(), file()], { name: 'a' });
    keep([file()], { name: 'b' });
    store.drop(web, 'a');
    store.drop(web, 'never there');
    expect(passed()).toEqual(['b']);
    expect(held.size).toBe(1);
  });

  it('is closed when the other end hangs up, unless it is not to be looked at (graceful C3)', async () => {
    const [one, other] = [pipe(), pipe()];
    keep([one[0]], { name: 'looked at' });
    keep([other[0]], { name: 'left', poll: 'no' });
    close(one[1]);
    close(other[1]);
    await until(() => store.of(web).length === 1);
    expect(passed()).toEqual(['left']);
    expect([isOpen(one[0]), isOpen(other[0])]).toEqual([false, true]);
    expect(held.size).toBe(1);
  });

  it('stays while there is something to read from it', async () => {
    const [one, other] = [pipe(), pipe()];
    keep([one[0]], { name: 'with data' });
    keep([other[0]], { name: 'hung up' });
    write(one[1], Buffer.from('data'));
    close(other[1]);
    await until(() => store.of(web).length === 1);
    expect(passed()).toEqual(['with data']);
    close(one[1]);
  });

  it('is nothing any more when it may store none by its new definition', () => {
    keep([file()]);
    expect(store.pass({ name: web, fdStore: 0 })).toEqual([]);
    expect(held.size).toBe(0);
  });

  it('of a service that is not there any more is closed', () => {
    keep([file()]);
    store.retain(new Set(['other']));
    expect([passed(), held.size]).toEqual([[], 0]);
  });
});

describe('what a new generation stores beside the old one', () => {
  it('is passed to nobody, and counts apart, until it has taken over', () => {
    keep([file(), file(), file()], { name: 'old' });
    keep([file(), file()], { name: 'new', as: 'successor', process: successor });
    expect(passed()).toEqual(['old', 'old', 'old']);
    expect(store.of(web)).toHaveLength(5);
    store.settle(web, successor, 'join');
    expect(passed()).toEqual(['old', 'old', 'old', 'new']);
    expect(said).toEqual(['web: 1 of 2, 4']);
    expect(held.size).toBe(4);
  });

  it('is closed when it does not', () => {
    const before = count();
    keep([file()], { name: 'old' });
    keep([file()], { name: 'new', as: 'successor', process: successor });
    store.settle(web, successor, 'discard');
    expect([passed(), count()]).toEqual([['old'], before + 1]);
  });

  it('is not taken out by what the main process removes', () => {
    keep([file()], { name: 'x', as: 'successor', process: successor });
    store.drop(web, 'x');
    store.settle(web, successor, 'join');
    expect(passed()).toEqual(['x']);
  });

  it('is watched on when it has taken over', async () => {
    const [one, end] = pipe();
    keep([one], { as: 'successor', process: successor });
    store.settle(web, successor, 'join');
    close(end);
    await until(() => store.of(web).length === 0);
    expect(said).toEqual([]);
  });
});

describe('the next keeper', () => {
  it('takes from the living process what was lost, save what could be another of its kind', () => {
    const [found, timer] = [file(), eventfd()];
    const note = JSON.stringify({ poll: 'yes', since: 5, by: null, most: 4 });
    lost = [found, timer].map((fd) => ({ fd, owner: 'web', kind: 'stored', name: `n${fd}`, note }));
    store.met(web, main);
    expect(passed()).toEqual([`n${found}`]);
    expect(isOpen(timer)).toBe(false);
  });

  it('goes on with it all: names, order, what counts and what is looked at', async () => {
    const [one, other] = [pipe(), pipe()];
    keep([one[0]], { name: 'a' });
    keep([other[0]], { name: 'b', poll: 'no' });
    keep([file()], { name: 'c', as: 'successor', process: successor });
    const before = store.of(web);
    store.close();
    store = make();
    expect(store.of(web)).toEqual(before);
    expect(passed()).toEqual(['a', 'b']);
    close(one[1]);
    close(other[1]);
    await until(() => store.of(web).length === 2);
    store.settle(web, successor, 'join');
    expect(passed()).toEqual(['b', 'c']);
  });
});

it('leaves no descriptor open after 10,000 messages of a hostile service', () => {
  const before = count();
  const [one, dup] = [file(), file()];
  for (let i = 0; i < 10_000; i++) {
    keep([duplicate(one), duplicate(dup), duplicate(one)], { name: `n${i % 3}` });
    if (i % 7 === 0) store.drop(web, 'n0');
    if (i % 5 === 0) keep([duplicate(dup)], { as: 'successor', process: successor });
    if (i % 11 === 0) store.settle(web, successor, i % 2 === 0 ? 'join' : 'discard');
  }
  store.empty(web);
  closeSync(one);
  closeSync(dup);
  expect(count()).toBe(before);
});
