// A name server of a test, on a UDP port of its own, that answers what it is told to (RFC 1035 section 4). Knows no zone.

import { createSocket } from 'node:dgram';

/** An answer code, with records already in the form of the wire: `1` is FORMERR, `2` SERVFAIL, `3` NXDOMAIN, `5` REFUSED. */
export interface Said {
  readonly code?: number;
  readonly records?: readonly { readonly type: number; readonly data: Buffer }[];
}

export interface NameServer {
  readonly port: number;
  /** The names that it was asked for. */
  readonly asked: readonly string[];
  readonly close: () => Promise<void>;
}

/** `answer`: null: it never answers. A Buffer is sent as it is. */
export async function aNameServer(answer: Said | Buffer | null, host = '127.0.0.1'): Promise<NameServer> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  const asked: string[] = [];
  socket.on('message', (query, from) => {
    const { name, end } = questionIn(query);
    asked.push(name);
    if (answer !== null)
      socket.send(Buffer.isBuffer(answer) ? answer : reply(query, end, answer), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, host, resolve));
  return {
    port: socket.address().port,
    asked,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

/** A name as it stands in a record: each label with its length before it. */
export const wireName = (name: string): Buffer =>
  Buffer.concat([...name.split('.').map((label) => wireText(label)), Buffer.from([0])]);

export const wireText = (text: string): Buffer => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);

/** Numbers of two bytes. */
export const wireNumbers = (...numbers: readonly number[]): Buffer =>
  Buffer.from(numbers.flatMap((number) => [number >> 8, number & 0xff]));

const HEADER = 12;
const POINTER_TO_THE_QUESTION = 0xc000 + HEADER;

function questionIn(query: Buffer): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = HEADER;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.'), end: at + 5 };
}

function reply(query: Buffer, end: number, { code = 0, records = [] }: Said): Buffer {
  // A response of an authority, to one question, with so many answers.
  const header = wireNumbers(query.readUInt16BE(0), 0x8400 + code, 1, records.length, 0, 0);
  const answers = records.map(({ type, data }) =>
    Buffer.concat([wireNumbers(POINTER_TO_THE_QUESTION, type, 1, 0, 60, data.length), data]),
  );
  return Buffer.concat([header, query.subarray(HEADER, end), ...answers]);
}
