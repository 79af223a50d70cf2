// The directories and the clean paths of a service, on the files of this machine: what is made, what is removed, what is
// refused, and a file system that does not answer, which a call that never returns stands for.

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { supervised } from '../../test/support/builders.js';
import { until } from '../../test/support/real-kernel.js';
import type { Event } from '../core/event.js';
import type { Directory, ServiceSpec } from '../core/spec.js';
import { type FileCalls, realCalls } from './file-calls.js';
import { Preparations } from './prepare.js';

const isRoot = process.geteuid?.() === 0;
const NOBODY = 65534;
const ALICE = 4711;

let home: string;
const reports: string[] = [];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'upkeep-prepare-'));
  chmodSync(home, 0o755);
  reports.length = 0;
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

interface Setting {
  readonly calls?: Partial<FileCalls>;
  readonly living?: readonly number[];
  readonly patience?: number;
}

function preparations({ calls = {}, living = [], patience }: Setting = {}): {
  readonly all: Preparations;
  readonly answers: Event[];
} {
  const answers: Event[] = [];
  const all = new Preparations({
    post: (event) => void answers.push(event),
    report: (problem) => void reports.push(problem),
    open: () => Promise.resolve(),
    living: () => Promise.resolve(living),
    calls: { ...realCalls, ...calls },
    ...(patience === undefined ? {} : { patience }),
  });
  return { all, answers };
}

/** The problem that is told; null: none. */
async function prepare(spec: ServiceSpec, setting: Setting = {}): Promise<string | null> {
  const { all, answers } = preparations(setting);
  all.begin(spec, 7);
  await until('it is answered', () => answers.length > 0);
  const [answer] = answers;
  if (answer?.type !== 'prepared') throw new Error('another answer');
  expect(answer).toMatchObject({ service: spec.name, generation: 7 });
  return answer.problem;
}

const withDirectories = (...directories: readonly Directory[]): ServiceSpec => supervised({ directories });
const cleaning = (...clean: readonly string[]): ServiceSpec => supervised({ clean });
const as = (spec: ServiceSpec, user: number): ServiceSpec => ({
  ...spec,
  settings: { ...spec.settings, user: String(user) },
});
const modeOf = (path: string): number => statSync(path).mode & 0o7777;

/** Leaves a socket behind, as a program does that is killed. */
async function staleSocket(path: string): Promise<void> {
  const server = createServer();
  const bound = `${path}.bound`;
  await new Promise<void>((resolve) => server.listen(bound, resolve));
  // Closing would remove the name that was bound.
  renameSync(bound, path);
  await new Promise((resolve) => server.close(resolve));
}

