// The promise: without a keeper, from cron, `upkeep once` looks at everything, repairs, reports and ends.

import { describe, expect, it } from 'vitest';
import { type Home, newHome } from '../support/keeper.js';
import { isAlive, signal } from '../support/running.js';

/** A daemon that detaches itself. */
const DAEMON = `#!/usr/bin/perl
use POSIX (); exit 0 if fork; POSIX::setsid(); exit 0 if fork;
open STDIN, '<', '/dev/null'; open STDOUT, '>', '/dev/null'; open STDERR, '>', '/dev/null';
sleep 1 while 1;
`;

function daemonIn(home: Home): { readonly watch: string; readonly start: readonly string[] } {
  const watch = home.write('sbin/oldd', DAEMON, 0o755);
  return { watch, start: ['sh', '-c', 'echo start >> "$1"; exec perl "$2"', 'sh', home.at('starts'), watch] };
}

/** The daemons of this home that live. */
const daemons = (home: Home): readonly number[] => home.processes().filter(isAlive);

const starts = (home: Home): number => home.read('starts').split('start').length - 1;

describe('upkeep once', () => {
  it('brings up what is down, leaves it running, and is silent when all is well', async () => {
    const home = newHome();
    home.configure({ old: daemonIn(home) });
    const first = await home.upkeep('once');
    expect(first.code).toBe(0);
    expect(first.stdout + first.stderr).toMatch(/old is not running, starting\n/);
    const [pid = 0, ...others] = daemons(home);
    expect([pid > 0, others]).toEqual([true, []]);

    expect(await home.upkeep('once')).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect([starts(home), daemons(home)]).toEqual([1, [pid]]);

    signal(pid, 'SIGKILL');
    await home.until('its end', () => !isAlive(pid));
    const third = await home.upkeep('once');
    expect(third.code).toBe(0);
    // How it ended is known only as long as nobody has reaped it; where nobody knows, it is given time to come back.
    expect(third.stderr).toMatch(/old is not running, restarting.*, while the keeper was away\n/);
    expect([starts(home), daemons(home).length]).toEqual([2, 1]);
    expect(await home.upkeep('once')).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });

  it('remembers limits and delays from run to run, and ends with 3 when something is down', async () => {
    const home = newHome();
    const { watch } = daemonIn(home);
    const restart = { limit: '2 in 1h', delay: '0s', backoff: { max: '0s' }, slowEvery: '1h' };
    home.configure({ old: { watch, start: ['sh', '-c', `echo start >> '${home.at('starts')}'; exit 1`], restart } });
    const first = await home.upkeep('once');
    expect(first.code).toBe(3);
    expect(first.stderr).toMatch(/old failed to start: its start command exited with code 1/);
    await home.upkeep('once');
    const last = await home.upkeep('once');
    expect(last.code).toBe(3);
    // The first start and two restarts, however many looks there are.
    expect(starts(home)).toBe(3);
    const again = await home.upkeep('once');
    expect([again.code, starts(home)]).toEqual([3, 3]);
    expect(again.stderr).toMatch(
      /^\S+ error old: old is not running \(failed\): 2 restarts in a row did not help: its start command exited with code 1; .*\n$/,
    );
  });

  it('reports services that only a keeper can run, and starts none of them', async () => {
    const home = newHome();
    home.configure({ old: daemonIn(home), web: { run: 'sleep 1000' }, off: { run: 'true', desired: 'down' } });
    const first = await home.upkeep('once');
    expect(first.code).toBe(3);
    expect(first.stderr).toMatch(/ error web: web is not running, and only a keeper starts it: `upkeep run`\n/);
    expect(first.stderr).not.toMatch(/ off: /);
    expect(daemons(home)).toHaveLength(1);
    // One that goes on without its keeper is as it should be.
    const keeper = await home.start(['--leave']);
    await home.running('web');
    await keeper.end('SIGTERM');
    expect(await home.upkeep('once')).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });

  it('says what is wrong with the file', async () => {
    const home = newHome();
    home.write('upkeep.yaml', 'services:\n  old: { wacht: /usr/sbin/oldd }\n');
    const { code, stderr } = await home.upkeep('once');
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/upkeep\.yaml:2:10: services\.old: unknown key "wacht"; did you mean watch/),
    ]);
  });

  it('asks the keeper, where one runs', async () => {
    const home = newHome();
    home.configure({ old: daemonIn(home), web: { run: 'sleep 1000' } });
    const keeper = await home.start();
    await home.running('old');
    await home.running('web');
    const { code, stdout, stderr } = await home.upkeep('once');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`a keeper runs (pid ${keeper.pid}) and has looked: 2 running\n`);
    expect((await home.upkeep('stop', 'web')).code).toBe(0);
    expect(await home.upkeep('once')).toMatchObject({ code: 0 });
    expect(starts(home)).toBe(1);
  });
});
