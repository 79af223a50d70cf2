import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findUser, type Runner } from './account.js';
import { findProgram, whichHop } from './program.js';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'upkeep-program-'));
  chmodSync(home, 0o755);
});
afterEach(() => rmSync(home, { recursive: true }));

function file(path: string, mode = 0o755): string {
  const whole = join(home, path);
  mkdirSync(join(whole, '..'), { recursive: true });
  writeFileSync(whole, '#!/bin/sh\n');
  chmodSync(whole, mode);
  return whole;
}

const find = (name: string, path = '', runner: Runner | null = null) => findProgram(name, path, home, runner);

it('takes a name with a slash for a path, from the working directory', () => {
  const path = file('bin/tool');
  expect(find(path)).toEqual({ type: 'found', path });
  expect(find('./bin/tool')).toEqual({ type: 'found', path });
  expect(find('bin/tool')).toEqual({ type: 'found', path });
});

it('looks a bare name up in PATH, past what cannot be executed', () => {
  file('a/tool', 0o644);
  const path = file('b/tool');
  expect(find('tool', `${home}/none:${home}/a:${home}/b`)).toEqual({ type: 'found', path });
  expect(find('tool', `${home}/a`)).toMatchObject({ errno: 'EACCES' });
  expect(find('tool', `${home}/none`)).toEqual({
    type: 'missing',
    errno: 'ENOENT',
    detail: expect.stringContaining(`${home}/none`),
  });
});

it('resolves links anew each time', () => {
  file('one');
  const link = join(home, 'link');
  symlinkSync('one', link);
  expect(find(link).type).toBe('found');
  rmSync(link);
  symlinkSync('gone', link);
  expect(find(link)).toMatchObject({ type: 'missing', errno: 'ENOENT' });
});

it('says why it cannot be run', () => {
  expect(find('')).toMatchObject({ errno: 'ENOENT', detail: 'the command is empty' });
  expect(find(home)).toMatchObject({ errno: 'EACCES', detail: expect.stringContaining('directory') });
  expect(find('/dev/null')).toMatchObject({ errno: 'EACCES', detail: expect.stringContaining('regular') });
  expect(find(`${file('plain')}/x`)).toMatchObject({ type: 'missing' });
});

it.skipIf(process.geteuid?.() !== 0)(
  'judges with the rights of who will run it, and has its own again afterwards',
  () => {
    const account = findUser('nobody');
    if (account === null) throw new Error('nobody is not there');
    const runner: Runner = { account, gid: account.gid, groups: [account.gid] };
    const open = file('open/tool');
    const shut = file('shut/tool');
    chmodSync(join(home, 'shut'), 0o700);
    const own = file('own', 0o700);
    expect(find(open, '', runner).type).toBe('found');
    expect(find(shut, '', runner)).toMatchObject({ errno: 'EACCES', detail: expect.stringContaining('nobody') });
    expect(find(own, '', runner)).toMatchObject({ errno: 'EACCES' });
    expect([find(shut).type, find(own).type]).toEqual(['found', 'found']);
  },
);

it('finds the hops in trusted places, if they are installed', () => {
  for (const name of ['setpriv', 'prlimit'] as const)
    expect(whichHop(name) ?? `/usr/bin/${name}`).toMatch(new RegExp(`^/.*/${name}$`));
});