describe('the directories of a service', () => {
  it('are made with exactly their mode, whatever the umask, and their parents with 0755', async () => {
    const before = process.umask(0o077);
    try {
      const path = join(home, 'run/witness/state');
      expect(await prepare(withDirectories({ path, mode: 0o2775 }))).toBeNull();
      expect([modeOf(path), modeOf(join(home, 'run/witness')), modeOf(join(home, 'run'))]).toEqual([
        0o2775, 0o755, 0o755,
      ]);
    } finally {
      process.umask(before);
    }
  });

  it('keep what is in them, and get the mode that is written now', async () => {
    const path = join(home, 'state');
    mkdirSync(path, { mode: 0o777 });
    writeFileSync(join(path, 'kept'), '');
    expect(await prepare(withDirectories({ path, mode: 0o750 }))).toBeNull();
    expect([modeOf(path), readdirSync(path)]).toEqual([0o750, ['kept']]);
  });

  it('are not made through a link in their place, nor in the place of a file', async () => {
    mkdirSync(join(home, 'elsewhere'), { mode: 0o700 });
    symlinkSync('elsewhere', join(home, 'link'));
    writeFileSync(join(home, 'file'), '');
    expect(await prepare(withDirectories({ path: join(home, 'link'), mode: 0o755 }))).toMatch(
      /link is a symbolic link/,
    );
    expect(await prepare(withDirectories({ path: join(home, 'file'), mode: 0o755 }))).toMatch(
      /is no directory: remove/,
    );
    expect(await prepare(withDirectories({ path: join(home, 'file/x'), mode: 0o755 }))).toMatch(
      /file is on the way and is no directory/,
    );
    expect(modeOf(join(home, 'elsewhere'))).toBe(0o700);
  });

  it('may be reached through links of the keeper’s own user, which are no loop', async () => {
    mkdirSync(join(home, 'real/deep'), { recursive: true });
    symlinkSync('real/deep', join(home, 'by-name'));
    symlinkSync('../real/deep/..', join(home, 'real/up'));
    symlinkSync('loop', join(home, 'loop'));
    expect(await prepare(withDirectories({ path: join(home, 'by-name/a'), mode: 0o700 }))).toBeNull();
    expect(await prepare(withDirectories({ path: join(home, 'real/up/b'), mode: 0o700 }))).toBeNull();
    expect(existsSync(join(home, 'real/deep/a'))).toBe(true);
    expect(existsSync(join(home, 'real/b'))).toBe(true);
    expect(await prepare(withDirectories({ path: join(home, 'loop/c'), mode: 0o700 }))).toMatch(/more than 40 links/);
  });

  it('are not those that users share', async () => {
    const path = join(home, 'shared');
    mkdirSync(path);
    chmodSync(path, 0o1777);
    expect(await prepare(withDirectories({ path, mode: 0o755 }))).toMatch(/is shared with other users/);
    expect(modeOf(path)).toBe(0o1777);
  });

  it('are written from / on, without ..', async () => {
    for (const path of ['run/x', `${home}/../x`, '/'])
      expect(await prepare(withDirectories({ path, mode: 0o755 })), path).toMatch(/does not say from \/ on/);
  });

  it('need a user that exists', async () => {
    const spec = withDirectories({ path: join(home, 'x'), mode: 0o755 });
    const unknown = { ...spec, settings: { ...spec.settings, user: 'no-such-user' } };
    expect(await prepare(unknown)).toBe('no such user: no-such-user');
    expect(existsSync(join(home, 'x'))).toBe(false);
  });

  it.skipIf(isRoot)('are not made for another user by an ordinary one', async () => {
    const spec = as(withDirectories({ path: join(home, 'x'), mode: 0o755 }), 0);
    expect(await prepare(spec)).toBe('only a keeper of root can prepare for user 0');
  });

  it.skipIf(isRoot)('are not made where the user has no right', async () => {
    expect(await prepare(withDirectories({ path: '/upkeep-not-allowed', mode: 0o755 }))).toMatch(/has no right to it/);
  });
});

