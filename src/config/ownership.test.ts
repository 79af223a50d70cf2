import { describe, expect, it } from 'vitest';
import { memoryDisk, type Oddities, problemsOf } from '../../test/support/configuration.js';
import { whyNotTrusted } from './ownership.js';

const FILE = '/etc/upkeep/upkeep.yaml';

const forRoot = (odd: Oddities, path = FILE): string | null =>
  whyNotTrusted(path, { uid: 0 }, memoryDisk({ [FILE]: '' }, odd));

describe('a root keeper', () => {
  it('believes what root owns and nobody else can write', () => expect(forRoot({})).toBeNull());

  it.each([
    [
      { [FILE]: { uid: 1000 } },
      `${FILE} belongs to user 1000; a keeper that runs as root believes only what root owns (chown root)`,
    ],
    [
      { [FILE]: { mode: 0o664 } },
      `${FILE} can be written by others than root (mode 0664); a keeper that runs as root does not believe it (chmod go-w)`,
    ],
    [
      { [FILE]: { mode: 0o646 } },
      `${FILE} can be written by others than root (mode 0646); a keeper that runs as root does not believe it (chmod go-w)`,
    ],
    [
      { '/etc/upkeep': { uid: 33 } },
      'the directory /etc/upkeep belongs to user 33; a keeper that runs as root believes only what root owns (chown root)',
    ],
    [
      { '/etc': { mode: 0o777 } },
      'the directory /etc can be written by others than root (mode 0777); a keeper that runs as root does not believe it (chmod go-w)',
    ],
    [
      { '/': { mode: 0o775 } },
      'the directory / can be written by others than root (mode 0775); a keeper that runs as root does not believe it (chmod go-w)',
    ],
  ])('refuses what somebody else owns or can write, and names it', (odd, reason) => expect(forRoot(odd)).toBe(reason));

  it('refuses a sticky directory like /tmp', () => {
    const disk = memoryDisk({ '/tmp/u.yaml': '' }, { '/tmp': { mode: 0o1777 } });
    expect(whyNotTrusted('/tmp/u.yaml', { uid: 0 }, disk)).toMatch(
      /^the directory \/tmp can be written by others than root \(mode 1777\)/,
    );
  });

  it('follows links, and judges the way that they lead', () => {
    const files = { '/etc/upkeep.yaml': '', '/srv/conf/real.yaml': '' };
    const link: Oddities = { '/etc/upkeep.yaml': { type: 'link', mode: 0o777, target: '../srv/conf/real.yaml' } };
    expect(whyNotTrusted('/etc/upkeep.yaml', { uid: 0 }, memoryDisk(files, link))).toBeNull();
    const bad = memoryDisk(files, { ...link, '/srv': { uid: 7 } });
    expect(whyNotTrusted('/etc/upkeep.yaml', { uid: 0 }, bad)).toMatch(/^the directory \/srv belongs to user 7/);
    const foreign = memoryDisk(files, { '/etc/upkeep.yaml': { type: 'link', uid: 7, target: '/srv/conf/real.yaml' } });
    expect(whyNotTrusted('/etc/upkeep.yaml', { uid: 0 }, foreign)).toMatch(
      /^the link \/etc\/upkeep.yaml belongs to user 7/,
    );
  });

  it('gives up on links that go round in a circle', () => {
    const disk = memoryDisk({ '/a': '' }, { '/a': { type: 'link', target: '/a' } });
    expect(whyNotTrusted('/a', { uid: 0 }, disk)).toBe('/a leads through more than 40 links');
  });

  it('refuses the configuration, an include, an env file and a secret file that somebody else can change', () => {
    const text = `include: sub/a.yaml
services: { a: { run: x, envFile: [/srv/a.env, -/srv/none.env] } }
notices: { channels: { m: { mail: { to: root, via: { smtp: "m:25", user: up, password: { file: /srv/pass } } } } } }
`;
    const files = { '/u.yaml': text, '/sub/a.yaml': 'services: {}', '/srv/a.env': '', '/srv/pass': '' };
    expect(problemsOf(files)).toEqual([]);
    expect(
      problemsOf(files, {}, { '/sub': { uid: 5 }, '/srv/a.env': { mode: 0o666 }, '/srv/pass': { uid: 5 } }),
    ).toEqual([
      expect.stringMatching(/^\/u.yaml:1:10: include: the directory \/sub belongs to user 5;/),
      expect.stringMatching(
        /^\/u.yaml:2:36: services.a.envFile: \/srv\/a.env can be written by others than root \(mode 0666\);/,
      ),
      expect.stringMatching(/^\/u.yaml:3:96: notices: \/srv\/pass belongs to user 5;/),
    ]);
    expect(problemsOf(files, {}, { '/u.yaml': { uid: 5 } })).toEqual([
      expect.stringMatching(/^\/u.yaml: \/u.yaml belongs to user 5;/),
    ]);
  });

  it('refuses the secret of a heartbeat that somebody else can change', () => {
    const text = `services:
  a:
    run: x
    heartbeat:
      - { redis: localhost, password: { file: /srv/a } }
      - { http: http://a/, auth: { user: u, password: { file: /srv/b } } }
      - { ldap: a, bind: { dn: d, password: { file: /srv/c } } }
`;
    const files = { '/u.yaml': text, '/srv/a': '', '/srv/b': '', '/srv/c': '' };
    expect(problemsOf(files)).toEqual([]);
    expect(problemsOf(files, {}, { '/srv/a': { uid: 5 }, '/srv/b': { uid: 5 }, '/srv/c': { uid: 5 } })).toEqual([
      expect.stringMatching(/^\/u.yaml:5:47: services.a.heartbeat: \/srv\/a belongs to user 5;/),
      expect.stringMatching(/^\/u.yaml:6:63: services.a.heartbeat: \/srv\/b belongs to user 5;/),
      expect.stringMatching(/^\/u.yaml:7:53: services.a.heartbeat: \/srv\/c belongs to user 5;/),
    ]);
  });
});

describe('a keeper of another user', () => {
  const forAlice = (odd: Oddities): string | null =>
    whyNotTrusted(FILE, { uid: 1000 }, memoryDisk({ [FILE]: '' }, odd));

  it('believes its own files and those of root, wherever they are', () => {
    expect(forAlice({ [FILE]: { uid: 1000, mode: 0o664 } })).toBeNull();
    expect(forAlice({ '/etc': { uid: 7 } })).toBeNull();
  });

  it('believes nobody else', () => {
    expect(forAlice({ [FILE]: { uid: 1001 } })).toBe(
      `${FILE} belongs to user 1001; a keeper believes only files of its own user and of root`,
    );
  });
});
