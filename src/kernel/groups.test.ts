// Against a directory that looks like control groups: what is written where. That the kernel obeys is for the contract.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { asPid, type ProcessRef } from '../core/process.js';
import { serviceName } from '../core/spec.js';
import { Groups } from './groups.js';
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
  groups.place(web, process, null);
  expect(groups.isPlaced(web, process)).toBe(false);
  await until(() => groups.isPlaced(web, process));
  expect(writes).toEqual([['/upkeep.i/web.service/cgroup.procs', String(process.pid)]]);
  expect(groups.isPlaced(web, { ...process, startTicks: 6 })).toBe(false);
  expect(problems).toEqual([]);
});

it('moves the orphans of a service after its main process, and nobody else’s', async () => {
  const groups = make();
  orphans = [
    { pid: 0x3ffffc, service: 'other' },
    { pid: 0x3ffffd, service: 'web' },
  ];
  groups.place(web, process, null);
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
    () => [{ pid: 77, service: 'web' }],
    write,
  );
  groups.place(web, process, null);
  await until(() => problems.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(groups.isPlaced(web, process)).toBe(false);
  expect(problems).toEqual(['the processes of web could not be put into a control group']);
});

it('gives a service that is named like a path a group of its own below ours', async () => {
  const groups = make();
  groups.place(serviceName('..'), process, null);
  await until(() => writes.length > 0);
  expect(writes[0]?.[0]).toBe('/upkeep.i/...service/cgroup.procs');
  expect(existsSync(join(base, 'upkeep.i', '...service'))).toBe(true);
});

it('limits memory by the newer hierarchy where that is handed on, all or nobody', async () => {
  writeFileSync(join(base, 'cgroup.subtree_control'), 'cpu memory\n');
  const groups = make();
  expect(groups.enforcesMemory).toBe('yes');
  groups.place(web, process, 1024);
  await until(() => groups.isPlaced(web, process));
  expect(writes).toEqual([
    ['/upkeep.i/cgroup.subtree_control', '+memory'],
    ['/upkeep.i/web.service/memory.max', '1024'],
    ['/upkeep.i/web.service/memory.oom.group', '1'],
    ['/upkeep.i/web.service/cgroup.procs', String(process.pid)],
  ]);
  const events = join(base, 'upkeep.i/web.service/memory.events');
  writeFileSync(join(base, 'upkeep.i/web.service/memory.max'), '1024\n');
  const before = groups.oomKillSince(web);
  writeFileSync(events, 'low 0\noom 3\noom_kill 2\n');
  expect(before()).toMatchObject({ scope: 'group', limit: 1024, held: null, source: 'counter' });
  expect(groups.oomKillSince(web)()).toBeNull();
});

it('limits memory by the older one where there is only that', async () => {
  const memory = join(base, 'memory');
  mkdirSync(memory);
  const groups = make(memory);
  expect(groups.enforcesMemory).toBe('yes');
  groups.place(web, process, 1024);
  await until(() => groups.isPlaced(web, process));
  expect(writes).toContainEqual(['/memory/upkeep.i/web.service/memory.limit_in_bytes', '1024']);
  expect(writes).toContainEqual(['/memory/upkeep.i/web.service/memory.max_usage_in_bytes', '0']);
  expect(groups.peakMemory(web)).toBeNull();
  writeFileSync(join(memory, 'upkeep.i/web.service/memory.max_usage_in_bytes'), '4096\n');
  expect(groups.peakMemory(web)).toBe(4096);
  const control = join(memory, 'upkeep.i/web.service/memory.oom_control');
  const before = groups.oomKillSince(web);
  writeFileSync(control, 'oom_kill_disable 0\nunder_oom 0\noom_kill 1\n');
  expect(before()).toMatchObject({ scope: 'group', source: 'counter' });
  expect(groups.oomKillSince(web)()).toBeNull();
});

it('says that memory is not limited where it cannot be', () => {
  const groups = make();
  expect(groups.enforcesMemory).toBe('no');
  expect(groups.oomKillSince(web)()).toBeNull();
});

it('does nothing at all without a place', async () => {
  const groups = new Groups(
    { base: null, memoryV1: null, instance: 'i' },
    (problem) => void problems.push(problem),
    () => [],
  );
  groups.place(web, process, 1024);
  await groups.kill(web);
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
