// Against a directory that looks like control groups: what is written where. That the kernel obeys is for the contract.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { asPid, type ProcessRef } from '../core/process.js';
import { serviceName } from '../core/spec.js';
import { Groups } from './groups.js';
import { readStat } from './identity.js';
import type { Orphan } from './newcomers.js';

let base: string;
let writes: (readonly [path: string, text: string])[];
let problems: string[];
let orphans: readonly Orphan[];
const web = serviceName('web');
// Nobody: no children of it are found.
const process: ProcessRef = { pid: asPid(0x3ffffe), startTicks: 5, inode: null };

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'upkeep-groups-'));
  writes = [];
  problems = [];
  orphans = [];
});
afterEach(() => rmSync(base, { recursive: true }));

function make(memoryV1: string | null = null): Groups {
  const write = async (path: string, text: string): Promise<void> => void writes.push([path.slice(base.length), text]);
  return new Groups(
    { base, memoryV1, instance: 'i' },
    (problem) => void problems.push(problem),
    () => orphans,
    write,
  );
}

async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 20_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error('not within 20 s');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

it('moves a main process into the group of its service, soon', async () => {
  const groups = make();
  groups.place(web, process, 1, null);
  expect(groups.isPlaced(web, process)).toBe(false);
  await until(() => groups.isPlaced(web, process));
  expect(writes).toEqual([['/upkeep.i/web.service/cgroup.procs', String(process.pid)]]);
  expect(groups.isPlaced(web, { ...process, startTicks: 6 })).toBe(false);
  expect(problems).toEqual([]);
});

it('moves the orphans of a service after its main process, and nobody else’s', async () => {
  const groups = make();
  orphans = [
    { pid: 0x3ffffc, service: 'other', generation: 1 },
    { pid: 0x3ffffd, service: 'web', generation: 1 },
  ];
  groups.place(web, process, 1, null);
  await until(() => groups.isPlaced(web, process));
  expect(writes.map(([, text]) => Number(text))).toEqual([process.pid, 0x3ffffd]);
});