describe.skipIf(!isRoot)('the directories of a service of another user', () => {
  it('are that user’s and its group’s, their parents root’s', async () => {
    const path = join(home, 'run/web');
    expect(await prepare(as(withDirectories({ path, mode: 0o750 }), NOBODY))).toBeNull();
    expect([statSync(path).uid, statSync(path).gid, modeOf(path)]).toEqual([NOBODY, NOBODY, 0o750]);
    expect(statSync(join(home, 'run')).uid).toBe(0);
  });

  it('may be root’s while they are empty, and no longer', async () => {
    const path = join(home, 'web');
    const spec = as(withDirectories({ path, mode: 0o750 }), NOBODY);
    mkdirSync(path);
    writeFileSync(join(path, 'secret'), '');
    expect(await prepare(spec)).toMatch(
      /belongs to root \(0\) and is not empty: choose another path, or, .* chown it to nobody/,
    );
    expect(statSync(path).uid).toBe(0);
    rmSync(join(path, 'secret'));
    expect(await prepare(spec)).toBeNull();
    expect(statSync(path).uid).toBe(NOBODY);
  });

  it('are refused where they belong to somebody else, or lie below what does', async () => {
    const path = join(home, 'alice');
    mkdirSync(path);
    chownSync(path, ALICE, ALICE);
    const own = withDirectories({ path, mode: 0o750 });
    expect(await prepare(as(own, NOBODY))).toMatch(
      /alice belongs to user 4711, not to nobody \(65534\): remove it, or/,
    );
    const below = withDirectories({ path: join(path, 'x/y'), mode: 0o750 });
    expect(await prepare(as(below, NOBODY))).toMatch(/alice is on the way and belongs to user 4711/);
    expect([statSync(path).uid, readdirSync(path)]).toEqual([ALICE, []]);
    expect(await prepare(as(below, ALICE))).toBeNull();
    expect([statSync(join(path, 'x')).uid, statSync(join(path, 'x/y')).uid]).toEqual([0, ALICE]);
  });

  it('are not reached through links that others have made, or could exchange', async () => {
    mkdirSync(join(home, 'target'));
    mkdirSync(join(home, 'open'));
    chmodSync(join(home, 'open'), 0o777);
    for (const link of ['link', 'open/link']) symlinkSync(join(home, 'target'), join(home, link));
    lchownSync(join(home, 'link'), ALICE, ALICE);
    for (const spec of [withDirectories({ path: join(home, 'link/x'), mode: 0o755 }), cleaning(join(home, 'link/x'))])
      expect(await prepare(spec)).toMatch(/link is on the way and is a link of user 4711/);
    expect(await prepare(cleaning(join(home, 'open/link/x')))).toMatch(
      /is a link in a directory that others can write/,
    );
    expect(readdirSync(join(home, 'target'))).toEqual([]);
  });
});

describe('the clean paths of a service', () => {
  it('are removed: a socket, a FIFO, a regular file, and nothing is fine too (graceful 8)', async () => {
    const [socket, fifo, file, none] = ['socket', 'fifo', 'file', 'no/thing'].map((name) => join(home, name));
    await staleSocket(socket ?? '');
    execFileSync('mkfifo', [fifo ?? '']);
    writeFileSync(file ?? '', '');
    expect(await prepare(cleaning(socket ?? '', fifo ?? '', file ?? '', none ?? ''))).toBeNull();
    expect(readdirSync(home)).toEqual([]);
  });

  it('are no directories, links or devices: those stay, and are a problem', async () => {
    mkdirSync(join(home, 'directory'));
    symlinkSync('/etc/passwd', join(home, 'link'));
    expect(await prepare(cleaning(join(home, 'directory')))).toMatch(/is a directory; `clean` removes only sockets/);
    expect(await prepare(cleaning(join(home, 'link')))).toMatch(/is a symbolic link; `clean` removes only/);
    expect(await prepare(cleaning('/dev/null'))).toMatch(/is a device; `clean` removes only/);
    expect([lstatSync(join(home, 'directory')).isDirectory(), readlinkSync(join(home, 'link'))]).toEqual([
      true,
      '/etc/passwd',
    ]);
  });

  it('stay while a living process of the service has them, which is said once', async () => {
    const path = join(home, 'agent.sock');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const { all, answers } = preparations({ living: [process.pid] });
    for (const generation of [1, 2]) all.begin(cleaning(path), generation);
    await until('both are answered', () => answers.length === 2);
    expect(answers).toMatchObject([{ problem: null }, { problem: null }]);
    expect(lstatSync(path).isSocket()).toBe(true);
    expect(reports).toEqual([
      `${path} is left there before the start of web: its process ${process.pid} is bound to it`,
    ]);
    expect(await prepare(cleaning(path), { living: [] })).toBeNull();
    expect(existsSync(path)).toBe(false);
    await new Promise((resolve) => server.close(resolve));
  });

  it('are told from others of the same name by what they are, not by their path', async () => {
    mkdirSync(join(home, 'other'));
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(home, 'other/agent.sock'), resolve));
    await staleSocket(join(home, 'agent.sock'));
    symlinkSync('other', join(home, 'alias'));
    expect(await prepare(cleaning(join(home, 'agent.sock')), { living: [process.pid] })).toBeNull();
    expect(existsSync(join(home, 'agent.sock'))).toBe(false);
    expect(await prepare(cleaning(join(home, 'alias/agent.sock')), { living: [process.pid] })).toBeNull();
    expect(existsSync(join(home, 'other/agent.sock'))).toBe(true);
    await new Promise((resolve) => server.close(resolve));
  });

  it('are removed when those who live have something else open', async () => {
    const [held, free] = [join(home, 'held'), join(home, 'free')];
    writeFileSync(held, '');
    writeFileSync(free, '');
    const fd = openSync(held, 'r');
    expect(await prepare(cleaning(held, free), { living: [process.pid] })).toBeNull();
    expect(readdirSync(home)).toEqual(['held']);
    closeSync(fd);
  });
});

