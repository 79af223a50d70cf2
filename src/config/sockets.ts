// `sockets`: what Upkeep listens on for a service. Whether two of them meet is judged in socket-clash.ts.

import type { SocketAddress, SocketSpec } from '../core/socket.js';
import { account, bits } from './amounts.js';
import { keyed } from './keyed.js';
import { defaulted, type Fields, optional, record } from './record.js';
import {
  complain,
  describedAs,
  integer,
  type Keys,
  leafShape,
  oneOf,
  type Reading,
  refine,
  type Shape,
  yesNo,
} from './shape.js';
import { type SocketPlace, socketPlace } from './socket-address.js';
import { dictOf, type Tree, valueAt } from './tree.js';

type Type = SocketAddress['type'];

// What the kernel itself cuts it to since Linux 5.4 (net.core.somaxconn).
const USUAL_BACKLOG = 4096;

// As systemd's SocketMode=.
const USUAL_MODE = 0o666;

const keys = {
  listen: optional(
    socketPlace,
    'Where: a port on all addresses (80, :80), an address and a port, the path of a Unix socket, or @name in the abstract namespace. udp:// before it means datagrams.',
  ),
  udp: optional(
    describedAs(socketPlace, 'a port like :53, or an address and a port like "127.0.0.1:53"'),
    'In short for `listen` with `type: udp`.',
  ),
  type: optional(oneOf('tcp', 'udp', 'stream', 'datagram'), 'Its type; else a port is `tcp`, and a path is `stream`.'),
  backlog: optional(
    integer(1, 65_535),
    `How many connections may wait to be accepted; else ${USUAL_BACKLOG}. The kernel cuts it to net.core.somaxconn.`,
  ),
  mode: optional(bits, 'The permission bits of its path, in octal; else 0666, as systemd has it.'),
  user: optional(account, 'Who owns its path; else the user of the service.'),
  group: optional(account, 'The group of its path; else that of the service.'),
  freebind: optional(yesNo, 'An address that the host does not have yet may be bound.'),
  reusePort: optional(yesNo, 'Others that say so too may bind the same address, and share what comes.'),
  lazy: defaulted(
    yesNo,
    'false',
    'The service is started by the first connection or datagram, or by an operator; after an end of it too.',
  ),
} as const satisfies Keys;

/** What means something for some types alone. */
const MEANT_FOR: Readonly<Record<'backlog' | 'mode' | 'user' | 'group' | 'freebind' | 'reusePort', readonly Type[]>> = {
  backlog: ['tcp', 'stream'],
  mode: ['stream', 'datagram'],
  user: ['stream', 'datagram'],
  group: ['stream', 'datagram'],
  freebind: ['tcp', 'udp'],
  reusePort: ['tcp', 'udp'],
};

const socket: Shape<Omit<SocketSpec, 'name'>> = refine(
  record('an address like "0.0.0.0:80", or a map with `listen` and more', keys, {
    short: (tree) => (tree.type === 'leaf' ? dictOf(tree, { listen: tree }) : tree),
    shortSchema: socketPlace.schema,
    alternatives: [['listen'], ['udp']],
  }),
  (fields, tree, reading) => {
    // Layers by themselves are judged key by key: what is missing or does not fit may be said otherwise above.
    if (reading.mode === 'partial') return undefined;
    const address = addressOf(fields, tree, reading);
    if (address === undefined || hasMisfit(address, tree, reading)) return undefined;
    return {
      address,
      backlog: fields.backlog ?? USUAL_BACKLOG,
      lazy: fields.lazy,
      freebind: fields.freebind ?? 'no',
      reusePort: fields.reusePort ?? 'no',
    };
  },
);

function addressOf(fields: Fields<typeof keys>, tree: Tree, reading: Reading): SocketAddress | undefined {
  const { listen, udp } = fields;
  if (listen !== null && udp !== null)
    return complain(reading, tree.at, 'found listen and udp together; write one of them');
  const place = listen ?? udp;
  if (place === null) return complain(reading, tree.at, `\`listen\` is missing; write ${socketPlace.write}`);
  const said = fields.type ?? (udp === null ? null : 'udp');
  const type = typeOf(place, said);
  if (type === null || (udp !== null && type !== 'udp')) {
    const at = (valueAt(tree, 'type') ?? valueAt(tree, 'udp') ?? tree).at;
    return complain(reading, at, contradiction(place, said, udp === null ? 'listen' : 'udp'));
  }
  if (place.type === 'port')
    return type === 'tcp' || type === 'udp' ? { type, host: place.host, port: place.port } : undefined;
  if (type === 'tcp' || type === 'udp') return undefined;
  return { type, path: place.path, mode: fields.mode ?? USUAL_MODE, user: fields.user, group: fields.group };
}

/** null: what is said of it and where it is contradict each other. */
function typeOf(place: SocketPlace, said: Type | null): Type | null {
  if (place.type === 'path') return said === 'tcp' || said === 'udp' ? null : (said ?? 'stream');
  if (said === 'stream' || said === 'datagram') return null;
  return place.scheme !== null && said !== null && place.scheme !== said ? null : (said ?? place.scheme ?? 'tcp');
}

function contradiction(place: SocketPlace, said: Type | null, key: 'listen' | 'udp'): string {
  if (place.type === 'path')
    return `found ${said} for a path; write type stream or datagram for it, or an address with a port`;
  if (key === 'udp' && said !== 'udp') return `found type ${said} beside \`udp\`; take one of them out`;
  if (said === 'stream' || said === 'datagram')
    return `found ${said} for a port; write type tcp or udp for it, or the path of a Unix socket`;
  return `found ${said} for an address that begins with ${place.scheme}://; write one of them`;
}

function hasMisfit(address: SocketAddress, tree: Tree, reading: Reading): boolean {
  const isAbstract = 'path' in address && address.path.startsWith('@');
  let found = false;
  for (const [key, types] of Object.entries(MEANT_FOR)) {
    const said = valueAt(tree, key);
    if (said === undefined) continue;
    const isFile = types.includes('stream') && types.includes('datagram');
    if (types.includes(address.type) && !(isAbstract && isFile)) continue;
    const what = isAbstract && isFile ? 'an abstract socket, which is no file' : `a ${address.type} socket`;
    complain({ ...reading, key: `${reading.key}.${key}` }, said.at, `means nothing for ${what}; take it out`);
    found = true;
  }
  return found;
}

// LISTEN_FDNAMES has colons between the names, and sd_listen_fds(3) takes them of ASCII alone.
const socketName: Shape<string> = leafShape(
  'a name of 1 to 255 ASCII characters without a colon',
  { type: 'string', pattern: '^[ -9;-~]{1,255}$' },
  (text) => {
    const bad = (problem: string) => ({ type: 'bad', problem }) as const;
    if (text === '') return bad('is empty; write a name like http');
    if (text.includes(':')) return bad('has a colon, which stands between the names in LISTEN_FDNAMES; take it out');
    if (!/^[ -~]*$/.test(text)) return bad('has a character that is not plain ASCII; write a name like http');
    return text.length > 255 ? bad('is longer than 255 characters; write a shorter one') : { type: 'ok', value: text };
  },
);

/** In the order of the configuration, which is that of the descriptors. */
export const sockets: Shape<readonly SocketSpec[]> = refine(
  keyed(socketName, socket, { write: 'a map of names like {http: "0.0.0.0:80"}', form: 'map' }),
  (all) => all.map(({ key, value }) => ({ name: key, ...value })),
);
