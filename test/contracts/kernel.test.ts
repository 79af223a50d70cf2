// The kernel contract on the simulated host, and on every rung of the ladder that this machine can be made to stand on.

import { readFileSync } from 'node:fs';
import { findUvPoll } from '../../src/kernel/pump.js';
import { makeRealKernel } from '../support/real-kernel.js';
import { makeSimulatedSubject } from '../support/simulated-subject.js';
import { kernelContract } from './kernel-contract.js';

kernelContract('simulated', makeSimulatedSubject);

// A core needs a pattern that the kernel may follow, and is lost when a program takes it and refuses.
const core = readFileSync('/proc/sys/kernel/core_pattern', 'utf8').startsWith('|')
  ? { core: 'cores go to a program here, which may refuse them' }
  : {};

const RUNGS: readonly (readonly [name: string, without: readonly string[]])[] = [
  ['all features', []],
  ['before 6.15: no PIDFD_GET_INFO', ['pidfdInfo']],
  ['before 6.9: no pidfd inode', ['pidfdInode']],
  ['Debian 12’s 6.1', ['pidfdInfo', 'pidfdInode']],
  ['no control groups', ['cgroup']],
  ['no uv_poll', ['uvPoll']],
  ['no proc connector', ['procConnector']],
  ['no subreaper', ['subreaper']],
  ['in a container of an old kernel', ['pidfdInfo', 'pidfdInode', 'procConnector', 'cgroup']],
  ['before 5.3: no pidfd', ['pidfd']],
];

for (const [name, without] of RUNGS) {
  // Whoever may not trace the dead, and hears nothing of them, cannot know how a stranger's child ended.
  const isBlind = without.includes('pidfdInfo') && without.includes('procConnector');
  const foreignStatus = isBlind ? { foreignStatus: 'its parent may reap it before we look' } : {};
  const missing = without.includes('uvPoll') || findUvPoll() !== null ? {} : { uvPoll: 'not in this Node' };
  kernelContract(name, async () => makeRealKernel(without), { without: { ...core, ...foreignStatus, ...missing } });
}
