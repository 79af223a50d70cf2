import { describe, expect, it } from 'vitest';
import { problemOf, problemOfDescriptors } from './verify.js';

const status = (more: Readonly<Record<string, string>> = {}): string =>
  Object.entries({
    Name: 'node',
    Uid: '65534\t65534\t65534\t65534',
    Gid: '100\t100\t100\t100',
    Groups: ' ',
    CapInh: '0000000000000000',
    CapPrm: '0000000000000000',
    CapEff: '0000000000000000',
    CapBnd: '000001fffeffffff',
    CapAmb: '0000000000000000',
    NoNewPrivs: '1',
    ...more,
  })
    .map(([name, value]) => `${name}:\t${value}\n`)
    .join('');

const wanted = { uid: 65534, gid: 100, groups: 'none' } as const;

describe('an asker is what it was to be (monitors 12)', () => {
  it('with user and group, real, effective, saved and for files, and nothing else', () => {
    expect(problemOf(status(), wanted)).toBeNull();
    expect(problemOf(status({ Groups: '100 ' }), wanted)).toBeNull();
  });

  it('or asks nothing', () => {
    const problems: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
      [{ Uid: '65534\t65534\t0\t65534' }, /its user is 65534, 65534, 0/],
      [{ Uid: '0\t0\t0\t0' }, /its user is 0/],
      [{ Gid: '0\t100\t100\t100' }, /its group is 0/],
      [{ Groups: '0 100' }, /groups 0 too/],
      [{ CapEff: '0000000000000002' }, /CapEff/],
      [{ CapInh: '0000000000000400' }, /CapInh/],
      [{ CapAmb: '0000000000000400' }, /CapAmb/],
      [{ NoNewPrivs: '0' }, /NoNewPrivs/],
    ];
    for (const [more, problem] of problems) expect(problemOf(status(more), wanted)).toMatch(problem);
    expect(problemOf('', wanted)).toMatch(/its user/);
    expect(problemOf(status({ Uid: '0\t0\t0\t0' }), { ...wanted, uid: 0 })).toBe('it is to be root');
  });

  it('has the groups of a keeper that is not root, who cannot leave them', () => {
    expect(problemOf(status({ Groups: '27 100' }), { ...wanted, groups: 'kept' })).toBeNull();
  });
});

describe('an asker has no descriptor of the keeper (supervisors 23)', () => {
  const own = [
    { fd: 0, is: 'pipe:[1]' },
    { fd: 1, is: 'pipe:[2]' },
    { fd: 2, is: 'pipe:[3]' },
    { fd: 3, is: 'anon_inode:[eventpoll]' },
    { fd: 4, is: 'pipe:[4]' },
    { fd: 5, is: 'pipe:[4]' },
    { fd: 6, is: '/dev/null' },
  ];

  it('but its three; Node’s own pipes lead to itself', () => {
    expect(problemOfDescriptors(own)).toBeNull();
  });

  it('no socket, no file, no process, no half of a pipe', () => {
    for (const is of ['socket:[7]', '/run/upkeep/journal', 'anon_inode:[pidfd]', 'pipe:[9]'])
      expect(problemOfDescriptors([...own, { fd: 9, is }])).toBe(`descriptor 9 is not its own (${is})`);
  });
});
