import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { findGroup, findUser, groupsOf } from './account.js';

const id = (...args: readonly string[]): string => spawnSync('id', args, { encoding: 'utf8' }).stdout.trim();

it('finds users by name and by number', () => {
  expect(findUser('root')).toEqual({
    name: 'root',
    uid: 0,
    gid: 0,
    home: '/root',
    shell: expect.stringContaining('/'),
  });
  expect(findUser('0')).toEqual(findUser('root'));
  expect(findUser('nobody')).toMatchObject({ uid: Number(id('-u', 'nobody')), gid: Number(id('-g', 'nobody')) });
});

it('knows no user by a name that nobody has, and any by a number', () => {
  expect(findUser('no-such-user')).toBeNull();
  expect(findUser('54321')).toEqual({ name: null, uid: 54321, gid: 54321, home: '/', shell: '/bin/sh' });
});

it('finds groups by name and by number', () => {
  expect(findGroup('daemon')).toBe(1);
  expect(findGroup('4711')).toBe(4711);
  expect(findGroup('no-such-group')).toBeNull();
});

it('gives the groups of a user as id(1) does', () => {
  for (const name of ['root', 'nobody', 'daemon']) {
    const account = findUser(name);
    if (account === null) throw new Error(`${name} is not there`);
    const wanted = new Set(id('-G', name).split(' ').map(Number));
    expect(new Set(groupsOf(account))).toEqual(wanted);
  }
});
