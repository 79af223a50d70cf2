import { describe, expect, it } from 'vitest';
import { supervised } from '../../test/support/builders.js';
import type { Configuration } from '../config/load.js';
import { asPid, type ProcessRef } from '../core/process.js';
import { newService, type Outgoing, type Service, silent } from '../core/state.js';
import { instant } from '../core/time.js';
import { readStat } from '../kernel/identity.js';
import { newestGeneration, servicesOf } from './memory.js';

const spec = supervised({ name: 'web' });
const now = instant(0);
/** This process lives, the other does not. */
const living: ProcessRef = { pid: asPid(process.pid), startTicks: readStat(process.pid)?.startTicks ?? 0, inode: null };
const dead: ProcessRef = { ...living, startTicks: living.startTicks + 1 };

const running = (main: ProcessRef): Service => ({
  ...newService(spec, now),
  generation: 4,
  state: { name: 'running', since: now, process: main, helper: null, deadline: null },
});

describe('of the generations of a service', () => {
  it('the newest is known, though it never took over or serves no more: no newer one was lost', () => {
    const gone: Outgoing = {
      ...{ process: dead, generation: 7, since: now, why: 'refused', phase: 'ending', cut: 'no', deadline: now },
    };
    const service = running(living);
    expect(newestGeneration(service)).toBe(4);
    expect(newestGeneration({ ...service, draining: [gone] })).toBe(7);
    const state = {
      ...{ name: 'handover', since: now, process: living, servedSince: now, generation: 5, successor: null },
      ...{ phase: 'launching', hook: 0, helper: null, said: silent, why: 'requested', deadline: null },
    } as const;
    expect(newestGeneration({ ...service, state: { ...service.state, ...state } as Service['state'] })).toBe(5);
  });

  it.each([
    ['ends beside a newer one whose take-over was not recorded, where it lives', living, 1],
    ['is nobody’s, where it does not', dead, 0],
  ])('the one that is recorded %s', (_, main, count) => {
    const snapshot = { name: 'web', spec, next: null, begun: 0, service: running(main) };
    const found = { boot: 'same', snapshots: new Map([['web', snapshot]]) };
    const [comeback] = [
      ...servicesOf(
        { specs: [spec] } as unknown as Configuration,
        { found, words: new Map() } as unknown as Parameters<typeof servicesOf>[1],
        now,
        new Map([['web', 5]]),
      ),
    ];
    expect(comeback?.as.state).toMatchObject({ name: 'starting', phase: 'launching' });
    expect(comeback?.as.generation).toBe(5);
    expect(comeback?.as.draining).toHaveLength(count);
  });
});
