// Where a service listens, as it is written: a port, an address and a port, the path of a Unix socket, or a name in the
// abstract namespace. Judges the text alone.

import { isIPv4, isIPv6 } from 'node:net';
import { plainPath } from './plain-path.js';
import type { Parsed } from './quantity.js';
import { leafShape, type Shape } from './shape.js';

export type SocketPlace =
  /** `scheme`: what stood before it, as in `udp://:53`. `host` null: all addresses. */
  | {
      readonly type: 'port';
      readonly scheme: 'tcp' | 'udp' | null;
      readonly host: string | null;
      readonly port: number;
    }
  | { readonly type: 'path'; readonly path: string };

const WRITE = 'an address like "0.0.0.0:80", "[::1]:80", :80, /run/web.sock or "@name"';

export const socketPlace: Shape<SocketPlace> = leafShape(
  WRITE,
  { type: ['integer', 'string'], minimum: 1, maximum: 65_535 },
  parseSocketPlace,
);

const ok = (value: SocketPlace): Parsed<SocketPlace> => ({ type: 'ok', value });
const bad = (problem: string): Parsed<never> => ({ type: 'bad', problem });

function parseSocketPlace(text: string): Parsed<SocketPlace> {
  if (text.startsWith('/')) return parsePath(text);
  if (text.startsWith('@')) return parseAbstract(text);
  const [, scheme, rest = text] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(text) ?? [];
  if (scheme === undefined) return parsePort(rest, null);
  if (scheme !== 'tcp' && scheme !== 'udp') {
    const instead = rest.startsWith('/')
      ? 'write the path alone, with `type: datagram` where it is one'
      : `write ${WRITE}`;
    return bad(`begins with ${scheme}://, which is no kind of socket here; ${instead}`);
  }
  return rest.startsWith('/') || rest.startsWith('@')
    ? bad(`is no ${scheme} address; write a port like ${scheme}://:53, or the path alone`)
    : parsePort(rest, scheme);
}

// sun_path has 108 bytes; a path ends with a zero byte there, an abstract name begins with one.
const LONGEST = 107;

const isTooLong = (text: string): boolean => new TextEncoder().encode(text).length > LONGEST;

function parsePath(text: string): Parsed<SocketPlace> {
  const path = plainPath(text);
  if (path.type === 'bad') return path;
  if (isTooLong(path.value))
    return bad(`is longer than the ${LONGEST} bytes that a socket's path may have; write a shorter one`);
  return ok({ type: 'path', path: path.value });
}

function parseAbstract(text: string): Parsed<SocketPlace> {
  if (text === '@') return bad('has no name after the @; write one like "@web"');
  if (/\p{Cc}/u.test(text)) return bad('has a control character; write a plain name like "@web"');
  return isTooLong(text.slice(1))
    ? bad(`is longer than the ${LONGEST} bytes that such a name may have; write a shorter one`)
    : ok({ type: 'path', path: text });
}

function parsePort(text: string, scheme: 'tcp' | 'udp' | null): Parsed<SocketPlace> {
  // Greedy: of `::1:80` the last colon is the one before the port, which is refused below with what to write.
  const [, before, digits] = /^(?:(.*):)?(\d+)$/s.exec(text) ?? [];
  if (digits === undefined) return bad(withoutPort(text));
  const port = Number(digits);
  if (port === 0) return bad('has port 0, for which the kernel picks another one each time; write one from 1 to 65535');
  if (port > 65_535) return bad('has no such port; they go from 1 to 65535');
  if (before === undefined || before === '') return ok({ type: 'port', scheme, host: null, port });
  const host = parseHost(before, port);
  return host.type === 'ok' ? ok({ type: 'port', scheme, host: host.value, port }) : host;
}

function parseHost(text: string, port: number): Parsed<string> {
  const inner = /^\[(.*)\]$/s.exec(text)?.[1];
  if (inner !== undefined)
    return isIPv6(inner)
      ? { type: 'ok', value: shortest(inner) }
      : bad(`has no IPv6 address in its brackets; write one like [::1]:${port}`);
  if (isIPv4(text)) return { type: 'ok', value: text };
  if (isIPv6(text)) return bad(`has an IPv6 address without brackets; write "[${text}]:${port}"`);
  if (text === '*') return bad(`is no address; write :${port} for all of them`);
  if (text === 'localhost') return bad(`has a name for an address; write 127.0.0.1:${port} or "[::1]:${port}"`);
  return bad(
    `has no address before its port, and a name may mean another one tomorrow; write one like 127.0.0.1:${port}`,
  );
}

function withoutPort(text: string): string {
  if (isIPv4(text)) return `has no port; write one after it, as in ${text}:80`;
  const inner = /^\[?([^\]]*)\]?:?$/.exec(text)?.[1] ?? text;
  return isIPv6(inner) ? `has no port; write one after it, as in "[${inner}]:80"` : `is no address; write ${WRITE}`;
}

/** One spelling for each address: 0::1 is ::1. The interface of one that is only valid there stands behind it: fe80::1%eth0. */
function shortest(text: string): string {
  const [address, ...zone] = text.split('%');
  return [new URL(`http://[${address}]/`).hostname.slice(1, -1), ...zone].join('%');
}
