// What root does before a start where parts of the way belong to a hostile user, who exchanges them for links all the time, and
// where a file system does not answer. Preparations of kernel/ itself and a whole keeper, in a disposable machine.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import type { Event } from '../../src/core/event.js';
import type { ServiceSpec } from '../../src/core/spec.js';
import { Preparations } from '../../src/kernel/prepare.js';
import { supervised } from '../support/builders.js';
import { forgetEverything, inState, Keeper, status, writeConfig } from '../support/sandbox-keeper.js';
import { run, until } from '../support/sandbox-machine.js';

const MALLORY = 4711;
const ROOM = '/srv/clean-state';

let undo: (() => void)[] = [];
afterEach(() => {
  for (const step of undo.splice(0).reverse()) step();
  undo = [];
  rmSync(ROOM, { recursive: true, force: true });
});

function preparations(patience = 60_000): { readonly all: Preparations; readonly answers: Event[] } {
  const answers: Event[] = [];
  const all = new Preparations({
    post: (event) => void answers.push(event),
    report: (problem, error) => {
      throw new Error(`${problem}: ${String(error)}`);
    },
    living: () => Promise.resolve([]),
    open: () => Promise.resolve(),
    patience,
  });
  return { all, answers };
}

async function prepare({ all, answers }: ReturnType<typeof preparations>, spec: ServiceSpec): Promise<string | null> {
  const before = answers.length;
  all.begin(spec, before);
  while (answers.length === before) await new Promise((resolve) => setImmediate(resolve));
  const answer = answers.at(-1);
  return answer?.type === 'prepared' ? answer.problem : null;
}

const of = (user: number, spec: ServiceSpec): ServiceSpec => ({
  ...spec,
  settings: { ...spec.settings, user: String(user) },
});

/** A directory, made for this user alone. */
function directory(path: string, uid: number, mode = 0o700): string {
  mkdirSync(path, { recursive: true });
  chownSync(path, uid, uid);
  chmodSync(path, mode);
  return path;
}

// renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE): at no moment is one of the names free.
const EXCHANGES =
  'my $n = $ARGV[0] eq "x64" ? 316 : 276; my ($a, $b) = @ARGV[1, 2];' +
  'for (;;) { syscall($n, -100, $a, -100, $b, 2) == 0 or die "$!"; select(undef, undef, undef, rand(0.0004)) }';

