import { describe, expect, it } from 'vitest';
import { configOf, problemsOf, warningsOf } from '../../test/support/configuration.js';
import type { SocketSpec } from '../core/socket.js';

/** A service whose `sockets` begin in line 5, column 7. */
const withSockets = (sockets: string): string =>
  `services:\n  web:\n    run: x\n    sockets:\n${sockets.replace(/^/gm, '      ')}\n`;

const socketsOf = (text: string): readonly SocketSpec[] => configOf(text).specs[0]?.sockets ?? [];

/** The address alone. */
const addressOf = (socket: string): unknown => socketsOf(withSockets(`a: ${socket}`))[0]?.address;

const stream = { mode: 0o666, user: null, group: null };

describe('an address of a socket', () => {
  it.each([
    ['80', { type: 'tcp', host: null, port: 80 }],
    [':80', { type: 'tcp', host: null, port: 80 }],
    ['"80"', { type: 'tcp', host: null, port: 80 }],
    ['0.0.0.0:80', { type: 'tcp', host: '0.0.0.0', port: 80 }],
    ['"[::]:80"', { type: 'tcp', host: '::', port: 80 }],
    ['"[0:0::1]:65535"', { type: 'tcp', host: '::1', port: 65_535 }],
    ['"[fe80:0::1%eth0]:80"', { type: 'tcp', host: 'fe80::1%eth0', port: 80 }],
    ['tcp://127.0.0.1:80', { type: 'tcp', host: '127.0.0.1', port: 80 }],
    ['udp://127.0.0.1:53', { type: 'udp', host: '127.0.0.1', port: 53 }],
    ['udp://:53', { type: 'udp', host: null, port: 53 }],
    ['{ udp: 53 }', { type: 'udp', host: null, port: 53 }],
    ['{ listen: 53, type: udp }', { type: 'udp', host: null, port: 53 }],
    ['/run/web//admin.sock', { type: 'stream', path: '/run/web/admin.sock', ...stream }],
    ['{ listen: /run/log, type: datagram }', { type: 'datagram', path: '/run/log', ...stream }],
    [
      '{ listen: /run/a, mode: 0660, user: www, group: 33 }',
      { type: 'stream', path: '/run/a', mode: 0o660, user: 'www', group: '33' },
    ],
    ['"@web"', { type: 'stream', path: '@web', ...stream }],
  ])('is read: %s', (text, address) => expect(addressOf(text)).toEqual(address));

  it.each([
    ['0', 'which has port 0, for which the kernel picks another one each time; write one from 1 to 65535'],
    ['":65536"', 'which has no such port; they go from 1 to 65535'],
    ['"*:80"', 'which is no address; write :80 for all of them'],
    ['localhost:80', 'which has a name for an address; write 127.0.0.1:80 or "[::1]:80"'],
    [
      'web1:80',
      'which has no address before its port, and a name may mean another one tomorrow; write one like 127.0.0.1:80',
    ],
    [
      '256.0.0.1:80',
      'which has no address before its port, and a name may mean another one tomorrow; write one like 127.0.0.1:80',
    ],
    ['fe80::1:80', 'which has an IPv6 address without brackets; write "[fe80::1]:80"'],
    ['"[web]:80"', 'which has no IPv6 address in its brackets; write one like [::1]:80'],
    ['127.0.0.1', 'which has no port; write one after it, as in 127.0.0.1:80'],
    ['"[::1]"', 'which has no port; write one after it, as in "[::1]:80"'],
    ['web', 'which is no address; write an address like "0.0.0.0:80", "[::1]:80", :80, /run/web.sock or "@name"'],
    [
      'run/web.sock',
      'which is no address; write an address like "0.0.0.0:80", "[::1]:80", :80, /run/web.sock or "@name"',
    ],
    ['udp:///run/log', 'which is no udp address; write a port like udp://:53, or the path alone'],
    [
      'unix:///run/log',
      'which begins with unix://, which is no kind of socket here; write the path alone, with `type: datagram` where it is one',
    ],
    [
      'http://0.0.0.0:80',
      'which begins with http://, which is no kind of socket here; write an address like "0.0.0.0:80", "[::1]:80", :80, /run/web.sock or "@name"',
    ],
    ['/run/../web.sock', 'which goes up with ..; write where it leads'],
    ['/', 'which is the root of everything; write a path below it'],
    ['"@"', 'which has no name after the @; write one like "@web"'],
  ])('is refused: %s', (text, problem) => {
    const shown = text.startsWith('"') ? text : JSON.stringify(text);
    expect(problemsOf(withSockets(`a: ${text}`))).toEqual([
      `/u.yaml:5:10: services.web.sockets.a: found ${shown}, ${problem}`,
    ]);
  });

  it('fits into 107 bytes where it is a path or a name', () => {
    const path = `/${'é'.repeat(53)}`;
    expect(addressOf(path)).toMatchObject({ path });
    expect(problemsOf(withSockets(`a: ${path}e`))).toEqual([
      expect.stringMatching(/is longer than the 107 bytes that a socket's path may have; write a shorter one$/),
    ]);
    expect(addressOf(`"@${'a'.repeat(107)}"`)).toBeDefined();
    expect(problemsOf(withSockets(`a: "@${'a'.repeat(108)}"`))).toEqual([
      expect.stringMatching(/is longer than the 107 bytes that such a name may have; write a shorter one$/),
    ]);
  });
});

describe('a socket', () => {
  it('has the defaults of systemd, and keeps its place in the order', () => {
    expect(
      socketsOf(
        withSockets(
          'http: 80\nadmin: { listen: /run/a, backlog: 16, lazy: true }\nnew: { listen: 81, freebind: true, reusePort: true }',
        ),
      ),
    ).toEqual([
      {
        name: 'http',
        address: { type: 'tcp', host: null, port: 80 },
        backlog: 4096,
        lazy: 'no',
        freebind: 'no',
        reusePort: 'no',
      },
      {
        name: 'admin',
        address: { type: 'stream', path: '/run/a', ...stream },
        backlog: 16,
        lazy: 'yes',
        freebind: 'no',
        reusePort: 'no',
      },
      {
        name: 'new',
        address: { type: 'tcp', host: null, port: 81 },
        backlog: 4096,
        lazy: 'no',
        freebind: 'yes',
        reusePort: 'yes',
      },
    ]);
  });

  it('may be called as LISTEN_FDNAMES can carry it', () => {
    expect(socketsOf(withSockets('"web socket.1": 80'))[0]?.name).toBe('web socket.1');
    expect(socketsOf(withSockets(`${'a'.repeat(255)}: 80`))).toHaveLength(1);
  });

  it.each([
    [
      '"a:b": 80',
      '5:7: services.web.sockets: found "a:b", which has a colon, which stands between the names in LISTEN_FDNAMES; take it out',
    ],
    ['"": 80', '5:7: services.web.sockets: found "", which is empty; write a name like http'],
    [
      'größe: 80',
      '5:7: services.web.sockets: found "größe", which has a character that is not plain ASCII; write a name like http',
    ],
    [
      `${'a'.repeat(256)}: 80`,
      `5:7: services.web.sockets: found "${'a'.repeat(60)}…", which is longer than 255 characters; write a shorter one`,
    ],
    [
      'a: { backlog: 5 }',
      '5:10: services.web.sockets.a: `listen` is missing; write an address like "0.0.0.0:80", "[::1]:80", :80, /run/web.sock or "@name"',
    ],
    ['a: { listen: 80, udp: 80 }', '5:10: services.web.sockets.a: found listen and udp together; write one of them'],
    [
      'a: { listen: 80, type: stream }',
      '5:30: services.web.sockets.a: found stream for a port; write type tcp or udp for it, or the path of a Unix socket',
    ],
    [
      'a: { listen: /run/a, type: tcp }',
      '5:34: services.web.sockets.a: found tcp for a path; write type stream or datagram for it, or an address with a port',
    ],
    [
      'a: { udp: /run/a }',
      '5:17: services.web.sockets.a: found udp for a path; write type stream or datagram for it, or an address with a port',
    ],
    ['a: { udp: 53, type: tcp }', '5:27: services.web.sockets.a: found type tcp beside `udp`; take one of them out'],
    [
      'a: { listen: "udp://:53", type: tcp }',
      '5:39: services.web.sockets.a: found tcp for an address that begins with udp://; write one of them',
    ],
    [
      'a: { udp: "tcp://:53" }',
      '5:17: services.web.sockets.a: found udp for an address that begins with tcp://; write one of them',
    ],
    [
      'a: { listen: 80, type: dgram }',
      '5:30: services.web.sockets.a.type: found "dgram", which is unknown here; write tcp, udp, stream or datagram',
    ],
    [
      'a: { listen: 80, mode: "0600" }',
      '5:30: services.web.sockets.a.mode: means nothing for a tcp socket; take it out',
    ],
    ['a: { udp: 53, backlog: 5 }', '5:30: services.web.sockets.a.backlog: means nothing for a udp socket; take it out'],
    [
      'a: { listen: /a, freebind: true }',
      '5:34: services.web.sockets.a.freebind: means nothing for a stream socket; take it out',
    ],
    [
      'a: { listen: "@a", user: www }',
      '5:32: services.web.sockets.a.user: means nothing for an abstract socket, which is no file; take it out',
    ],
    [
      'a: { listen: 80, backlog: 0 }',
      '5:33: services.web.sockets.a.backlog: found "0", which does not fit; write a whole number from 1 to 65535',
    ],
    ['a: { listen: 80, lasy: true }', '5:24: services.web.sockets.a: unknown key "lasy"; did you mean lazy'],
  ])('is refused: %s', (socket, problem) => expect(problemsOf(withSockets(socket))).toEqual([`/u.yaml:${problem}`]));

  it('needs a name', () => {
    const text = 'services: { web: { run: x, sockets: [80] } }\n';
    expect(problemsOf(text)).toEqual([
      '/u.yaml:1:37: services.web.sockets: found a list; write a map of names like {http: "0.0.0.0:80"}',
    ]);
  });

  it('of a watched service is refused, and skipped where defaults have one', () => {
    expect(problemsOf('services: { web: { watch: x, sockets: { a: 80 } } }\n')).toEqual([
      '/u.yaml:1:30: services.web.sockets: sockets means nothing for a service with `watch`, which something else starts; take it out',
    ]);
    expect(socketsOf('defaults: { sockets: { a: 80 } }\nservices: { web: { watch: x } }\n')).toEqual([]);
  });
});

describe('layers of sockets', () => {
  it('merge name by name, and within one key by key', () => {
    const text = `
templates: { web: { sockets: { http: { listen: 80, backlog: 16 }, https: 443, old: 70 } } }
services: { web: { run: x, extends: web, sockets: { http: ":8080", old: null, new: { udp: 443 } } } }
`;
    expect(
      socketsOf(text).map(({ name, address, backlog }) => [name, 'port' in address ? address.port : 0, backlog]),
    ).toEqual([
      ['https', 443, 4096],
      ['http', 8080, 16],
      ['new', 443, 4096],
    ]);
    expect(warningsOf(text)).toEqual([]);
  });

  it('put `listen` in the place of `udp`', () => {
    const text =
      'templates: { a: { sockets: { q: { udp: 53 } } } }\nservices: { web: { run: x, extends: a, sockets: { q: 54 } } }\n';
    expect(socketsOf(text)[0]?.address).toEqual({ type: 'tcp', host: null, port: 54 });
  });

  it('may leave open in one what another says', () => {
    const text =
      'templates: { a: { sockets: { q: { type: udp, lazy: true } } } }\nservices: { web: { run: x, extends: a, sockets: { q: 53 } } }\n';
    expect(socketsOf(text)[0]).toMatchObject({ address: { type: 'udp', port: 53 }, lazy: 'yes' });
  });

  it('that take nothing back are told', () => {
    expect(warningsOf(withSockets('a: 80\nb:'))).toEqual([
      '/u.yaml:6:7: services.web.sockets: b without a value takes back what defaults or templates say, and they say nothing of it; write `b: ADDRESS` if it is meant',
    ]);
  });
});

describe('two sockets that cannot both be bound', () => {
  it.each([
    ['80', '"0.0.0.0:80"'],
    ['"0.0.0.0:80"', '127.0.0.1:80'],
    ['"[::]:80"', '"[::1]:80"'],
    ['"[0::1]:80"', '"[::1]:80"'],
    ['{ udp: 53 }', 'udp://:53'],
    ['/run/a', '{ listen: /run//a, type: datagram }'],
    ['"@a"', '"@a"'],
  ])('are refused: %s and %s', (a, b) => expect(problemsOf(withSockets(`a: ${a}\nb: ${b}`))).toHaveLength(1));

  it.each([
    ['80', '81'],
    ['80', 'udp://:80'],
    ['127.0.0.1:80', '127.0.0.2:80'],
    ['"0.0.0.0:80"', '"[::]:80"'],
    ['"@a"', '{ listen: "@a", type: datagram }'],
    ['{ listen: 80, reusePort: true }', '{ listen: 80, reusePort: true }'],
  ])('are none: %s and %s', (a, b) => expect(problemsOf(withSockets(`a: ${a}\nb: ${b}`))).toEqual([]));

  it('are told where most hosts have IPv4 with [::]', () => {
    expect(warningsOf(withSockets('a: "[::]:80"\nb: 0.0.0.0:80\nc: udp://127.0.0.1:80'))).toEqual([
      '/u.yaml:6:10: services.web.sockets.b: found 0.0.0.0:80 beside socket a ([::]:80, line 5); [::] takes IPv4 too unless the host has net.ipv6.bindv6only=1, so write the port alone, which is for both',
    ]);
  });

  it('are told with both places, in one service and in two', () => {
    expect(problemsOf(withSockets('a: 80\nb: { listen: "0.0.0.0:80" }'))).toEqual([
      '/u.yaml:6:20: services.web.sockets.b: found 0.0.0.0:80, which meets socket a (:80, line 5); write another address, or say `reusePort: true` in both',
    ]);
    const files = {
      '/u.yaml': 'include: b.yaml\nservices: { a: { run: x, sockets: { s: /run/s } } }\n',
      '/b.yaml': 'services: { b: { run: x, sockets: { t: /run/s } } }\n',
    };
    expect(problemsOf(files)).toEqual([
      '/b.yaml:1:40: services.b.sockets.t: found /run/s, which meets socket s of a (/run/s, /u.yaml:2); write another address',
    ]);
  });

  it('are told beside what else is wrong with their services', () => {
    const text = withSockets('a: 80\nb: 80').replace(
      'run: x',
      'run: x\n    handover: overlap\n    ready: { port: 81 }',
    );
    expect(problemsOf(text)).toEqual([
      expect.stringMatching(/^\/u\.yaml:5:20: services\.web\.ready\.port: /),
      expect.stringMatching(/^\/u\.yaml:8:10: services\.web\.sockets\.b: found :80, which meets socket a /),
    ]);
  });

  it('are none on two hosts', () => {
    const text = 'services:\n  a: { run: x, sockets: { s: 80 } }\n  b: { run: x, sockets: { s: 80 }, hosts: "!any" }\n';
    expect(problemsOf(text)).toEqual([]);
  });
});

describe('members of a pool', () => {
  const pool = (settings: string): string => `services:\n  web: { run: x, instances: 2, ${settings} }\n`;

  it('share their sockets', () => {
    const [first, second] = configOf(pool('sockets: { http: 80 }')).specs;
    expect(first?.sockets).toHaveLength(1);
    expect(second?.sockets).toEqual(first?.sockets);
  });

  it('cannot have a number in them, and need one in a pid file', () => {
    expect(
      problemsOf(pool('sockets: { http: "808%i", ok: 80, "a%i": 90 }, handover: { pidFile: /run/web.pid }')),
    ).toEqual([
      '/u.yaml:2:43: services.web.sockets.http: found %i, but all members share one socket; take it out',
      '/u.yaml:2:66: services.web.sockets.a%i: found %i, but all members share one socket; take it out',
      '/u.yaml:2:100: services.web.handover.pidFile: found one file for 2 members; write %i in its name, for the number of each',
    ]);
    expect(problemsOf(pool('handover: { pidFile: "/run/web%i.pid" }'))).toEqual([]);
  });
});
