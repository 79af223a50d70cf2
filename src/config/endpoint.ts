// Where something is to be asked or connected to: a host and a port, a path, or a URL.

import type { Endpoint, Place } from '../core/question.js';
import { endpointText } from '../core/question-text.js';
import type { Parsed } from './quantity.js';
import { complain, type JsonSchema, leafShape, type Shape } from './shape.js';

const MOST = 65_535;
const SCHEMA: JsonSchema = { type: ['integer', 'string'], minimum: 1, maximum: MOST };

const bad = (problem: string): Parsed<never> => ({ type: 'bad', problem });

/**
 * `8080`, `10.0.0.1:8080`, `[::1]:8080`, and with a usual port the host alone. Null where it is none.
 * `localhost` where no host is said, and not 127.0.0.1: a Node program that listens on "localhost" may have ::1 alone.
 */
function parseEndpoint(text: string, usual: number | null): Endpoint | null {
  if (/^\d+$/.test(text)) return withPort('localhost', text);
  const match = /^(?:\[([0-9A-Fa-f:.%\w]+)\]|([^\s:/@[\]\p{Cc}]+))(?::(\d{1,5}))?$/u.exec(text);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) return null;
  const port = match?.[3];
  if (port !== undefined) return withPort(host, port);
  return usual === null ? null : { host, port: usual };
}

function withPort(host: string, text: string): Endpoint | null {
  const port = Number(text);
  return port >= 1 && port <= MOST ? { host, port } : null;
}

/** A port, with a host before it where it is not this one. */
export const endpoint: Shape<Endpoint> = leafShape<Endpoint>('a port like 8080 or 10.0.0.1:8080', SCHEMA, (text) => {
  const value = parseEndpoint(text, null);
  return value === null
    ? bad('is no port; write one from 1 to 65535, or an address and a port like 10.0.0.1:8080')
    : { type: 'ok', value };
});

/** A host; its port where it is another than the usual one. */
export const server = (usual: number): Shape<Endpoint> => {
  const write = `a host like localhost, or host:port where the port is not ${usual}`;
  return leafShape<Endpoint>(write, SCHEMA, (text) => {
    const value = parseEndpoint(text, usual);
    return value === null ? bad(`is no host; write ${write}`) : { type: 'ok', value };
  });
};

/** A server, or the path of its socket. */
export const place = (usual: number): Shape<Place> => {
  const write = `a host like localhost:${usual}, or the path of a socket`;
  return leafShape<Place>(write, SCHEMA, (text) => {
    if (/^\/[^\p{Cc}]*$/u.test(text)) return { type: 'ok', value: { type: 'unix', path: text } };
    const value = parseEndpoint(text, usual);
    return value === null
      ? bad(`is no host and no path; write ${write}`)
      : { type: 'ok', value: { type: 'tcp', ...value } };
  });
};

interface WebPlace {
  readonly url: string;
  /** The path of the socket that is connected to instead of the host. */
  readonly socket: string | null;
}

const WEB = 'a URL like http://localhost:8080/ or http://unix:/run/app.sock:/health';

/** A URL that is asked by HTTP. One with a password in it is not repeated: what is said of it goes to logs and terminals. */
export const webPlace: Shape<WebPlace> = withoutLogin(
  leafShape<WebPlace>(WEB, { type: 'string', pattern: '^https?://' }, (text) => {
    const [, scheme, socket, path = '/'] = /^(https?):\/\/unix:(\/[^:\p{Cc}]+)(?::(\/.*)?)?$/u.exec(text) ?? [];
    const url = socket === undefined ? text : `${scheme}://localhost${path}`;
    if (!/^https?:\/\/[^/\s]/.test(url) || !URL.canParse(url)) return bad(`is no URL; write ${WEB}`);
    return { type: 'ok', value: { url: new URL(url).href, socket: socket ?? null } };
  }),
  'write `auth: {user: NAME, password: {file: PATH}}` beside it',
);

const LDAP = 'a host like localhost, or a URL like ldaps://ldap.example.org or ldapi:///';

/** A directory: ldap:, ldaps: or ldapi:. */
export const ldapPlace: Shape<string> = withoutLogin(
  leafShape<string>(LDAP, { type: ['string', 'integer'] }, (text) => {
    if (text.includes('://')) {
      const isUrl = /^(?:ldaps?:\/\/[^/\s]|ldapi:\/\/)\S*$/.test(text) && URL.canParse(text);
      return isUrl ? { type: 'ok', value: text } : bad(`is no URL of a directory; write ${LDAP}`);
    }
    const value = parseEndpoint(text, 389);
    return value === null ? bad(`is no host; write ${LDAP}`) : { type: 'ok', value: `ldap://${endpointText(value)}` };
  }),
  'write `bind: {dn: DN, password: {file: PATH}}` beside it',
);

function withoutLogin<T>(shape: Shape<T>, instead: string): Shape<T> {
  return {
    ...shape,
    read: (tree, reading) =>
      tree.type === 'leaf' && /^\w+:\/\/[^/?#]*@/.test(tree.text)
        ? complain(reading, tree.at, `found a user in the URL; ${instead}, and take it out of the URL`)
        : shape.read(tree, reading),
  };
}
