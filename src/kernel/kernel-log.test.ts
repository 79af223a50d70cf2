import { expect, it } from 'vitest';
import { namesOurPids, oomKillsOf, readKernelLog } from './kernel-log.js';

const RECORDS = [
  '6,100,5000000,-;usb 1-1: new device\n SUBSYSTEM=usb\n',
  '6,101,7000000,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a,task_memcg=/a/b,c,task=node,pid=801,uid=0\n',
  '3,102,7000100,-;Memory cgroup out of memory: Killed process 801 (node) total-vm:1000kB, anon-rss:51200kB, file-rss:8kB, shmem-rss:0kB, UID:0 pgtables:72kB oom_score_adj:-900\n',
  '3,103,8000000,-;Out of memory: Killed process 9 (a) b) total-vm:1000kB, anon-rss:1kB, file-rss:8kB\n',
  'torn',
];

it('finds who was ended for want of memory, with its group, whatever is in a name', () => {
  expect(oomKillsOf(RECORDS)).toEqual([
    { at: 7000.1, pid: 801, name: 'node', group: '/a/b,c', memory: 51_200 * 1024 },
    { at: 8000, pid: 9, name: 'a) b', group: null, memory: 1024 },
  ]);
});

it('says that a log cannot be read where it cannot', () => {
  expect(readKernelLog('/nonexistent/kmsg')).toBeNull();
});

it('names other pids than ours in a namespace', () => {
  expect(namesOurPids('/nonexistent')).toBe(false);
});
