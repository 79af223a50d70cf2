// What is expected of an answer by HTTP, and what is sent to get it.

import { named } from './named.js';
import { defaulted, optional, record } from './record.js';
import { leafShape, listOf, refine, type Shape, unicodeRegex } from './shape.js';

type StatusRange = readonly [number, number];

const status: Shape<StatusRange> = leafShape<StatusRange>(
  'a status like 200, or a range like 200-399',
  { type: ['integer', 'string'], pattern: '^\\d{3}(-\\d{3})?$', minimum: 100, maximum: 999 },
  (text) => {
    const match = /^([1-9]\d\d)(?:-([1-9]\d\d))?$/.exec(text);
    if (match === null)
      return { type: 'bad', problem: 'is no status of HTTP; write one like 200, or a range like 200-399' };
    const [from, to] = [Number(match[1]), Number(match[2] ?? match[1])];
    if (from > to) return { type: 'bad', problem: `is an empty range; write ${to}-${from}` };
    return { type: 'ok', value: [from, to] };
  },
);

// RFC 9110: a token.
const HEADER = { names: /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, called: 'those of HTTP headers, of letters, digits and -' };

const headerMap = <T>(write: string, item: Shape<T>): Shape<Readonly<Record<string, T>>> =>
  refine(named(write, item, HEADER), (all) => Object.fromEntries(all.map(({ entry, value }) => [entry.key, value])));

const headerValue = leafShape<string>('the value of a header', { type: ['string', 'number', 'boolean'] }, (text) =>
  /[\p{Cc}]/u.test(text)
    ? { type: 'bad', problem: 'has a line break or another control character, which no header has' }
    : { type: 'ok', value: text },
);

export const headers = headerMap('a map like {Accept: text/html}', headerValue);

export const httpExpectation = record('a map like {status: 200-399}', {
  status: defaulted(listOf(status, 'single'), '200-399', 'The status, as numbers and ranges.'),
  body: optional(unicodeRegex, 'A regular expression for the first 64 KiB of the body.'),
  header: optional(
    headerMap('a map like {Content-Type: "^text/html"}', unicodeRegex),
    'Regular expressions by the name of a header.',
  ),
});
