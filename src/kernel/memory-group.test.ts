import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { memoryGroupIn, oomKillsCounted, ownMemoryGroup } from './memory-group.js';

const place = mkdtempSync(join(tmpdir(), 'upkeep-memory-group-'));
afterAll(() => rmSync(place, { recursive: true }));

const OLDER = '38 32 0:33 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory';
const NEWER = '41 32 0:36 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw';

it('is of the newer hierarchy where the older has no memory, and counts nobody below', () => {
  expect(memoryGroupIn('0::/system.slice/upkeep.service\n', NEWER)).toEqual({
    path: '/system.slice/upkeep.service',
    counter: '/sys/fs/cgroup/system.slice/upkeep.service/memory.events.local',
  });
});

it('is of the older hierarchy where that has the memory', () => {
  expect(memoryGroupIn('9:cpu:/x\n4:memory:/keeper\n0::/\n', `${NEWER}\n${OLDER}`)).toEqual({
    path: '/keeper',
    counter: '/sys/fs/cgroup/memory/keeper/memory.oom_control',
  });
  const joined = '38 32 0:33 / /m rw - cgroup cgroup rw,cpu,memory';
  expect(memoryGroupIn('4:cpu,memory:/\n', joined)).toEqual({ path: '/', counter: '/m/memory.oom_control' });
});

it('is looked for below what a mount shows, and is none where it is outside of that', () => {
  const part = '38 32 0:33 /outer /m rw - cgroup cgroup rw,memory';
  expect(memoryGroupIn('4:memory:/outer/k\n', part)?.counter).toBe('/m/k/memory.oom_control');
  expect(memoryGroupIn('4:memory:/outer\n', part)?.counter).toBe('/m/memory.oom_control');
  expect(memoryGroupIn('4:memory:/outermost\n', part)).toBeNull();
  expect(memoryGroupIn('4:memory:/\n', '38 32 0:33 /.. /m rw - cgroup cgroup rw,memory')).toBeNull();
});

it('is none where nothing is mounted', () => {
  expect(memoryGroupIn('4:memory:/keeper\n', NEWER)).toBeNull();
  expect(memoryGroupIn('', '')).toBeNull();
});

it('has a count, or none that could be read', () => {
  const counter = join(place, 'memory.oom_control');
  writeFileSync(counter, 'oom_kill_disable 0\nunder_oom 0\noom_kill 3\n');
  expect(oomKillsCounted(counter)).toBe(3);
  expect(oomKillsCounted(join(place, 'none'))).toBeNull();
  const own = ownMemoryGroup();
  if (own !== null) expect(own.counter).toContain(own.path === '/' ? 'memory' : own.path.split('/').at(-1));
});
