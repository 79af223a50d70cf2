// A notice on one line, for syslog and files: `[DOWN] worker: exit 1 after 4 s, 5th in 10 min (incident w-3fq9)`.

import type { Notice } from '../core/notice.js';
import { oneLine } from './clean.js';
import { nameOf } from './letter-subject.js';

const LONGEST = 700;

export function lineOf(notice: Notice): string {
  const { label, headline, incident } = notice;
  const tail = incident === null ? '' : ` (incident ${oneLine(incident, 100)})`;
  return `[${label}] ${nameOf(notice)}: ${oneLine(headline, LONGEST)}${tail}`;
}
