// Seed 002's list on Debian's cfengine3: cf-execd, cf-monitord and cf-serverd, three lines each, none of
// them anybody's child.

import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forgetEverything, Keeper, runningAs, status, upkeep, writeConfig } from '../support/sandbox-keeper.js';
import { endAll, ofProgram, type Seen, until } from '../support/sandbox-machine.js';

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

const NAMES = ['cf-execd', 'cf-monitord', 'cf-serverd'] as const;
const PROGRAMS = NAMES.map((name) => `/usr/bin/${name}`);

let keeper: Keeper;

/** The one process of this daemon, once Upkeep says that it runs as another than `old`. */
function alone(name: string, old = 0): Promise<Seen> {
  return until(`one ${name} that is not ${old}`, () => {
    const all = ofProgram(`/usr/bin/${name}`);
    const now = status(name);
    const [only] = all;
    const isIt = all.length === 1 && only?.pid === now.process?.pid && now.state === 'running' && only?.pid !== old;
    return isIt ? only : undefined;
  });
}

beforeAll(async () => {
  forgetEverything();
  await endAll(...PROGRAMS);
  mkdirSync('/var/lib/cfengine3/inputs', { recursive: true });
  writeFileSync('/var/lib/cfengine3/inputs/promises.cf', POLICY, { mode: 0o600 });
  writeConfig(CONFIG);
  keeper = await Keeper.start();
});

afterAll(async () => {
  await keeper.stop();
  await endAll(...PROGRAMS);
});

describe('seed 002', () => {
  it('starts the three daemons of CFEngine', async () => {
    for (const name of NAMES) await alone(name);
    expect(upkeep('status').code).toBe(0);
  });

  it.each(NAMES)('keeps %s up, whatever happens to it', async (name) => {
    for (const signal of ['SIGKILL', 'SIGABRT', 'SIGKILL'] as const) {
      const old = (await alone(name)).pid;
      process.kill(old, signal);
      await alone(name, old);
      expect(status(name).lastDeath).toMatchObject({ pid: old, cause: 'signal', signal });
    }
  });

  it('takes charge of the same processes again after the keeper itself was killed', async () => {
    const before = await Promise.all(NAMES.map(async (name) => (await alone(name)).pid));
    await keeper.stop('SIGKILL');
    keeper = await Keeper.start();
    for (const [index, name] of NAMES.entries()) await runningAs(name, before[index] ?? 0);
    expect(status('cf-execd').state).toBe('running');
    expect(await Promise.all(NAMES.map(async (name) => (await alone(name)).pid))).toEqual(before);
  });
});
