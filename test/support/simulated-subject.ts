// The simulated kernel as the contract sees it: programs that do what the contract asks for, time that passes when it waits.

import type { Event } from '../../src/core/event.js';
import type { Command } from '../../src/core/spec.js';
import type { Subject } from './kernel-subject.js';
import {
  binds,
  diesAfter,
  exitsAfter,
  forks,
  ignoresTerm,
  type Program,
  program,
  refused,
  startsDaemon,
} from './program.js';
import { answeredSoon } from './simulated-askers.js';
import { SimulatedClock } from './simulated-clock.js';
import { SimulatedHost } from './simulated-host.js';
import { SimulatedKernel } from './simulated-kernel.js';

export async function makeSimulatedSubject(): Promise<Subject> {
  const clock = new SimulatedClock();
  const host = new SimulatedHost({ clock, pids: 200, inodes: 'yes' });
  const kernel = new SimulatedKernel({
    clock,
    host,
    latency: () => 1,
    before: () => 'performed',
    courseOf: () => answeredSoon,
    isSuccessor: () => false,
  });
  const events: Event[] = [];
  kernel.connect((event) => void events.push(event));
  const installed = (name: string, what: Program): Command => {
    const path = `/srv/${name}`;
    host.install(path, what);
    return { argv: [path], timeout: null, user: null };
  };
  const daemonPath = '/usr/sbin/patrold';
  host.install(daemonPath, program());
  return {
    kernel,
    events,
    daemonPath,
    programs: {
      lives: () => installed('lives', program()),
      exits: (code) => installed(`exits${code}`, program(exitsAfter(5, code))),
      dies: (signal) => installed(`dies${signal}`, program(diesAfter(5, signal, signal === 'SIGSEGV'))),
      missing: () => installed('missing', program(refused('ENOENT'))),
      binds: (path) => installed('binds', program(binds(path))),
      leavesDeafChild: () => installed('deaf-child', program(forks(program(ignoresTerm)))),
      startsAndHangs: (daemon) => installed('hangs', startsDaemon([daemon], program(), { exit: 1e9 })),
    },
    pathOf: (name) => `/srv/${name}`,
    at: (path) => host.files.get(path)?.type ?? null,
    place: (path, type) => void host.files.set(path, { type, uid: 0, holder: null }),
    until: async (what, holds) => {
      for (let waited = 0; !holds(); waited += 1) {
        if (waited > 60_000) throw new Error(`not within a minute of simulated time: ${what}`);
        clock.advance(1);
      }
    },
    quiet: async () => clock.advance(300),
    isAlive: (process) => host.isAlive(process),
    isReaped: (process) => !host.isAlive(process),
    kill: (process, signal) => host.signal(process, signal),
    hasDeafChild: (process) => host.group(process.pid).length === 2,
    groupOf: (process) => host.group(process.pid).map(({ ref }) => ref.pid),
    daemons: () =>
      host
        .living()
        .filter(({ exe }) => exe === daemonPath)
        .map(({ ref }) => ref.pid),
    stranger: async () =>
      host.bear({ argv: ['/usr/sbin/stranger'], program: program(), ppid: 1, group: null, uid: 0 }).ref,
    close: async () => kernel.close(),
  };
}
