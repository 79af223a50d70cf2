// The time at the beginning of a line that a daemon wrote itself, in the forms that daemons use. It only serves to
// order and to select lines; what it does not know stays unknown.

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

// 2026-11-20T10:00:00.123+01:00, 2026-11-20 10:00:00,123 and nginx's 2026/11/20 10:00:00
const ISO = /^\W{0,2}(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?\s?(Z|[+-]\d\d:?\d\d)?/;
// syslog's Nov 20 10:00:00, and apache's [Fri Nov 20 10:00:00.123456 2026]
const NAMED =
  /^\W{0,2}(?:[A-Z][a-z]{2} )?([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?: (\d{4}))?/;
// An access log's 192.0.2.1 - - [20/Nov/2026:10:00:00 +0000]
const ACCESS = /\[(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-]\d{4})\]/;
// The stamp stands at the beginning, in an access log after an address and a user.
const LOOK_AT = 200;
const DAY_MS = 86_400_000;

/** In ms since 1970; without a zone in local time, without a year in the last twelve months before `now`. Null: no stamp that is known. */
export function stampOf(line: Uint8Array, now: number): number | null {
  const text = Buffer.from(line.buffer, line.byteOffset, Math.min(line.length, LOOK_AT)).toString('latin1');
  return iso(text) ?? named(text, now) ?? access(text);
}

function iso(text: string): number | null {
  const found = ISO.exec(text);
  if (found === null) return null;
  const [, year = '', month = '', day = '', hour = '', minute = '', second = '', fraction = '', zone = ''] = found;
  return parse(`${year}-${month}-${day}T${hour}:${minute}:${second}`, fraction, zone);
}

function named(text: string, now: number): number | null {
  const found = NAMED.exec(text);
  if (found === null) return null;
  const [, name = '', day = '', hour = '', minute = '', second = '', fraction = '', year = ''] = found;
  const rest = `${monthOf(name)}-${day.padStart(2, '0')}T${hour}:${minute}:${second}`;
  if (year !== '') return parse(`${year}-${rest}`, fraction, '');
  const thisYear = new Date(now).getFullYear();
  const time = parse(`${thisYear}-${rest}`, fraction, '');
  // Not from the future: in January, December is last year's. A day of leave for clocks that differ.
  return time !== null && time > now + DAY_MS ? parse(`${thisYear - 1}-${rest}`, fraction, '') : time;
}

function access(text: string): number | null {
  const found = ACCESS.exec(text);
  if (found === null) return null;
  const [, day = '', name = '', year = '', hour = '', minute = '', second = '', zone = ''] = found;
  return parse(`${year}-${monthOf(name)}-${day}T${hour}:${minute}:${second}`, '', zone);
}

const monthOf = (name: string): string => String(MONTHS.indexOf(name) + 1).padStart(2, '0');

function parse(dateAndTime: string, fraction: string, zone: string): number | null {
  const milliseconds = `${fraction}000`.slice(0, 3);
  const time = Date.parse(`${dateAndTime}.${milliseconds}${zone.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2')}`);
  return Number.isNaN(time) ? null : time;
}
