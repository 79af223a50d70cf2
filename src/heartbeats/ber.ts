// The Basic Encoding Rules as far as LDAP needs them (RFC 4511 section 5.1): tags of one byte, lengths that are told. Knows no
// message.

export interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

/** LDAP says nothing longer to us than its root DSE, and nobody reads further. */
const LONGEST = 64 * 1024;

export function element(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), sizeOf(content.length), content]);
}

function sizeOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const size = Buffer.from([0x84, 0, 0, 0, 0]);
  size.writeUInt32BE(length, 1);
  return size;
}

export const text = (tag: number, value: string): Buffer => element(tag, Buffer.from(value, 'utf8'));

/** Of one byte: 0 to 127. */
export const number = (tag: number, value: number): Buffer => element(tag, Buffer.from([value]));

/** The first element and how long it is with its head; undefined: not all of it is there yet; null: it never will be. */
export function firstElement(bytes: Buffer): (Element & { readonly length: number }) | null | undefined {
  const [tag, size] = bytes;
  if (tag === undefined || size === undefined) return undefined;
  // 0x80 is a length that is not told, which LDAP forbids.
  const more = size < 0x80 ? 0 : size & 0x7f;
  if (size === 0x80 || more > 4) return null;
  if (bytes.length < 2 + more) return undefined;
  const length = more === 0 ? size : bytes.readUIntBE(2, more);
  if (length > LONGEST) return null;
  const end = 2 + more + length;
  return bytes.length < end ? undefined : { tag, content: bytes.subarray(2 + more, end), length: end };
}

/** All elements of a content, up to where it is none any more. */
export function elements(content: Buffer): readonly Element[] {
  const all: Element[] = [];
  for (let rest = content; ; ) {
    const found = firstElement(rest);
    if (found === undefined || found === null) return all;
    all.push(found);
    rest = rest.subarray(found.length);
  }
}
