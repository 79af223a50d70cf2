import { describe, expect, it } from 'vitest';
import { configOf, problemsOf } from '../../test/support/configuration.js';

const SERVICES = 'services: { ssh: { watch: sshd }, db-1: { watch: db } }\n';

// Product.md 2.8, with a command that is there in every Debian.
const FULL = `
notices:
  channels:
    admin: { mail: { to: [root], from: upkeep@example.org, via: sendmail } }
    far:   { mail: { to: [ops@example.org], via: { smtp: "mail.example.org:587", user: up, password: { file: /etc/upkeep/smtp.pass } } } }
    log:   { syslog: { facility: daemon } }
    file:  { file: /var/log/upkeep/notices.log }
    page:  { exec: [/usr/local/bin/page] }
    chat:  { webhook: { url: { env: CHAT_URL }, format: json } }
  rules:
    - { tell: [log] }
    - { kinds: [failed], services: [ssh, "db-*"], tell: [page] }
  digest: 5m
  remind: 4h
`;

describe('notices', () => {
  it('in full are read with all their channels and rules', () => {
    expect(configOf(FULL + SERVICES).notices).toEqual({
      channels: {
        admin: { type: 'mail', to: ['root'], from: 'upkeep@example.org', via: { type: 'sendmail' } },
        far: {
          type: 'mail',
          to: ['ops@example.org'],
          from: null,
          via: {
            type: 'smtp',
            server: 'mail.example.org:587',
            user: 'up',
            password: { type: 'file', path: '/etc/upkeep/smtp.pass' },
            tls: 'verify',
          },
        },
        log: { type: 'syslog', facility: 'daemon', server: null },
        file: { type: 'file', path: '/var/log/upkeep/notices.log' },
        page: { type: 'exec', command: { argv: ['/usr/local/bin/page'], timeout: 30_000, user: null } },
        chat: { type: 'webhook', url: { type: 'env', name: 'CHAT_URL' }, format: 'json' },
      },
      rules: [
        { kinds: null, services: null, tell: ['log'] },
        { kinds: ['failed'], services: ['ssh', 'db-*'], tell: ['page'] },
      ],
      digest: 300_000,
      remind: 14_400_000,
    });
  });

  it('in short are one channel that is told the default kinds', () => {
    expect(configOf(`notices: { mail: root }\n${SERVICES}`).notices).toEqual({
      channels: { mail: { type: 'mail', to: ['root'], from: null, via: { type: 'sendmail' } } },
      rules: [{ kinds: null, services: null, tell: ['mail'] }],
      digest: 300_000,
      remind: 14_400_000,
    });
    expect(configOf(`notices: { syslog: local3, digest: none }\n${SERVICES}`).notices).toMatchObject({
      channels: { syslog: { type: 'syslog', facility: 'local3', server: null } },
      digest: null,
    });
  });

  it('go to a server of one’s own over TLS, or to the syslog of another host', () => {
    const far = 'mail: { to: ops, via: { smtp: "[::1]", tls: none } }, syslog: { server: "log.example.org:514" }';
    expect(configOf(`notices: { ${far} }\n${SERVICES}`).notices?.channels).toEqual({
      mail: {
        type: 'mail',
        to: ['ops'],
        from: null,
        via: { type: 'smtp', server: '[::1]', user: null, password: null, tls: 'none' },
      },
      syslog: { type: 'syslog', facility: 'daemon', server: 'log.example.org:514' },
    });
  });

  it('are null where nothing is said of them', () => expect(configOf(SERVICES).notices).toBeNull());

  it.each([
    [
      'channels: { a: { mail: root, file: /x } }',
      '1:27: notices.channels.a: write exactly one of mail, syslog, file, exec, webhook in a channel',
    ],
    [
      'channels: { a: { male: root } }',
      '1:29: notices.channels.a: unknown key "male"; known here: mail, syslog, file, exec, webhook',
    ],
    ['rules: []', '1:10: notices: `channels` is missing; write a map of channels'],
    ['channels: { a: { file: /x } }, rules: [{ tell: [b] }]', '1:60: notices: unknown channel "b"; declared are a'],
    [
      'channels: { admin: { file: /x } }, rules: [{ tell: amdin }]',
      '1:63: notices: unknown channel "amdin"; did you mean admin',
    ],
    [
      'channels: { a: { file: /x } }, rules: [{ kinds: [fialed], tell: [a] }]',
      '1:61: notices.rules.1.kinds.1: found "fialed", which is unknown here; did you mean failed',
    ],
    [
      'channels: { a: { file: /x } }, rules: [{ services: [shh], tell: [a] }]',
      '1:64: notices.rules.1.services: unknown service "shh"; did you mean ssh',
    ],
    [
      'channels: { a: { mail: "a b" } }',
      '1:35: notices.channels.a.mail.1: found "a b", which is no address; write one like root or ops@example.org',
    ],
    [
      'channels: { a: { mail: "-oQ/tmp" } }',
      '1:35: notices.channels.a.mail.1: found "-oQ/tmp", which is no address; write one like root or ops@example.org',
    ],
    [
      'channels: { a: { mail: { to: x, via: { smtp: "m:25", password: hunter2 } } } }',
      '1:75: notices.channels.a.mail.via.password: a secret is not written into the configuration; write {file: PATH} or {env: NAME}',
    ],
    [
      'channels: { a: { mail: { to: x, via: { smtp: m, user: up } } } }',
      '1:49: notices.channels.a.mail.via: there is a user, but no password; write `password: {file: PATH}`',
    ],
    [
      'channels: { a: { mail: { to: x, via: { smtp: m, password: { env: P } } } } }',
      '1:49: notices.channels.a.mail.via: there is a password, but no user; write `user` too',
    ],
    [
      'channels: { a: { mail: { to: x, via: { smtp: m, tls: no } } } }',
      '1:65: notices.channels.a.mail.via.tls: found "no", which is unknown here; write verify, insecure or none',
    ],
    [
      'channels: { a: { syslog: { server: "udp://x" } } }',
      '1:47: notices.channels.a.syslog.server: found "udp://x", which does not fit; write a host like log.example.org:514',
    ],
    [
      'channels: { a: { syslog: { facility: demon } } }',
      '1:49: notices.channels.a.syslog.facility: found "demon", which is unknown here; did you mean daemon',
    ],
    [
      'channels: { a: { webhook: { url: "ftp://x" } } }',
      '1:45: notices.channels.a.webhook.url: found "ftp://x", which is no URL; write one that begins with https://',
    ],
    ['mail: root, digest: 5', '1:32: notices.digest: found "5", which has no unit; write 5s, 5ms or 5m'],
  ])('are checked in full: %s', (text, problem) => {
    expect(problemsOf(`notices: { ${text} }\n${SERVICES}`)).toEqual([`/u.yaml:${problem}`]);
  });
});
