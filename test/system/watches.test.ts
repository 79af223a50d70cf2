// The promise: a daemon that something else starts is kept up unchanged: found, followed, brought back, told apart.

import { describe, expect, it } from 'vitest';
import { type Home, newHome } from '../support/keeper.js';
import { isAlive, signal } from '../support/running.js';

/** A daemon that forks twice, as those of old do, and writes its pid file. On SIGUSR2 it hands over to a copy of itself. */
const DAEMON = String.raw`#!/usr/bin/perl
use strict; use POSIX ();
my ($pidfile) = @ARGV;
sub note { open my $f, '>', "$pidfile.new" or die; print $f "$_[0]\n"; close $f; rename "$pidfile.new", $pidfile or die; }
exit 0 if fork; POSIX::setsid(); exit 0 if fork;
open STDIN, '<', '/dev/null'; open STDOUT, '>', '/dev/null'; open STDERR, '>', '/dev/null';
note($$);
$SIG{TERM} = sub { unlink $pidfile; exit 0 };
$SIG{USR2} = sub { my $pid = fork; if ($pid == 0) { $SIG{USR2} = 'IGNORE'; sleep 1 while 1 } note($pid) if $pid; };
sleep 1 while 1;
`;

interface Daemon {
  readonly start: readonly string[];
  readonly pidFile: string;
  readonly script: string;
}

function daemonIn(home: Home): Daemon {
  const script = home.write('sbin/oldd', DAEMON, 0o755);
  const pidFile = home.at('oldd.pid');
  return { start: ['perl', script, pidFile], pidFile, script };
}

/** Starts it as somebody else's init script would. */
async function startByHand(home: Home, { start }: Daemon): Promise<number> {
  const before = home.read('oldd.pid');
  expect((await home.spawn(start).ended).code).toBe(0);
  await home.until('its pid file', () => !['', before].includes(home.read('oldd.pid')));
  return Number(home.read('oldd.pid'));
}

describe('a daemon that detaches itself', () => {
  it('is brought up by its start command, and back when it is killed: found by its script (monitors 2, supervisors 16)', async () => {
    const home = newHome();
    const daemon = daemonIn(home);
    home.configure({ old: { watch: daemon.script, start: daemon.start } });
    const keeper = await home.start();
    const first = await home.running('old');
    expect(first).toBe(Number(home.read('oldd.pid')));
    signal(first, 'SIGKILL');
    const second = await home.running('old', first);
    expect(second).toBe(Number(home.read('oldd.pid')));
    expect(await home.service('old')).toMatchObject({
      kind: 'watched',
      lastDeath: { pid: first },
      restarts: { total: 1 },
    });
    // Who ends is not the daemon's business: it was there before some keepers, and stays.
    expect((await keeper.end('SIGTERM')).code).toBe(0);
    expect(isAlive(second)).toBe(true);
  });

  it('is found by its pid file, not started twice, and left alone at the end (monitors 2)', async () => {
    const home = newHome();
    const daemon = daemonIn(home);
    const pid = await startByHand(home, daemon);
    home.configure({ old: { watch: { pidFile: daemon.pidFile }, start: daemon.start } });
    await home.start();
    expect(await home.running('old')).toBe(pid);
    signal(pid, 'SIGKILL');
    const next = await home.running('old', pid);
    expect(next).toBe(Number(home.read('oldd.pid')));
    expect((await home.upkeep('stop', 'old')).code).toBe(0);
    expect(isAlive(next)).toBe(false);
  });

  it('is back although its start command does nothing while the pid file of the killed one is there (supervisors 17)', async () => {
    const home = newHome();
    const { script, pidFile } = daemonIn(home);
    const careful = `test -e '${pidFile}' || exec perl '${script}' '${pidFile}'`;
    home.configure({ old: { watch: { exe: script, pidFile }, start: ['sh', '-c', careful] } });
    await home.start();
    const first = await home.running('old');
    signal(first, 'SIGKILL');
    expect(await home.running('old', first)).toBe(Number(home.read('oldd.pid')));
  });

  it('is followed when it hands over to another process, and not restarted (supervisors 18, monitors 4)', async () => {
    const home = newHome();
    const daemon = daemonIn(home);
    home.configure({ old: { watch: { exe: daemon.script, pidFile: daemon.pidFile }, start: daemon.start } });
    const keeper = await home.start();
    const first = await home.running('old');
    signal(first, 'SIGUSR2');
    await home.until('the pid file to move', () => Number(home.read('oldd.pid')) !== first);
    const second = Number(home.read('oldd.pid'));
    signal(first, 'SIGKILL');
    expect(await home.running('old', first)).toBe(second);
    expect((await home.service('old')).restarts.total).toBe(0);
    await expect.poll(() => keeper.said(), { timeout: 10_000 }).toMatch(/old handed over from pid \d+ to pid \d+/);
    expect(keeper.said()).not.toMatch(/old is running .*ready after.*\n(.*\n)*.*ready after/);
  });

  it('is not started a second time when somebody restarts it by hand within `settle` (monitors 5)', async () => {
    const home = newHome();
    const daemon = daemonIn(home);
    const start = ['sh', '-c', `echo ours >> '${home.at('starts')}'; exec perl "$@"`, 'sh', ...daemon.start.slice(1)];
    home.configure({ old: { watch: daemon.script, start, settle: '30s' } });
    const keeper = await home.start();
    const first = await home.running('old');
    signal(first, 'SIGTERM');
    const settling = await home.when('old', ({ state }) => state === 'waiting');
    expect(settling).toMatchObject({ process: null, next: { what: 'start', why: 'settle' } });
    const second = await startByHand(home, daemon);
    expect(await home.running('old', first)).toBe(second);
    expect(home.read('starts')).toBe('ours\n');
    expect((await home.service('old')).restarts.total).toBe(0);
    await expect
      .poll(() => keeper.said(), { timeout: 10_000 })
      .toMatch(/old is not running, restarting unless it comes back within 30 s: killed by SIGTERM|exited with code 0/);
  });
});