it('does not take a service for placed when one of its orphans cannot be moved', async () => {
  const write = async (path: string, text: string): Promise<void> => {
    writes.push([path, text]);
    if (text === '77') throw Object.assign(new Error('EACCES'), { code: 'EACCES' });
  };
  const groups = new Groups(
    { base, memoryV1: null, instance: 'i' },
    (problem) => void problems.push(problem),
    () => [{ pid: 77, service: 'web', generation: 1 }],
    write,
  );
  groups.place(web, process, 1, null);
  await until(() => problems.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(groups.isPlaced(web, process)).toBe(false);
  expect(problems).toEqual(['the processes of web could not be put into a control group']);
});

it('gives a service that is named like a path a group of its own below ours', async () => {
  const groups = make();
  groups.place(serviceName('..'), process, 1, null);
  await until(() => writes.length > 0);
  expect(writes[0]?.[0]).toBe('/upkeep.i/...service/cgroup.procs');
  expect(existsSync(join(base, 'upkeep.i', '...service'))).toBe(true);
});

it('limits memory by the newer hierarchy where that is handed on, all or nobody', async () => {
  writeFileSync(join(base, 'cgroup.subtree_control'), 'cpu memory\n');
  const groups = make();
  expect(groups.enforcesMemory).toBe('yes');
  groups.place(web, process, 1, 1024);
  await until(() => groups.isPlaced(web, process));
  expect(writes).toEqual([
    ['/upkeep.i/cgroup.subtree_control', '+memory'],
    ['/upkeep.i/web.service/memory.max', '1024'],
    ['/upkeep.i/web.service/memory.oom.group', '1'],
    ['/upkeep.i/web.service/cgroup.procs', String(process.pid)],
  ]);
  const events = join(base, 'upkeep.i/web.service/memory.events');
  writeFileSync(join(base, 'upkeep.i/web.service/memory.max'), '1024\n');
  const before = groups.oomKillSince(web, process);
  writeFileSync(events, 'low 0\noom 3\noom_kill 2\n');
  expect(before()).toMatchObject({ scope: 'group', limit: 1024, held: null, source: 'counter' });
  expect(groups.oomKillSince(web, process)()).toBeNull();
});

it('limits memory by the older one where there is only that', async () => {
  const memory = join(base, 'memory');
  mkdirSync(memory);
  const groups = make(memory);
  expect(groups.enforcesMemory).toBe('yes');
  groups.place(web, process, 1, 1024);
  await until(() => groups.isPlaced(web, process));
  expect(writes).toContainEqual(['/memory/upkeep.i/web.service/memory.limit_in_bytes', '1024']);
  expect(writes).toContainEqual(['/memory/upkeep.i/web.service/memory.max_usage_in_bytes', '0']);
  expect(groups.peakMemory(web, process)).toBeNull();
  writeFileSync(join(memory, 'upkeep.i/web.service/memory.max_usage_in_bytes'), '4096\n');
  expect(groups.peakMemory(web, process)).toBe(4096);
  const control = join(memory, 'upkeep.i/web.service/memory.oom_control');
  const before = groups.oomKillSince(web, process);
  writeFileSync(control, 'oom_kill_disable 0\nunder_oom 0\noom_kill 1\n');
  expect(before()).toMatchObject({ scope: 'group', source: 'counter' });
  expect(groups.oomKillSince(web, process)()).toBeNull();
});

it('says that memory is not limited where it cannot be', () => {
  const groups = make();
  expect(groups.enforcesMemory).toBe('no');
  expect(groups.oomKillSince(web, process)()).toBeNull();
});

it('does nothing at all without a place', async () => {
  const groups = new Groups(
    { base: null, memoryV1: null, instance: 'i' },
    (problem) => void problems.push(problem),
    () => [],
  );
  groups.place(web, process, 1, 1024);
  await groups.kill(web, process);
  expect(groups.members(web)).toEqual([]);
  groups.close();
  expect([readdirSync(base), problems]).toEqual([[], []]);
});

it('reads its members, and knows those of an earlier keeper again', async () => {
  const groups = make();
  mkdirSync(join(base, 'upkeep.i/web.service'), { recursive: true });
  writeFileSync(join(base, 'upkeep.i/web.service/cgroup.procs'), `${process.pid}\n77\n`);
  expect(groups.members(web)).toEqual([process.pid, 77]);
  groups.recognize(web, process);
  expect(groups.isPlaced(web, process)).toBe(true);
  groups.recognize(serviceName('other'), process);
  expect(groups.isPlaced(serviceName('other'), process)).toBe(false);
});

it('removes what is empty when it is closed, and leaves what is not', () => {
  const groups = make();
  mkdirSync(join(base, 'upkeep.i/empty.service'), { recursive: true });
  mkdirSync(join(base, 'upkeep.i/full.service/below'), { recursive: true });
  groups.close();
  expect(readdirSync(join(base, 'upkeep.i'))).toEqual(['full.service']);
});

/** A living process of this machine; one after another. */
const living: ProcessRef = {
  pid: asPid(globalThis.process.pid),
  startTicks: readStat(globalThis.process.pid)?.startTicks ?? 0,
  inode: null,
};

describe('a generation that is started while another lives', () => {
  it('gets a group of its own, and the next one the first again', async () => {
    const groups = make();
    groups.place(web, living, 1, null);
    groups.place(web, process, 2, null);
    await until(() => groups.isPlaced(web, living) && groups.isPlaced(web, process));
    const places = writes.filter(([, text]) => [living.pid, process.pid].includes(asPid(Number(text))));
    expect(places).toEqual([
      ['/upkeep.i/web.service/cgroup.procs', String(living.pid)],
      ['/upkeep.i/web+2.service/cgroup.procs', String(process.pid)],
    ]);
    const group = (name: string): string => join(base, 'upkeep.i', name, 'cgroup.procs');
    writeFileSync(group('web.service'), '77\n');
    writeFileSync(group('web+2.service'), '78\n');
    expect([groups.members(web, living), groups.members(web, process)]).toEqual([[77], [78]]);
    expect(new Set(groups.members(web))).toEqual(new Set([77, 78]));
    await groups.kill(web, process);
    expect(writes.at(-1)).toEqual(['/upkeep.i/web+2.service/cgroup.kill', '1']);
    // Another service is called like a generation of this one.
    expect(groups.members(serviceName('web+2'))).toEqual([]);
  });

  it('does not get one whose members are about to be killed, though it looks empty', () => {
    let done: () => void = () => {};
    const write = (path: string): Promise<void> =>
      path.endsWith('cgroup.kill') ? new Promise((resolve) => (done = resolve)) : Promise.resolve();
    const groups = new Groups(
      { base, memoryV1: null, instance: 'i' },
      () => {},
      () => [],
      write,
    );
    groups.assign(web, process, 1);
    mkdirSync(join(base, 'upkeep.i/web.service'), { recursive: true });
    void groups.kill(web, process);
    const next: ProcessRef = { ...process, startTicks: 6 };
    groups.assign(web, next, 2);
    mkdirSync(join(base, 'upkeep.i/web+2.service'));
    writeFileSync(join(base, 'upkeep.i/web+2.service/cgroup.procs'), '78\n');
    expect(groups.members(web, next)).toEqual([78]);
    done();
  });

  it('has its own memory limit and its own count of who was killed for want of it', async () => {
    writeFileSync(join(base, 'cgroup.subtree_control'), 'memory\n');
    const groups = make();
    groups.place(web, living, 1, 1024);
    groups.place(web, process, 2, 2048);
    await until(() => groups.isPlaced(web, process));
    expect(writes).toContainEqual(['/upkeep.i/web.service/memory.max', '1024']);
    expect(writes).toContainEqual(['/upkeep.i/web+2.service/memory.max', '2048']);
    const [old, fresh] = [groups.oomKillSince(web, living), groups.oomKillSince(web, process)];
    writeFileSync(join(base, 'upkeep.i/web+2.service/memory.events'), 'oom_kill 1\n');
    expect([old(), fresh()]).toMatchObject([null, { scope: 'group' }]);
  });
});
