// The promise: what a killed service left behind does not hinder its next start, what it needs is there, and what cannot be
// put right is said.

import { lstatSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Home, newHome } from '../support/keeper.js';

/** As tkey-ssh-agent does: where there is something at the path of its socket it exits with 1. `$1`: a child that has the socket too lives on, its pid in that file. */
const AGENT = `
use Socket;
socket(my $s, PF_UNIX, SOCK_STREAM, 0) or die;
bind($s, sockaddr_un($ARGV[0])) or die "already running?: $!\\n";
listen($s, 1) or die;
if (defined $ARGV[1] && (my $child = fork)) { open(my $f, '>', $ARGV[1]); print $f "$child\\n"; close $f }
sleep 1000;
`;

/** Its directory is made by nobody else. Returns the path of its socket. */
function configureAgent(home: Home, rest: Readonly<Record<string, unknown>>, ...more: readonly string[]): string {
  home.write('agent.pl', AGENT);
  const socket = home.at('own/agent/agent.sock');
  home.configure({
    agent: {
      run: ['/usr/bin/perl', home.at('agent.pl'), socket, ...more],
      directories: { [home.at('own/agent')]: { mode: '0710' } },
      restart: { delay: '50ms', backoff: { max: '200ms' }, limit: 'none' },
      ...rest,
    },
  });
  return socket;
}

describe('a service that is killed', () => {
  it('is not kept down by its own stale socket (graceful 8)', async () => {
    const home = newHome();
    const socket = configureAgent(home, { clean: [home.at('own/agent/agent.sock'), home.at('own/agent/none')] });
    await home.start();
    let pid = await home.running('agent');
    for (let round = 0; round < 3; round++) {
      expect(lstatSync(socket).isSocket()).toBe(true);
      process.kill(pid, 'SIGKILL');
      pid = await home.running('agent', pid);
    }
    expect((await home.service('agent')).restarts.total).toBe(3);
    expect((statSync(home.at('own/agent')).mode & 0o7777).toString(8)).toBe('710');
  });

  it('comes back also where its whole directory was removed', async () => {
    const home = newHome();
    const socket = configureAgent(home, {});
    await home.start();
    const pid = await home.running('agent');
    rmSync(home.at('own'), { recursive: true });
    process.kill(pid, 'SIGKILL');
    await home.running('agent', pid);
    expect(lstatSync(socket).isSocket()).toBe(true);
  });

  it('says what is in the way of its directory, and comes back when that is gone', async () => {
    const home = newHome();
    configureAgent(home, { clean: home.at('own/agent/agent.sock') });
    await home.start();
    const pid = await home.running('agent');
    renameSync(home.at('own/agent'), home.at('own/elsewhere'));
    symlinkSync('elsewhere', home.at('own/agent'));
    process.kill(pid, 'SIGKILL');
    const refused = await home.when('agent', ({ state, lastDeath }) => state === 'backoff' && lastDeath?.pid !== pid);
    expect(refused.lastDeath?.text).toContain(
      `${home.at('own/agent')} is a symbolic link: name the directory that it leads to, or remove the link`,
    );
    expect(lstatSync(home.at('own/elsewhere/agent.sock')).isSocket()).toBe(true);
    rmSync(home.at('own/agent'));
    await home.running('agent', pid);
  });

  it('finds its socket left alone while a process that it left behind has it, and the log says so', async () => {
    const home = newHome();
    const child = home.at('child');
    const socket = configureAgent(
      home,
      { clean: home.at('own/agent/agent.sock'), leftovers: 'leave' },
      home.at('child'),
    );
    const keeper = await home.start();
    const pid = await home.running('agent');
    const left = Number(readFileSync(child, 'utf8'));
    process.kill(pid, 'SIGKILL');
    await home.when('agent', ({ lastDeath }) => lastDeath !== null && lastDeath.pid !== pid);
    expect(lstatSync(socket).isSocket()).toBe(true);
    expect(keeper.said()).toContain(
      `${socket} is left there before the start of agent: its process ${left} is bound to it`,
    );
    process.kill(left, 'SIGKILL');
    await home.running('agent', pid);
  });
});
