// Users and groups of the host: from the files first, which costs microseconds and cannot hang, else through the C
// library, which may ask a directory over the network. It must not know what an account is used for.

import koffi from 'koffi';
import { whenChanged } from './changed-file.js';
import { libc } from './syscalls.js';

/** A user, as the database has it. `name` null: a number that nobody has a name for. */
export interface Account {
  readonly name: string | null;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

/** Whose rights count, with the groups that it will have. */
export interface Runner {
  readonly account: Account;
  readonly gid: number;
  readonly groups: readonly number[];
}

/** A user by name or number; null when there is no such name. A number always answers. Read anew when the file changed. */
export function findUser(user: string): Account | null {
  const uid = /^\d+$/.test(user) ? Number(user) : null;
  const found = passwd().find((account) => (uid === null ? account.name === user : account.uid === uid));
  if (found !== undefined) return found;
  const asked = uid === null ? askForUser(user) : askForUid(uid);
  if (asked !== null || uid === null) return asked;
  return { name: null, uid, gid: uid, home: '/', shell: '/bin/sh' };
}

/** The name of a user in the file alone; null where it has none. Never asks the network: for what must not wait. */
export const listedName = (uid: number): string | null => passwd().find((account) => account.uid === uid)?.name ?? null;

/** The number of a group by name or number; null when there is no such name. */
export function findGroup(group: string): number | null {
  if (/^\d+$/.test(group)) return Number(group);
  const found = groups().find((one) => one.name === group);
  return found?.gid ?? askForGroup(group);
}

/** The groups that the file gives this user, with this first one: all of them on a host without a directory server. */
export function listedGroups(account: Account, first: number): readonly number[] {
  const { name } = account;
  const listed = name === null ? [] : groups().filter((group) => group.members.includes(name));
  return [...new Set([first, ...listed.map((group) => group.gid)])];
}

/** Every group that the database gives this user, its first one included. May ask the network: not for the usual path. */
export function groupsOf(account: Account): readonly number[] {
  if (account.name === null) return [account.gid];
  const list = Buffer.alloc(4 * 1024);
  const count = Buffer.alloc(4);
  count.writeInt32LE(list.length / 4, 0);
  if (Number(getgrouplist(account.name, account.gid, list, count)) < 0) return [account.gid];
  return Array.from({ length: count.readInt32LE(0) }, (_, i) => list.readUInt32LE(4 * i));
}

// ---- the files ----

interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

const passwd = cached('/etc/passwd', (f): Account[] =>
  f[0] !== undefined && f.length >= 7
    ? [{ name: f[0], uid: Number(f[2]), gid: Number(f[3]), home: f[5] || '/', shell: f[6] || '/bin/sh' }]
    : [],
);
const groups = cached('/etc/group', (f): Group[] =>
  f[0] !== undefined && f.length >= 3 ? [{ name: f[0], gid: Number(f[2]), members: (f[3] ?? '').split(',') }] : [],
);

/** Lines of a database, parsed again only when the file is another or has changed. */
function cached<T>(path: string, parse: (fields: readonly string[]) => readonly T[]): () => readonly T[] {
  return whenChanged(path, (text) => text.split('\n').flatMap((line) => parse(line.split(':'))));
}

// ---- the C library ----

const getpwnam = libc.func('int getpwnam_r(str name, void *result, void *buffer, ulong length, void *found)');
const getpwuid = libc.func('int getpwuid_r(uint uid, void *result, void *buffer, ulong length, void *found)');
const getgrnam = libc.func('int getgrnam_r(str name, void *result, void *buffer, ulong length, void *found)');
const getgrouplist = libc.func('int getgrouplist(str user, uint group, void *groups, void *count)');

const askForUser = (name: string): Account | null => account((...rest) => getpwnam(name, ...rest));
const askForUid = (uid: number): Account | null => account((...rest) => getpwuid(uid, ...rest));

type Ask = (result: Buffer, strings: Buffer, length: number, found: Buffer) => unknown;

// struct passwd: name @0, passwd @8, uid @16, gid @20, gecos @24, dir @32, shell @40 (pointers into the buffer)
function account(ask: Ask): Account | null {
  const row = answer(ask);
  if (row === null) return null;
  const { result, text } = row;
  return {
    name: text(0),
    uid: result.readUInt32LE(16),
    gid: result.readUInt32LE(20),
    home: text(32) || '/',
    shell: text(40) || '/bin/sh',
  };
}

// struct group: name @0, passwd @8, gid @16
const askForGroup = (name: string): number | null =>
  answer((...rest) => getgrnam(name, ...rest))?.result.readUInt32LE(16) ?? null;

function answer(ask: Ask): { readonly result: Buffer; readonly text: (at: number) => string } | null {
  const result = Buffer.alloc(64);
  const strings = Buffer.alloc(64 * 1024); // a group with thousands of members fits
  const found = Buffer.alloc(8);
  ask(result, strings, strings.length, found);
  if (found.readBigUInt64LE(0) === 0n) return null;
  const base = BigInt(koffi.address(strings));
  const text = (at: number): string => {
    const start = Number(result.readBigUInt64LE(at) - base);
    return strings.toString('utf8', start, strings.indexOf(0, start));
  };
  return { result, text };
}
