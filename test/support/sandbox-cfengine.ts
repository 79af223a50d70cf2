// Seed 002's daemons, Debian's cfengine3: the policy and the three lines a daemon that keep them up.

import { mkdirSync, writeFileSync } from 'node:fs';
import { forgetEverything, status, writeConfig } from './sandbox-keeper.js';
import { endAll, ofProgram, type Seen, until } from './sandbox-machine.js';

// Debian 12 ships no init script, only systemd units that run /usr/bin/cf-… --no-fork; /var/lib/cfengine3/bin
// is a link to /usr/bin. Started without that option each forks into a session of its own under PID 1 with
// the command line it was given, as root. There are no pid files. They refuse a policy with mistakes, so a
// small one is written.
// cf-serverd takes a lock that says "started this minute"; a killed one leaves it behind, and the next start
// exits 0 and does nothing for up to a minute, unless it is told --no-lock. A second cf-execd starts beside
// the first.
const POLICY = `
body common control { bundlesequence => { "nothing" }; }
body executor control { schedule => { "Min00" }; }
body server control { allowconnects => { "127.0.0.1" }; }
bundle agent nothing { }
bundle server access_rules { }
`;

const CONFIG = `
services:
  cf-execd:
    watch: /usr/bin/cf-execd
    start: /usr/bin/cf-execd
  cf-monitord:
    watch: /usr/bin/cf-monitord
    start: /usr/bin/cf-monitord --no-lock
  cf-serverd:
    watch: /usr/bin/cf-serverd
    start: /usr/bin/cf-serverd --no-lock
`;

export const NAMES = ['cf-execd', 'cf-monitord', 'cf-serverd'] as const;
export const PROGRAMS = NAMES.map((name) => `/usr/bin/${name}`);

/** None of them runs, and nothing is left of a test before; the next keeper is to keep them. `others`: programs to be ended too. */
export async function prepare(...others: readonly string[]): Promise<void> {
  forgetEverything();
  await endAll(...others, ...PROGRAMS);
  mkdirSync('/var/lib/cfengine3/inputs', { recursive: true });
  writeFileSync('/var/lib/cfengine3/inputs/promises.cf', POLICY, { mode: 0o600 });
  writeConfig(CONFIG);
}

/** The one process of this daemon, once Upkeep says that it runs as another than `old`. */
export function alone(name: string, old = 0): Promise<Seen> {
  return until(`one ${name} that is not ${old}`, () => {
    const [only, second] = ofProgram(`/usr/bin/${name}`);
    const now = status(name);
    const isIt = second === undefined && only?.pid === now.process?.pid && now.state === 'running' && only?.pid !== old;
    return isIt ? only : undefined;
  });
}

export const pids = (): Promise<readonly number[]> => Promise.all(NAMES.map(async (name) => (await alone(name)).pid));