describe('a file system that does not answer', () => {
  const hang = (name: string): Partial<FileCalls> => ({
    open: (path, flags) => (path.endsWith(`/${name}`) ? new Promise(() => {}) : realCalls.open(path, flags)),
  });

  it('fails the start with its path, and the others go on', async () => {
    const { all, answers } = preparations({ calls: hang('hung'), patience: 100 });
    all.begin(cleaning(join(home, 'hung/a.sock')), 1);
    await until('it is answered', () => answers.length === 1);
    expect(answers[0]).toMatchObject({
      problem: `${join(home, 'hung')} does not answer: nothing has come from its file system for 0.1 s; look at its disk or server`,
    });
    all.begin(cleaning('/proc/upkeep-none'), 2);
    await until('the other is answered', () => answers.length === 2);
    expect(answers[1]).toMatchObject({ generation: 2, problem: null });
  });

  it('is not asked again before it has answered', async () => {
    let asked = 0;
    const calls: Partial<FileCalls> = {
      open: (path, flags) => {
        if (!path.endsWith('/hung')) return realCalls.open(path, flags);
        asked += 1;
        return new Promise(() => {});
      },
    };
    const { all, answers } = preparations({ calls, patience: 100 });
    for (let generation = 1; generation <= 20; generation++) all.begin(cleaning(join(home, 'hung/a.sock')), generation);
    await until('all are answered', () => answers.length === 20);
    const told = answers.map((answer) => (answer.type === 'prepared' ? answer.problem : null));
    expect(told.filter((problem) => /^the file system at \/.* does not answer/.test(problem ?? ''))).toHaveLength(18);
    expect(asked).toBe(2);
  });

  it('that answers after all changes nothing any more, and is asked again', async () => {
    const path = join(home, 'late');
    let answer = (): void => {};
    const calls: Partial<FileCalls> = {
      lstat: (from) =>
        new Promise((resolve) => {
          answer = () => void realCalls.lstat(from).then(resolve);
        }),
    };
    writeFileSync(path, '');
    const { all, answers } = preparations({ calls, patience: 100 });
    all.begin(cleaning(path), 1);
    await until('it is given up', () => answers.length === 1);
    const before = readdirSync('/proc/self/fd').length;
    expect(all.isUnderWay).toBe('yes');
    answer();
    await until('what was held is let go', () => readdirSync('/proc/self/fd').length < before);
    expect([existsSync(path), all.isUnderWay]).toEqual([true, 'no']);
    all.begin(withDirectories({ path: join(home, 'made'), mode: 0o755 }), 2);
    await until('it is answered', () => answers.length === 2);
    expect(answers[1]).toMatchObject({ problem: null });
  });
});

it('answers at once where there is nothing to prepare', () => {
  const { all, answers } = preparations();
  all.begin(supervised(), 3);
  expect(answers).toEqual([{ type: 'prepared', service: 'web', generation: 3, problem: null }]);
});
