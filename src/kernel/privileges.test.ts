import { describe, expect, it } from 'vitest';
import type { ProcessSettings } from '../core/spec.js';
import { type Account, findUser } from './account.js';
import { privilegesOf } from './privileges.js';

const isRoot = process.geteuid?.() === 0;
const plain = {
  user: null,
  group: null,
  groups: null,
  noNewPrivileges: 'no',
  capabilities: null,
} as unknown as ProcessSettings;
const nobody: Account = findUser('nobody') ?? { name: null, uid: 65534, gid: 65534, home: '/', shell: '/bin/sh' };
const ourselves = findUser(String(process.geteuid?.())) ?? nobody;
const words = (settings: Partial<ProcessSettings>, account: Account): readonly string[] | string => {
  const found = privilegesOf({ ...plain, ...settings }, account);
  return found.type === 'refused' ? `${found.errno} ${found.detail}` : found.hop.slice(1);
};

describe('the rights of a process', () => {
  it('are the keeper’s own, without a hop, where nothing else is asked for', () => {
    expect(privilegesOf(plain, ourselves)).toEqual({ type: 'privileges', runner: null, hop: [] });
  });

  it.skipIf(!isRoot)('are another user’s with its group and groups, always all three', () => {
    const hop = words({ user: 'nobody' }, nobody);
    expect(hop).toEqual(expect.arrayContaining(['--reuid', '65534', '--regid']));
    expect(String(hop)).toMatch(/--(init|clear)-groups|--groups/);
  });

  it.skipIf(!isRoot)('are without any other group where the list is empty', () => {
    expect(words({ user: 'nobody', groups: [] }, nobody)).toContain('--clear-groups');
  });

  it.skipIf(!isRoot)('are those capabilities alone that are kept, ambient for who is not root', () => {
    const kept = '-all,+net_bind_service';
    const hop = words({ user: 'nobody', capabilities: ['net_bind_service'] }, nobody);
    for (const flag of ['--bounding-set', '--inh-caps', '--ambient-caps'])
      expect(hop[hop.indexOf(flag) + 1]).toBe(kept);
    expect(words({ capabilities: ['net_bind_service'] }, ourselves)).not.toContain('--ambient-caps');
  });

  it('name the group that does not exist', () => {
    expect(words({ group: 'no-such-group' }, nobody)).toBe('ENOENT no such group: no-such-group');
    expect(words({ groups: ['no-such-group'] }, nobody)).toBe('ENOENT no such group: no-such-group');
  });

  it.skipIf(isRoot)('are no other user’s where the keeper is not root', () => {
    expect(words({ user: 'root' }, { name: 'root', uid: 0, gid: 0, home: '/root', shell: '/bin/sh' })).toMatch(
      /^EPERM only a keeper of root/,
    );
    expect(words({ capabilities: [] }, ourselves)).toMatch(/^EPERM capabilities/);
  });
});
