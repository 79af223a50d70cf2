// A notice as a message of syslog: RFC 5424 for another host, and what the daemons of this one take from glibc's syslog(3)
// at /dev/log. Pure.

import type { Label, Notice } from '../core/notice.js';
import { iso } from '../core/time.js';
import { oneLine } from './clean.js';
import { secondsOfDay } from './local-time.js';
import { lineOf } from './notice-line.js';

/** syslog(3): 3 error, 4 warning, 5 notice. */
const severity: Readonly<Record<Label, number>> = {
  DOWN: 3,
  FAILED: 3,
  UNHEALTHY: 4,
  FIGHT: 4,
  REFUSED: 4,
  FLAPPING: 4,
  UNASKED: 4,
  DIED: 4,
  KEEPER: 4,
  STOPPED: 5,
  HOLD: 5,
  RESTARTED: 5,
  UP: 5,
};

const facilities = [
  'kern',
  'user',
  'mail',
  'daemon',
  'auth',
  'syslog',
  'lpr',
  'news',
  'uucp',
  'cron',
  'authpriv',
  'ftp',
];

function priority(facility: string, label: Label): number {
  const local = /^local([0-7])$/.exec(facility)?.[1];
  const number = local === undefined ? Math.max(0, facilities.indexOf(facility)) : 16 + Number(local);
  return number * 8 + severity[label];
}

/** Every receiver takes that much (RFC 5424 6.1). */
const LONGEST_BYTES = 2048;

/** Who numbers our structured data: the number that RFC 5612 sets aside for examples, until there is one of our own. */
const SD_ID = 'upkeep@32473';

export interface Origin {
  readonly facility: string;
  readonly host: string;
  readonly pid: number;
}

export function farMessage(notice: Notice, { facility, host, pid }: Origin): Buffer {
  const head = [
    `<${priority(facility, notice.label)}>1`,
    iso(notice.time),
    printable(host, 255),
    'upkeep',
    String(pid),
    notice.kind,
    structured(notice),
  ];
  return clipped(`${head.join(' ')} ${lineOf(notice)}`);
}

function structured({ kind, service, incident, id }: Notice): string {
  const values = { kind, service, incident, id };
  const parameters = Object.entries(values).flatMap(([name, value]) =>
    value === null ? [] : [` ${name}="${oneLine(value, 128).replace(/["\\\]]/g, '\\$&')}"`],
  );
  return `[${SD_ID}${parameters.join('')}]`;
}

/** PRINTUSASCII of RFC 5424, without the blanks that part its fields. */
const printable = (text: string, most: number): string => text.replace(/[^!-~]/g, '').slice(0, most) || '-';

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Without a host: the daemon adds it. */
export function localMessage(notice: Notice, { facility, pid }: Omit<Origin, 'host'>): Buffer {
  const time = new Date(notice.time);
  const stamp = `${months[time.getMonth()]} ${String(time.getDate()).padStart(2)} ${secondsOfDay(time)}`;
  return clipped(`<${priority(facility, notice.label)}>${stamp} upkeep[${pid}]: ${lineOf(notice)}`);
}

/** Cut in front of a character that would not be whole. */
function clipped(text: string): Buffer {
  const bytes = Buffer.from(text);
  let end = Math.min(bytes.length, LONGEST_BYTES);
  while (end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end);
}
