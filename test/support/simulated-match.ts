// Which processes of the simulated host a pattern means. Written apart from the program's own matching on purpose:
// it is what the program's is measured with.

import type { Look, Pattern } from '../../src/core/pattern.js';
import type { SimulatedHost, SimulatedProcess } from './simulated-host.js';

/** The users of the simulated host. */
export const UIDS: Readonly<Record<string, number>> = { root: 0, daemon: 1, alice: 1000, bob: 1001 };

export function matches(pattern: Pattern, process: SimulatedProcess, host: SimulatedHost): boolean {
  if (pattern.user !== null && UIDS[pattern.user] !== process.uid) return false;
  const { by } = pattern;
  switch (by.type) {
    case 'exe':
      return process.exe === by.path;
    case 'name':
      return process.exe.split('/').pop() === by.name;
    case 'match':
      return new RegExp(by.regex).test(process.argv.join(' '));
    case 'pidFile': {
      const file = host.pidFile(pattern.pidFile);
      return file.type === 'names' && file.pid === process.ref.pid;
    }
  }
}

export function look(pattern: Pattern, host: SimulatedHost): Look {
  if (host.blind !== null) return { matches: [], pidFile: { type: 'none' }, unseen: host.blind };
  return {
    matches: host
      .living()
      .filter((process) => matches(pattern, process, host))
      .map((process) => host.facts(process)),
    pidFile: host.pidFile(pattern.pidFile),
    unseen: null,
  };
}
