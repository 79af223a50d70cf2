// The promise: whatever became of the keeper's own files, the services are not touched for it, none is started twice, and
// what was lost is told.

import { execFileSync } from 'node:child_process';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type Home, newHome } from '../support/keeper.js';
import { isAlive, type Running, signal } from '../support/running.js';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];
const SLEEP = 'sleep 1000';

interface Kept {
  readonly home: Home;
  readonly keeper: Running;
  readonly pids: Readonly<Record<string, number>>;
}

/** A keeper with a handful of services, all of them running. */
async function keeping(names: readonly string[] = NAMES): Promise<Kept> {
  const home = newHome();
  home.configure(Object.fromEntries(names.map((name) => [name, { run: SLEEP }])));
  const keeper = await home.start();
  return { home, keeper, pids: await pidsOf(home, names) };
}

async function pidsOf(home: Home, names: readonly string[] = NAMES): Promise<Readonly<Record<string, number>>> {
  const pids: Record<string, number> = {};
  for (const name of names) pids[name] = await home.running(name);
  return pids;
}

const sleepers = (home: Home): readonly number[] =>
  home.processes().filter((pid) => isAlive(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('sleep\0'));

const sorted = (pids: Readonly<Record<string, number>> | readonly number[]): readonly number[] =>
  Object.values(pids).toSorted((a, b) => a - b);

/** A line of the journal with another header, its checksum right. */
const withHeader = (text: string, change: (header: Record<string, unknown>) => Record<string, unknown>): string =>
  text
    .split('\n')
    .map((line) => {
      if (!line.includes('"boot":') || !line.includes('"token":')) return line;
      const json = JSON.stringify(change(JSON.parse(line.slice(9)) as Record<string, unknown>));
      return `${crc32(json).toString(16).padStart(8, '0')} ${json}`;
    })
    .join('\n');

describe('a journal that is damaged', () => {
  it('in the middle gives what is good of it, the loss is told, and there is no second copy of anything', async () => {
    const { home, keeper, pids } = await keeping();
    // So that there is something to lose: deaths, which an older line about the same service knows less of.
    signal(pids.a ?? 0, 'SIGKILL');
    await home.running('a', pids.a);
    const now = await pidsOf(home);
    await keeper.end('SIGKILL');
    const path = home.at('run/journal');
    const lines = readFileSync(path, 'latin1').split('\n');
    const damaged = lines.map((line, i) =>
      i > 2 && i % 5 === 3 && i < lines.length - NAMES.length
        ? line.slice(0, 40) + String.fromCharCode(line.charCodeAt(40) ^ 1) + line.slice(41)
        : line,
    );
    writeFileSync(path, damaged.join('\n'), 'latin1');
    const second = await home.start();
    expect(await pidsOf(home)).toEqual(now);
    expect(sorted(sleepers(home))).toEqual(sorted(now));
    await expect.poll(second.said, { timeout: 10_000 }).toMatch(/damaged lines? of the journal .* could not be used/);
  });

  it('beyond use is told, and what runs is found again all the same', async () => {
    const { home, keeper, pids } = await keeping();
    await keeper.end('SIGKILL');
    const path = home.at('run/journal');
    // Its beginning, which holds the token, is as good as ever; every line about a service is rubbish.
    const lines = readFileSync(path, 'latin1').split('\n');
    writeFileSync(path, lines.map((line, i) => (i < 2 ? line : line.replace(/.$/, '~'))).join('\n'), 'latin1');
    const second = await home.start();
    expect(await pidsOf(home)).toEqual(pids);
    expect(sorted(sleepers(home))).toEqual(sorted(pids));
    await expect.poll(second.said, { timeout: 10_000 }).toMatch(/damaged lines of the journal/);
  });
});

describe('a journal that is not ours to use', () => {
  const refusals: readonly (readonly [string, RegExp, (path: string) => void])[] = [
    ['of a newer version', /written by a newer upkeep/, (path) => rewrite(path, { version: 99 })],
    ['that is a directory', /is no plain file; remove it/, (path) => replaceBy(path, () => mkdirSync(path))],
    ['that is a FIFO', /is no plain file; remove it/, (path) => replaceBy(path, () => execFileSync('mkfifo', [path]))],
    ['that is a link', /is no plain file; remove it/, (path) => replaceBy(path, () => symlinkSync('away', path))],
    ['of another user', /belongs to uid 12345/, (path) => chownSync(path, 12_345, 12_345)],
  ];
  // Only root gives files away.
  const possible = process.getuid?.() === 0 ? refusals : refusals.slice(0, -1);
  it.each(possible)(
    '%s is refused in words, and nothing is touched, started or written',
    async (_what, words, spoil) => {
      const { home, keeper, pids } = await keeping(['a', 'b']);
      await keeper.end('SIGKILL');
      const path = home.at('run/journal');
      spoil(path);
      const refused = await home.launch().ended;
      expect(refused.code).toBe(1);
      expect(refused.stderr).toMatch(words);
      expect(sorted(sleepers(home))).toEqual(sorted(pids));
      for (const pid of Object.values(pids)) expect(isAlive(pid)).toBe(true);
    },
  );

  it('but was written under another name of the host is used, and that is told', async () => {
    const { home, keeper, pids } = await keeping(['a', 'b']);
    await keeper.end('SIGKILL');
    rewrite(home.at('run/journal'), { host: 'elsewhere' });
    const second = await home.start();
    expect(await pidsOf(home, ['a', 'b'])).toEqual(pids);
    await expect.poll(second.said, { timeout: 10_000 }).toMatch(/was written when this host was called elsewhere/);
  });
});

describe('while the keeper runs', () => {
  it('its runtime directory may be removed: it is made anew, commands arrive, and nothing is forgotten (void-linux/runit 25)', async () => {
    const { home, keeper, pids } = await keeping();
    expect((await home.upkeep('stop', 'f', '--until-boot', '--reason', 'not today')).code).toBe(0);
    rmSync(home.at('run'), { recursive: true });
    await home.until('an answer', async () => (await home.get('/v1/status')).type === 'ok');
    await expect
      .poll(keeper.said, { timeout: 10_000 })
      .toMatch(/removed the directory, the lock, the journal, the control socket, the record of the keeper of/);
    expect((await home.upkeep('restart', 'a')).code).toBe(0);
    const { f: _stopped, ...others } = pids;
    const now = { ...others, a: await home.running('a', pids.a) };
    expect(sorted(sleepers(home))).toEqual(sorted(now));
    const second = await home.launch().ended;
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(new RegExp(`another keeper runs already \\(pid ${keeper.pid}\\)`));

    await keeper.end('SIGKILL');
    await home.start();
    expect(await pidsOf(home, NAMES.slice(0, 5))).toEqual(now);
    expect(await home.service('f')).toMatchObject({ state: 'stopped', override: { reason: 'not today' } });
    expect(sorted(sleepers(home))).toEqual(sorted(now));
  });

  it('a second one is refused even in the instant in which the directory is not there', async () => {
    const { home, keeper, pids } = await keeping(['a', 'b']);
    // The first cannot make anything anew meanwhile: this is the longest instant there can be.
    signal(keeper.pid, 'SIGSTOP');
    rmSync(home.at('run'), { recursive: true });
    const second = await home.launch().ended;
    signal(keeper.pid, 'SIGCONT');
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(new RegExp(`another keeper runs already \\(pid ${keeper.pid}\\); it holds .*state`));
    await home.until('an answer', async () => (await home.get('/v1/status')).type === 'ok');
    expect(await pidsOf(home, ['a', 'b'])).toEqual(pids);
    expect(sorted(sleepers(home))).toEqual(sorted(pids));
  });

  it('its control socket is made anew when that has not been possible at first', async () => {
    const { home, keeper, pids } = await keeping(['a', 'b']);
    const socket = home.at('run/control.sock');
    unlinkSync(socket);
    mkdirSync(socket);
    await home.until('word of it', () => /the control socket of .*, and it cannot be made anew/.test(keeper.said()));
    rmdirSync(socket);
    await home.until('an answer', async () => (await home.get('/v1/status')).type === 'ok');
    expect(await pidsOf(home, ['a', 'b'])).toEqual(pids);
  });

  it.each(['lock', 'journal', 'control.sock'])('its %s alone may be removed', async (name) => {
    const { home, keeper, pids } = await keeping(['a', 'b']);
    const waiting = home.post('/v1/services/a/restart?wait=30s');
    unlinkSync(home.at(join('run', name)));
    await home.until(`a new ${name}`, () => existsSync(home.at(join('run', name))));
    // Who had connected before is answered.
    expect((await waiting).type).toBe('ok');
    await expect.poll(keeper.said, { timeout: 10_000 }).toMatch(/made anew/);
    const now = { b: pids.b ?? 0, a: await home.running('a', pids.a) };
    const second = await home.launch().ended;
    expect(second.stderr).toMatch(new RegExp(`another keeper runs already \\(pid ${keeper.pid}\\); it holds .*lock`));
    await keeper.end('SIGKILL');
    await home.start();
    expect(await pidsOf(home, ['b', 'a'])).toEqual(now);
    expect(sorted(sleepers(home))).toEqual(sorted(now));
  });

  it('all of its directories may be moved away at once', async () => {
    const { home, keeper, pids } = await keeping(['a', 'b']);
    for (const name of ['run', 'state']) renameSync(home.at(name), home.at(`${name}-away`));
    await home.until('an answer', async () => (await home.get('/v1/status')).type === 'ok');
    expect((await home.upkeep('stop', 'b')).code).toBe(0);
    await home.until('the word in the state directory', () => home.read('state/words.json').includes('"b"'));
    await keeper.end('SIGKILL');
    await home.start();
    expect(await home.running('a')).toBe(pids.a);
    expect((await home.service('b')).state).toBe('stopped');
  });
});

describe('a lock', () => {
  it('whose holder is dead is no lock, whoever has its pid now (supervisors 34)', async () => {
    const { home, keeper, pids } = await keeping(['a', 'b']);
    await keeper.end('SIGKILL');
    writeFileSync(home.at('run/lock'), `${process.pid}\n`);
    const second = await home.start();
    expect(home.read('run/lock').trim()).toBe(String(second.pid));
    expect(await pidsOf(home, ['a', 'b'])).toEqual(pids);
  });
});

function rewrite(path: string, change: Readonly<Record<string, unknown>>): void {
  writeFileSync(
    path,
    withHeader(readFileSync(path, 'utf8'), (header) => ({ ...header, ...change })),
  );
}

function replaceBy(path: string, make: () => unknown): void {
  renameSync(path, `${path}.away`);
  make();
}
