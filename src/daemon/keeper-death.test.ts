import { describe, expect, it } from 'vitest';
import { howItEnded, type Life, type Traces } from './keeper-death.js';

const LIFE: Life = {
  pid: 801,
  name: 'node',
  sinceUptime: 1000,
  sinceAwake: 900,
  memoryGroup: { path: '/small', kills: 2 },
};
const TRACES: Traces = {
  kills: [],
  kernelPids: 'ours',
  counted: 2,
  status: null,
  stamp: { at: 1040, pid: 801 },
  nowUptime: 1052.4,
  nowAwake: 952.4,
};
const KILL = { at: 948_400, pid: 801, name: 'node', group: '/box/small', memory: 60 * 2 ** 20 };
const OTHER = 'others';

describe('of a keeper that nobody asked to end', () => {
  it('the kernel’s log says that it was out of memory, and when', () => {
    expect(howItEnded(LIFE, { ...TRACES, kills: [KILL] })).toEqual({
      pid: 801,
      cause: 'oom',
      grade: 'seen',
      text: 'the keeper before (pid 801) was killed by the kernel: out of memory (group /box/small, 60 MB); nobody was here for about 4.0 s',
      awaySeconds: 4,
    });
    const bare = howItEnded(LIFE, { ...TRACES, kills: [{ ...KILL, group: null }] });
    expect(bare.text).toContain('out of memory (60 MB);');
  });

  it('the same is inferred from group and name where the log names other pids', () => {
    const kills = [{ ...KILL, pid: 77 }];
    expect(howItEnded(LIFE, { ...TRACES, kills, kernelPids: OTHER })).toMatchObject({
      cause: 'oom',
      grade: 'inferred',
    });
    expect(howItEnded(LIFE, { ...TRACES, kills })).toMatchObject({ cause: 'unknown' });
    for (const kill of [
      { ...KILL, name: 'perl' },
      { ...KILL, group: '/box/smaller' },
      { ...KILL, group: null },
    ])
      expect(howItEnded(LIFE, { ...TRACES, kills: [kill], kernelPids: OTHER })).toMatchObject({ cause: 'unknown' });
    const atRoot = { ...LIFE, memoryGroup: { path: '/', kills: null } };
    expect(howItEnded(atRoot, { ...TRACES, kills: [{ ...KILL, group: '/' }], kernelPids: OTHER })).toMatchObject({
      cause: 'unknown',
    });
  });

  it('an end from before its time is another’s', () => {
    expect(howItEnded(LIFE, { ...TRACES, kills: [{ ...KILL, at: 890_000 }] })).toMatchObject({ cause: 'unknown' });
  });

  it('the counter of its group is a hint, where the log is not for our eyes', () => {
    expect(howItEnded(LIFE, { ...TRACES, counted: 3 })).toEqual({
      pid: 801,
      cause: 'oom',
      grade: 'inferred',
      text: 'the keeper before (pid 801) was probably killed by the kernel: its memory group /small ran out of memory; nobody was here for at most 13 s',
      awaySeconds: 12.4,
    });
    expect(howItEnded({ ...LIFE, memoryGroup: null }, { ...TRACES, counted: 3 })).toMatchObject({ cause: 'unknown' });
    expect(howItEnded(LIFE, { ...TRACES, counted: null })).toMatchObject({ cause: 'unknown' });
  });

  it('its guard knows the status, and no more than that', () => {
    expect(howItEnded(LIFE, { ...TRACES, status: 137 })).toMatchObject({ cause: 'status', grade: 'seen' });
    expect(howItEnded(LIFE, { ...TRACES, status: 137 }).text).toContain(
      'ended with status 137, which is signal 9 or that exit code;',
    );
    expect(howItEnded(LIFE, { ...TRACES, status: 1 }).text).toContain('ended with status 1;');
    expect(howItEnded(LIFE, { ...TRACES, status: 137, counted: 3 })).toMatchObject({ cause: 'oom' });
    expect(howItEnded(LIFE, { ...TRACES, status: 134, counted: 3 })).toMatchObject({ cause: 'status' });
  });

  it('nobody saw how, when there is nothing', () => {
    expect(howItEnded(LIFE, TRACES)).toEqual({
      pid: 801,
      cause: 'unknown',
      grade: 'unknown',
      text: 'the keeper before (pid 801) was killed or crashed, nobody saw how; nobody was here for at most 13 s',
      awaySeconds: 12.4,
    });
  });

  it('is counted as away since its last sign of life, or since it began', () => {
    const stampOf = (at: number, pid: number) => howItEnded(LIFE, { ...TRACES, stamp: { at, pid } }).awaySeconds;
    expect(stampOf(1050, 801)).toBe(2.4);
    expect(stampOf(1050, 802)).toBe(52.4);
    expect(stampOf(900, 801)).toBe(52.4);
    expect(stampOf(2000, 801)).toBe(52.4);
    expect(howItEnded(LIFE, { ...TRACES, nowUptime: 1190 }).text).toMatch(/at most 3 min$/);
  });
});