/** From now on this user exchanges these two without end. */
function exchange(a: string, b: string): ChildProcess {
  const script = ['/usr/bin/perl', '-e', EXCHANGES, process.arch, a, b];
  const mallory = spawn('setpriv', [`--reuid=${MALLORY}`, `--regid=${MALLORY}`, '--clear-groups', ...script], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  undo.push(() => mallory.kill('SIGKILL'));
  return mallory;
}

/** Root's own: what a directory and a file are that must stay as they are. */
function victim(): { readonly path: string; readonly looks: () => unknown } {
  const path = directory(`${ROOM}/victim`, 0);
  directory(`${path}/web`, 0, 0o711);
  writeFileSync(`${path}/agent.sock`, '');
  const look = (file: string): unknown => {
    const { uid, gid, mode } = statSync(file);
    return [uid, gid, mode.toString(8), existsSync(`${file}/inner`)];
  };
  return { path, looks: () => [path, `${path}/web`, `${path}/agent.sock`].map(look) };
}

/** Until both was seen, the directory itself and the link in its place, and some hundred times. */
async function race(spec: ServiceSpec, refusal: RegExp): Promise<void> {
  const root = preparations();
  const seen = { done: 0, refused: 0 };
  for (let tries = 0; tries < 300 || ((seen.done === 0 || seen.refused === 0) && tries < 20_000); tries++) {
    const problem = await prepare(root, spec);
    if (problem !== null) expect(problem).toMatch(refusal);
    seen[problem === null ? 'done' : 'refused'] += 1;
  }
  expect(seen.done).toBeGreaterThan(0);
  expect(seen.refused).toBeGreaterThan(0);
}

describe('a user who exchanges a directory for a link to what is root’s', () => {
  it('on the way: nothing of root’s is removed, made, owned or opened', async () => {
    const { path, looks } = victim();
    const before = looks();
    const home = directory(`${ROOM}/home`, MALLORY, 0o755);
    directory(`${home}/run`, MALLORY);
    symlinkSync(path, `${home}/trap`);
    lchownSync(`${home}/trap`, MALLORY, MALLORY);
    exchange(`${home}/run`, `${home}/trap`);
    const directories = ['web', 'web/inner'].map((name) => ({ path: `${home}/run/${name}`, mode: 0o777 }));
    await race(of(MALLORY, supervised({ directories, clean: [`${home}/run/agent.sock`] })), /is a link of user 4711/);
    expect(looks()).toEqual(before);
  });

  it('in its own place: nothing of root’s is owned or opened', async () => {
    const { path, looks } = victim();
    const before = looks();
    const home = directory(`${ROOM}/home`, MALLORY, 0o755);
    directory(`${home}/web`, MALLORY);
    symlinkSync(`${path}/web`, `${home}/trap`);
    lchownSync(`${home}/trap`, MALLORY, MALLORY);
    exchange(`${home}/web`, `${home}/trap`);
    await race(of(MALLORY, supervised({ directories: [{ path: `${home}/web`, mode: 0o777 }] })), /is a symbolic link/);
    expect(looks()).toEqual(before);
  });

  it('for another directory of root’s that is not empty, its mode stays', async () => {
    const home = directory(`${ROOM}/home`, MALLORY, 0o755);
    directory(`${home}/web`, MALLORY);
    directory(`${home}/backup`, 0);
    writeFileSync(`${home}/backup/secret`, '');
    const mallory = exchange(`${home}/web`, `${home}/backup`);
    const spec = of(MALLORY, supervised({ directories: [{ path: `${home}/web`, mode: 0o777 }] }));
    await race(spec, /belongs to root \(0\) and is not empty/);
    // Which of the two it is now must not change while we look.
    mallory.kill('SIGKILL');
    await until('it stands still', () => mallory.exitCode !== null || mallory.signalCode !== null);
    const backup = ['web', 'backup'].find((name) => existsSync(`${home}/${name}/secret`));
    const { uid, mode } = statSync(`${home}/${backup}`);
    expect([uid, (mode & 0o7777).toString(8)]).toEqual([0, '700']);
  });

  it('in a directory where all may write: what another made first is refused, by a sentence', async () => {
    const shared = directory(`${ROOM}/tmp`, 0, 0o1777);
    directory(`${shared}/web`, MALLORY);
    const spec = of(65534, supervised({ directories: [{ path: `${shared}/web`, mode: 0o755 }] }));
    expect(await prepare(preparations(), spec)).toBe(
      `${shared}/web belongs to user 4711, not to nobody (65534): remove it, or, if what is in it may be trusted, chown it to nobody (65534)`,
    );
  });

  it('of what is shared by all, nobody is told to chown it', async () => {
    const shared = directory(`${ROOM}/tmp`, 0, 0o1777);
    directory(`${shared}/another`, MALLORY);
    const spec = of(65534, supervised({ directories: [{ path: shared, mode: 0o755 }] }));
    expect(await prepare(preparations(), spec)).toBe(
      `${shared} is shared with other users (it is sticky): choose a directory of its own below it`,
    );
  });
});

it('a frozen file system fails the start, and is asked again when it answers', async () => {
  const must = (command: string, ...args: readonly string[]): void => {
    const ran = run(command, args);
    if (ran.code !== 0) throw new Error(`${command} ${args.join(' ')}: ${ran.stderr}`);
  };
  const image = '/var/tmp/clean-state.img';
  const mount = directory(`${ROOM}/frozen`, 0, 0o755);
  must('truncate', '-s', '64M', image);
  must('mkfs.ext4', '-q', '-F', image);
  must('mount', '-o', 'loop', image, mount);
  undo.push(() => {
    spawnSync('umount', ['-l', mount]);
    rmSync(image, { force: true });
  });
  must('fsfreeze', '-f', mount);
  let frozen = true;
  const thaw = (): void => {
    if (frozen) spawnSync('fsfreeze', ['-u', mount]);
    frozen = false;
  };
  undo.push(thaw);
  const root = preparations(500);
  const on = (path: string): ServiceSpec => supervised({ directories: [{ path, mode: 0o755 }] });
  expect(await prepare(root, on(`${mount}/web`))).toMatch(/frozen\/web does not answer: nothing has come from/);
  for (let tries = 0; tries < 10; tries++)
    expect(await prepare(root, on(`${mount}/web`))).toBe(
      `the file system at ${mount} does not answer: look at its disk or server`,
    );
  expect(await prepare(root, on(`${ROOM}/web`))).toBeNull();
  thaw();
  await until('it answers', async () => (await prepare(root, on(`${mount}/web`))) === null);
});

// A file system whose server never says a word: who asks it for a name waits, and can be killed, as on a hung NFS.
const MUTE =
  'sysopen(my $f, $ARGV[2], 2) or die "no fuse: $!"; my $o = "fd=" . fileno($f) . ",rootmode=40000,user_id=0,group_id=0";' +
  'my ($kind, $none) = ("fuse", "none"); my $n = $ARGV[0] eq "x64" ? 165 : 40;' +
  'syscall($n, $none, $ARGV[1], $kind, 0, $o) == 0 or die "mount: $!"; sleep 1000;';

const hasFuse = readFileSync('/proc/filesystems', 'utf8').includes('\tfuse\n');

it.skipIf(!hasFuse)(
  'a server that never answers costs one service its start, and neither another nor the end of the keeper',
  async () => {
    const mount = directory(`${ROOM}/mute`, 0, 0o755);
    // The /dev of the sandbox has none.
    const device = `${ROOM}/fuse`;
    expect(run('mknod', [device, 'c', '10', '229']).code).toBe(0);
    const server = spawn('/usr/bin/perl', ['-e', MUTE, process.arch, mount, device], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    undo.push(() => {
      server.kill('SIGKILL');
      spawnSync('umount', ['-l', mount]);
    });
    await until('it is mounted', () => readFileSync('/proc/self/mounts', 'utf8').includes(` ${mount} fuse `));
    forgetEverything();
    undo.push(forgetEverything);
    writeConfig(`
defaults: { ready: { alive: 200ms } }
services:
  mute: { run: /usr/bin/sleep infinity, directories: [${mount}/web] }
  own:  { run: /usr/bin/sleep infinity, directories: [${ROOM}/own/web] }
`);
    const keeper = await Keeper.start();
    undo.push(() => void spawnSync('kill', ['-9', String(keeper.pid)]));
    const { process: first } = await inState('own', 'running');
    process.kill(first?.pid ?? 0, 'SIGKILL');
    await until('the other is back', () => {
      const now = status('own');
      return now.state === 'running' && now.process?.pid !== first?.pid;
    });
    await inState('mute', 'backoff');
    const why = /mute(\/web)? does not answer: nothing has come from its file system for 10 s/;
    await until('it said why', () => why.test(keeper.text));
    expect(status('mute').lastDeath?.text).toContain('does not answer');
    expect(await keeper.stop()).toBe(0);
  },
);
