// The few messages of LDAP that a heartbeat says and hears (RFC 4511 section 4). Knows no connection.

import { element, elements, firstElement, number, text } from './ber.js';
import { type Cut, quoted } from './frames.js';
import { Verdict } from './judge.js';
import { failed } from './kind.js';

const BOOLEAN = 0x01;
const INTEGER = 0x02;
const OCTETS = 0x04;
const ENUMERATED = 0x0a;
const SEQUENCE = 0x30;

/** Of an entry that was found. What else a server answers is the result of what it was asked. */
export const ENTRY = 0x64;

/** `id`: 1 to 127. */
export const message = (id: number, operation: Buffer): Buffer => element(SEQUENCE, number(INTEGER, id), operation);

export const startTls = element(0x77, text(0x80, '1.3.6.1.4.1.1466.20037'));

/** Version 3, a name, and a simple password; both empty: anonymous. */
export const bind = (dn: string, password: string): Buffer =>
  element(0x60, number(INTEGER, 3), text(OCTETS, dn), text(0x80, password));

/** Base object, no aliases, no limits, values too, whatever has a class. */
export const searchRoot = element(
  0x63,
  text(OCTETS, ''),
  number(ENUMERATED, 0),
  number(ENUMERATED, 0),
  number(INTEGER, 0),
  number(INTEGER, 0),
  number(BOOLEAN, 0),
  text(0x87, 'objectClass'),
  element(SEQUENCE, text(OCTETS, 'namingContexts')),
);

export const unbind = element(0x42);

export interface Reply {
  /** Of what it answers; 0: of nothing, the server leaves (section 4.4.1). */
  readonly id: number;
  readonly operation: number;
  /** Appendix A; of an entry: 0. */
  readonly code: number;
  /** What the server says about it; of an entry: its first value. */
  readonly text: string;
}

export const reply: Cut<Reply> = (received) => {
  const found = firstElement(received);
  if (found === undefined && (received[0] ?? SEQUENCE) === SEQUENCE) return undefined;
  const [id, operation] = elements(found?.content ?? NOTHING);
  if (found?.tag !== SEQUENCE || id?.tag !== INTEGER || operation === undefined)
    throw new Verdict(failed(`no LDAP server: it says ${quoted(received)}`));
  const parts = elements(operation.content);
  const value = { id: numberIn(id.content), operation: operation.tag };
  const said = operation.tag === ENTRY ? firstValue(parts[1]?.content) : parts[2]?.content;
  const code = operation.tag === ENTRY ? 0 : numberIn(parts[0]?.content);
  return { value: { ...value, code, text: said?.toString('utf8') ?? '' }, length: found.length };
};

const NOTHING = Buffer.alloc(0);

const numberIn = (content: Buffer = NOTHING): number =>
  content.length === 0 ? 0 : content.readUIntBE(0, Math.min(content.length, 4));

/** Of the attributes of an entry: each a name and a set of values. */
function firstValue(attributes: Buffer = NOTHING): Buffer | undefined {
  const [attribute] = elements(attributes);
  const [, values] = elements(attribute?.content ?? NOTHING);
  return elements(values?.content ?? NOTHING)[0]?.content;
}

/** What a heartbeat may come to hear, in the words of the RFC. */
const MEANINGS: Readonly<Record<number, string>> = {
  1: 'operations error',
  2: 'protocol error',
  3: 'time limit exceeded',
  7: 'authentication method not supported',
  8: 'stronger authentication required',
  13: 'confidentiality required',
  32: 'no such object',
  34: 'invalid DN syntax',
  48: 'inappropriate authentication',
  49: 'invalid credentials',
  50: 'insufficient access rights',
  51: 'busy',
  52: 'unavailable',
  53: 'unwilling to perform',
};

/** `invalid credentials (49)`, and what the server says beside that. */
export const whatItMeans = ({ code, text }: Reply): string =>
  `${MEANINGS[code] ?? 'error'} (${code})${text === '' ? '' : `: ${text}`}`;
