// A mail as it came over the wire → its headers and its text, as a mail reader shows them. Only what Upkeep's mails use:
// one part of plain text.

export interface Mail {
  /** Byte for byte. */
  readonly raw: string;
  /** The value of a header, unfolded and decoded; undefined: there is none. Several of one name are an error. */
  readonly header: (name: string) => string | undefined;
  /** Names as they stand there. */
  readonly headerNames: readonly string[];
  readonly text: string;
}

export function readMail(bytes: Buffer): Mail {
  const raw = bytes.toString('latin1');
  const end = /\r?\n\r?\n/.exec(raw);
  const head = end === null ? raw : raw.slice(0, end.index);
  const body = end === null ? '' : raw.slice(end.index + end[0].length);
  const lines = head.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/);
  const headers = lines.map((line) => {
    const [, name = '', value = ''] = /^([!-9;-~]+):[ \t]*(.*)$/.exec(line) ?? [];
    if (name === '') throw new Error(`no header: ${JSON.stringify(line)}`);
    return { name, value };
  });
  const header = (name: string): string | undefined => {
    const found = headers.filter((one) => one.name.toLowerCase() === name.toLowerCase());
    if (found.length > 1) throw new Error(`${found.length} headers ${name}`);
    return found[0] === undefined ? undefined : decodeWords(found[0].value);
  };
  const text = decodeBody(body, header('Content-Transfer-Encoding') ?? '7bit').toString('utf8');
  return { raw, header, headerNames: headers.map(({ name }) => name), text: text.replace(/\r\n/g, '\n') };
}

function decodeBody(body: string, encoding: string): Buffer {
  switch (encoding.toLowerCase()) {
    case 'base64':
      return Buffer.from(body, 'base64');
    case 'quoted-printable':
      return unquote(body.replace(/=[ \t]*\r?\n/g, ''));
    default:
      return Buffer.from(body, 'latin1');
  }
}

const unquote = (text: string): Buffer =>
  Buffer.from(
    text.replace(/=([0-9A-F]{2})/gi, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );

/** RFC 2047: white space between two encoded words is none. */
function decodeWords(value: string): string {
  return value
    .replace(/(\?=)\s+(=\?)/g, '$1$2')
    .replace(/(?:=\?utf-8\?[QB]\?[^?]*\?=)+/gi, (words) =>
      Buffer.concat(
        [...words.matchAll(/=\?utf-8\?([QB])\?([^?]*)\?=/gi)].map(([, way = '', text = '']) =>
          way.toUpperCase() === 'B' ? Buffer.from(text, 'base64') : unquote(text.replaceAll('_', ' ')),
        ),
      ).toString('utf8'),
    );
}
