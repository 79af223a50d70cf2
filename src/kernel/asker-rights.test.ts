import { describe, expect, it } from 'vitest';
import { findUser } from './account.js';
import { type AskerWish, askerRights } from './asker-rights.js';

const isRoot = process.geteuid?.() === 0;
const nobody = findUser('nobody') ?? { uid: 65534, gid: 65534 };

/** In short: `uid:gid`, or why not. */
function rights(user: string | null, service: string | null = null, groups: Partial<AskerWish> = {}): string {
  const found = askerRights({ user, group: null, service: { user: service, group: null }, ...groups });
  return found.type === 'rights' ? `${found.uid}:${found.gid}` : found.reason;
}

describe.skipIf(!isRoot)('a keeper of root asks', () => {
  it('as the user of the service, unless that is root; then as nobody', () => {
    const [daemon] = [findUser('daemon')!];
    expect(rights(null, 'daemon')).toBe(`${daemon.uid}:${daemon.gid}`);
    expect(rights(null, 'root')).toBe(`${nobody.uid}:${nobody.gid}`);
    expect(rights(null)).toBe(`${nobody.uid}:${nobody.gid}`);
  });

  it('as the user of the heartbeat, with the first group of that one, or the group that is named (monitors 12)', () => {
    expect(rights('nobody', 'daemon')).toBe(`${nobody.uid}:${nobody.gid}`);
    expect(rights('12345')).toBe('12345:12345');
    expect(rights('nobody', 'daemon', { group: '4711' })).toBe(`${nobody.uid}:4711`);
    expect(rights(null, 'daemon', { service: { user: 'daemon', group: '4711' } })).toMatch(/:4711$/);
  });

  it('never as root, nor with its group', () => {
    expect(rights('root')).toMatch(/never asked as root/);
    expect(rights('0')).toMatch(/never asked as root/);
    expect(rights('nobody', null, { group: 'root' })).toMatch(/never asked with the group of root/);
  });

  it('as nobody at all where the user or group does not exist', () => {
    expect(rights('no-such-user')).toBe('no such user: no-such-user');
    expect(rights(null, 'no-such-user')).toBe('no such user: no-such-user');
    expect(rights('nobody', null, { group: 'no-such-group' })).toBe('no such group: no-such-group');
  });

  it('without further groups, without capabilities and without a way to any', () => {
    const found = askerRights({ user: 'nobody', group: null, service: { user: null, group: null } });
    if (found.type === 'refused') throw new Error(found.reason);
    const words = ['--inh-caps -all', '--ambient-caps -all', '--no-new-privs'];
    for (const word of words) expect(found.hop.join(' ')).toContain(word);
    expect(found.groups).toBe('none');
    expect(found.env).toMatchObject({ USER: 'nobody', PATH: expect.any(String) });
    expect(found.env).not.toHaveProperty('UPKEEP_CONFIG');
  });
});

describe.skipIf(isRoot)('a keeper that is not root asks', () => {
  it('as itself, and as nobody else', () => {
    expect(rights(null)).toBe(`${process.geteuid?.()}:${process.getegid?.()}`);
    expect(rights('root')).toBe('only a keeper of root can ask as root');
  });
});