describe('a pid file with rubbish in it', () => {
  it.each([
    ['nothing', () => ''],
    ['a word', () => 'abc\n'],
    ['zero', () => '0\n'],
    ['the pid of init', () => '1\n'],
    ['the pid of a stranger', () => `${process.pid}\n`],
  ])('is not believed, and nobody is signalled: %s (supervisors 15, monitors 3)', async (_what, text) => {
    const home = newHome();
    const daemon = daemonIn(home);
    home.write('oldd.pid', text());
    home.configure({ old: { watch: { exe: daemon.script, pidFile: daemon.pidFile }, start: daemon.start } });
    await home.start();
    const pid = await home.running('old');
    expect(pid).toBe(Number(home.read('oldd.pid')));
    expect(pid).not.toBe(process.pid);
    home.write('oldd.pid', text());
    expect((await home.upkeep('stop', 'old')).code).toBe(0);
    expect([isAlive(pid), isAlive(process.pid)]).toEqual([false, true]);
  });
});

describe('a start command', () => {
  it('that succeeds while nothing ever matches is not run again, and the status says what to try', async () => {
    const home = newHome();
    const start = ['sh', '-c', `echo ran >> '${home.at('starts')}'`];
    home.configure({ typo: { watch: '/usr/sbin/no-such-daemond', start, ready: { alive: '1s', timeout: '1s' } } });
    const keeper = await home.start();
    const failed = await home.when('typo', ({ state }) => state === 'failed');
    expect(failed).toMatchObject({
      next: null,
      reason: 'its start command succeeded, and nothing matches; try `upkeep match`',
    });
    expect(home.read('starts')).toBe('ran\n');
    expect((await home.upkeep('status')).code).toBe(3);
    await expect
      .poll(() => keeper.said(), { timeout: 10_000 })
      .toMatch(/nothing matches its watch; staying down, .*try `upkeep match`\n/);
    expect(keeper.said().match(/nothing matches its watch/g)).toHaveLength(1);
    const match = await home.upkeep('match', '/usr/sbin/no-such-daemond');
    expect(match).toMatchObject({ code: 1, stdout: 'executable /usr/sbin/no-such-daemond: nothing matches\n' });
  });

  it('that fails is told with its exit code, and tried again later', async () => {
    const home = newHome();
    const { script } = daemonIn(home);
    home.configure({
      old: { watch: script, start: ['sh', '-c', 'exit 6'], restart: { delay: '1h', backoff: { max: '1h' } } },
    });
    const keeper = await home.start();
    expect(await home.when('old', ({ state }) => state === 'backoff')).toMatchObject({
      lastDeath: { cause: 'exit', code: 6, pid: null, text: 'its start command exited with code 6' },
    });
    await expect
      .poll(() => keeper.said(), { timeout: 10_000 })
      .toMatch(/old failed to start: its start command exited with code 6; trying again in/);
  });

  it('is not needed: without one the daemon is watched and told of, not acted on', async () => {
    const home = newHome();
    const daemon = daemonIn(home);
    const pid = await startByHand(home, daemon);
    home.configure({ old: { watch: daemon.script, settle: '0s' } });
    await home.start();
    expect(await home.running('old')).toBe(pid);
    signal(pid, 'SIGKILL');
    const down = await home.when('old', ({ state }) => state === 'stopped');
    expect(down).toMatchObject({
      desired: 'up',
      lastDeath: { pid },
      reason: expect.stringMatching(/it has no `start` command/),
    });
    expect((await home.upkeep('status')).code).toBe(3);
    expect((await home.upkeep('start', 'old')).stderr).toMatch(/old: start failed: it has no `start` command/);
    const again = await startByHand(home, daemon);
    expect(await home.running('old', pid)).toBe(again);
  });
});
