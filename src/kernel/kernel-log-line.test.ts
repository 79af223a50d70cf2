// Records as real kernels wrote them (6.18 of the bench machine, older and ARM's wordings from the sources), and names that deceive.

import { describe, expect, it } from 'vitest';
import { newDump, newsOf, oomKillsOf } from './kernel-log-line.js';

const RECORDS = [
  '6,100,5000000,-;usb 1-1: new device\n SUBSYSTEM=usb\n',
  '6,101,6999000,-;memory: usage 65536kB, limit 65536kB, failcnt 33\n',
  '6,102,7000000,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a,task_memcg=/a/b,c,task=node,pid=801,uid=0\n',
  '3,103,7000100,-;Memory cgroup out of memory: Killed process 801 (node) total-vm:1000kB, anon-rss:51200kB, file-rss:8kB, shmem-rss:0kB, UID:0 pgtables:72kB oom_score_adj:-900\n',
  '3,104,8000000,-;Out of memory: Killed process 9 (a) b) total-vm:1000kB, anon-rss:1kB, file-rss:8kB\n',
  'torn',
];
const record = (text: string, priority = 6): string => `${priority},1,5000000,-;${text}\n`;
const faultIn = (text: string) => {
  const [one] = newsOf([record(text)]);
  return one?.type === 'fault' ? { pid: one.pid, ...one.fault } : null;
};

describe('an end for want of memory', () => {
  it('is found with its group, whatever is in a name', () => {
    expect(oomKillsOf(RECORDS)).toEqual([
      { at: 7000.1, pid: 801, name: 'node', group: '/a/b,c', memory: 51_200 * 1024 },
      { at: 8000, pid: 9, name: 'a) b', group: null, memory: 1024 },
    ]);
  });

  it('tells which group had reached which limit, or that the whole machine had no memory', () => {
    const [cause, kill, other] = newsOf(RECORDS);
    const limited = { group: '/a', scope: 'group', limit: 65_536 * 1024, source: 'kernel-log' };
    expect(cause).toMatchObject({ pid: 801, kill: { ...limited, held: null, mapped: null } });
    expect(kill).toMatchObject({ pid: 801, kill: { ...limited, held: 51_200 * 1024, mapped: 1000 * 1024 } });
    expect(other).toMatchObject({ pid: 9, kill: { group: null, scope: 'machine', limit: null } });
    const machine =
      'oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/x,task=a,pid=7,uid=0';
    expect(newsOf([record(machine)])).toMatchObject([{ pid: 7, kill: { group: null, scope: 'machine' } }]);
  });

  it('is one, also when its lines are read one after the other, and the limit is of that group alone', () => {
    const dump = newDump();
    const news = RECORDS.flatMap((one) => newsOf([one], dump));
    expect(news).toEqual(newsOf(RECORDS));
    const none = newsOf([record('memory: usage 1kB, limit 9007199254740988kB, failcnt 0'), ...RECORDS.slice(2)]);
    expect(none[0]).toMatchObject({ kill: { group: '/a', limit: null } });
  });
});

describe('a fault', () => {
  it('is told with what it reached for, where it stood and in what', () => {
    expect(
      faultIn(
        'perl[21822]: segfault at 1 ip 00007fde2adb485a sp 00007ffc8ec8fe88 error 4 in libc.so.6[16d85a,7fde2ac6d000+156000] likely on CPU 1 (core 1, socket 0)',
      ),
    ).toEqual({
      ...{ pid: 21822, kind: 'segfault', address: '0x1', instruction: '0x7fde2adb485a', inside: 'libc.so.6' },
      source: 'kernel-log',
    });
    expect(faultIn('a[7]: segfault at 0 ip 0000000000000000 sp 00007ffe error 14')).toMatchObject({
      ...{ pid: 7, address: '0x0', instruction: '0x0', inside: null },
    });
    expect(faultIn('a[7]: segfault at 0 ip 00005 sp 00007 error 6 in libc-2.31.so[7f00+14b000]')).toMatchObject({
      inside: 'libc-2.31.so',
    });
  });

  it.each([
    [
      'traps: perl[12] general protection fault ip:7f12 sp:7ffd error:0 in libc.so.6[1,7f+1]',
      'general protection fault',
    ],
    ['traps: a[12] trap invalid opcode ip:7f12 sp:7ffd error:0 in libc.so.6[1,7f+1]', 'invalid opcode'],
    ['traps: a b[9] c[12] trap divide error ip:7f12 sp:7ffd error:0 in libc.so.6[7f+1]', 'divide error'],
    ['traps: a[12] trap int3 ip:7f12 sp:7ffd error:0 in libc.so.6[1,7f+1]', 'int3'],
  ])('is a trap too: %s', (line, kind) => {
    const where = { address: null, instruction: '0x7f12', inside: 'libc.so.6' };
    expect(faultIn(line)).toEqual({ pid: 12, kind, ...where, source: 'kernel-log' });
  });

  it('is told in ARM’s words', () => {
    const line =
      'a[12]: unhandled exception: DABT (lower EL), ESR 0x0000000092000046, level 2 translation fault in a[1,5+1]';
    expect(faultIn(line)).toMatchObject({ pid: 12, kind: 'level 2 translation fault', inside: 'a' });
  });

  it('is not believed from a program that writes to the log, nor from a name', () => {
    const line = 'a[7]: segfault at 0 ip 00005 sp 00007 error 6';
    expect(newsOf([record(line, 12)])).toEqual([]);
    expect(faultIn('x[1]: segfault [22]: segfault at 0 ip 0005 sp 0007 error 4')).toMatchObject({ pid: 22 });
    expect(faultIn('something[7]: segfault is a word')).toBeNull();
  });
});
