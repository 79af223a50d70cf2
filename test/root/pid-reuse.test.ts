// While no keeper is there a process ends, and its PID goes to a stranger: that one is neither adopted nor signalled, by
// whatever the kernel tells processes apart (supervisors 32).

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  forgetEverything,
  inState,
  Keeper,
  runningAs,
  status,
  upkeep,
  writeConfig,
} from '../support/sandbox-keeper.js';
import { endAll, isAlive, ofProgram, until } from '../support/sandbox-machine.js';

const HOME = '/opt/pid-reuse';
/** The sandbox’s own /proc/sys is read-only. */
const PROC = '/mnt/pid-reuse-proc';
const PATROL = `${HOME}/patrold`;

// `patrol` has a pid file that goes on naming the number; `deaf` is in the middle of its stop when the keeper dies.
const CONFIG = `
services:
  web: { run: sleep 2001, ready: { alive: 100ms } }
  deaf:
    run: [sh, -c, "trap '' TERM; while :; do sleep 0.1; done"]
    ready: { alive: 100ms }
    stop: [{ signal: SIGTERM, wait: 60s, to: main }, { signal: SIGKILL, wait: 5s, to: group }]
  patrol:
    watch: { pidFile: ${HOME}/patrol.pid }
    start: [sh, -c, "setsid ${PATROL} 2002 </dev/null >/dev/null 2>&1 & echo $! > ${HOME}/patrol.pid"]
    restart: { when: never }
`;

/** Writes down every signal that it gets and can. Its command line is that of the service. */
const STRANGER = `
for my $name (qw(TERM HUP INT QUIT USR1 USR2 CONT)) { $SIG{$name} = sub { open my $f, '>>', '${HOME}/signals'; print $f "$$ $name\\n"; } }
$0 = 'sleep 2001';
sleep 1 while 1;
`;

/** A stranger with this very pid, the leader of a group and session of its own. */
async function strangerAs(pid: number): Promise<void> {
  const script =
    'echo "$1" > "$3/sys/kernel/ns_last_pid" || exit; setsid perl -e "$2" </dev/null >/dev/null 2>&1 & echo $!';
  await until(`a stranger has the pid ${pid}`, () => {
    const { stdout } = spawnSync('sh', ['-c', script, 'sh', String(pid - 1), STRANGER, PROC], { encoding: 'utf8' });
    const got = Number(stdout);
    if (got === pid) return true;
    if (got > 1) process.kill(got, 'SIGKILL');
    return undefined;
  });
}

const pidOf = (name: string): number => status(name).process?.pid ?? 0;
const signals = (): string => (existsSync(`${HOME}/signals`) ? readFileSync(`${HOME}/signals`, 'utf8') : '');

let keepers: Keeper[] = [];
let strangers: number[] = [];

beforeAll(() => {
  mkdirSync(PROC, { recursive: true });
  const mounted = spawnSync('mount', ['-t', 'proc', 'proc', PROC], { encoding: 'utf8' });
  if (mounted.status !== 0) throw new Error(mounted.stderr);
});
afterAll(() => {
  spawnSync('umount', [PROC]);
});
beforeEach(() => {
  forgetEverything();
  mkdirSync(HOME, { recursive: true });
  copyFileSync('/bin/sleep', PATROL);
  writeConfig(CONFIG);
});
afterEach(async () => {
  for (const keeper of keepers) await keeper.stop();
  for (const pid of strangers) process.kill(pid, 'SIGKILL');
  await endAll(PATROL);
  keepers = [];
  strangers = [];
  rmSync(HOME, { recursive: true, force: true });
});

describe.each([
  ['by the inode of its pidfd', ''],
  ['by its start time alone', 'pidfdInode'],
  ['without pidfds', 'pidfd'],
])('a process is told apart %s', (_how, without) => {
  it('so a stranger that has its number by now is left alone, and the service is started again', async () => {
    const env = { UPKEEP_WITHOUT: without };
    const first = await Keeper.start({ env });
    const web = (await inState('web', 'running')).process?.pid ?? 0;
    const deaf = (await inState('deaf', 'running')).process?.pid ?? 0;
    const patrol = (await inState('patrol', 'running')).process?.pid ?? 0;
    upkeep('stop', 'deaf', '--no-wait');
    await inState('deaf', 'stopping');
    await first.stop('SIGKILL');
    for (const pid of [web, deaf, patrol]) process.kill(pid, 'SIGKILL');
    await until('all are gone', () => ![web, deaf, patrol].some((pid) => existsSync(`/proc/${pid}`)));
    for (const pid of [web, deaf, patrol]) {
      await strangerAs(pid);
      strangers.push(pid);
    }

    keepers.push(await Keeper.start({ env }));
    const again = await inState('web', 'running');
    expect(again.process?.pid).not.toBe(web);
    await runningAs('web', pidOf('web'));
    await inState('deaf', 'stopped');
    await until('patrol is judged', () => status('patrol').state !== 'unknown');
    expect(pidOf('patrol')).not.toBe(patrol);
    expect(again.lastDeath).toMatchObject({ pid: web });
    // Also what is left of the dead one's group is not the stranger's.
    upkeep('restart', 'web');
    await inState('web', 'running');
    upkeep('stop', 'web');
    await inState('web', 'stopped');
    expect(strangers.filter(isAlive)).toEqual([web, deaf, patrol]);
    expect(signals()).toBe('');
    expect(ofProgram(PATROL)).toEqual([]);
  });
});
