import { describe, expect, it } from 'vitest';
import { factsOf, type HostSource, hostNamed, isHardFamily, realHost } from './host-facts.js';

const DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n';

const host = (part: Partial<HostSource>, texts: Readonly<Record<string, string>> = {}): readonly string[] =>
  factsOf({
    hostName: 'web-1.example.org',
    architecture: 'x86_64',
    uid: 0,
    exists: () => false,
    ...part,
    text: (path) => ({ '/etc/os-release': DEBIAN, '/proc/1/comm': 'init\n', ...texts })[path] ?? null,
  }).hard;

describe('the hard classes of a host', () => {
  it('are those of product.md 2.1', () => {
    expect(host({})).toEqual(['any', 'linux', 'x86_64', 'debian', 'debian_12', 'web_1_example_org', 'web_1', 'root']);
    expect(host({ uid: 1000, hostName: 'ns1' })).toEqual([
      'any',
      'linux',
      'x86_64',
      'debian',
      'debian_12',
      'ns1',
      'user',
    ]);
  });

  it('name a version whole and by its first part', () => {
    expect(host({}, { '/etc/os-release': "ID=ubuntu\nVERSION_ID='22.04'\n" })).toContain('ubuntu_22');
    expect(host({}, { '/etc/os-release': "ID=ubuntu\nVERSION_ID='22.04'\n" })).toContain('ubuntu_22_04');
    expect(host({}, { '/etc/os-release': 'ID=arch\n' })).toEqual(expect.arrayContaining(['arch']));
  });

  it('say systemd where PID 1 is systemd', () => {
    expect(host({}, { '/proc/1/comm': 'systemd\n' })).toContain('systemd');
    expect(host({ exists: (path) => path === '/run/systemd/system' })).not.toContain('systemd');
  });

  it('say container where one says so', () => {
    expect(host({ exists: (path) => path === '/.dockerenv' })).toContain('container');
    expect(host({}, { '/proc/1/environ': 'A=1\0container=lxc\0' })).toContain('container');
    expect(host({}, { '/proc/1/environ': 'container=\0mycontainer=x\0' })).not.toContain('container');
  });

  it('can be asked for of the real host', () => {
    const facts = realHost();
    expect(facts.hard).toEqual(expect.arrayContaining(['any', 'linux', process.getuid?.() === 0 ? 'root' : 'user']));
    expect(facts.hostName).not.toBe('');
  });

  it('of another host are few', () => {
    expect(hostNamed('web3', ['debian']).hard).toEqual(['any', 'linux', 'web3']);
  });
});

describe('the families of hard classes', () => {
  it.each(['any', 'linux', 'aarch64', 'debian', 'debian_13', 'ubuntu_22_04', 'root', 'user', 'systemd', 'container'])(
    'know %s',
    (name) => expect(isHardFamily(name)).toBe(true),
  );
  it.each(['web', 'debian_x', 'debian_', 'Linux', 'constructor'])('do not know %s', (name) =>
    expect(isHardFamily(name)).toBe(false),
  );
});
