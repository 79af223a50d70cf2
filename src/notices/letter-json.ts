// A letter as programs get it: what `exec` reads on its stdin and a webhook in its body. Versioned; fields are added, never
// changed. Texts are as they are, JSON keeps them from doing anything: whoever shows them cleans them.

import type { Letter, Notice } from '../core/notice.js';
import { iso } from '../core/time.js';
import { subjectOf } from './letter-subject.js';
import { textOf } from './letter-text.js';

export function jsonOf(letter: Letter): string {
  const { id, channel, host, time, notices } = letter;
  return JSON.stringify({
    version: 1,
    id,
    channel,
    host,
    time: iso(time),
    subject: subjectOf(letter),
    text: textOf(letter),
    notices: notices.map(fieldsOf),
  });
}

const fieldsOf = (notice: Notice): object => ({ ...notice, time: iso(notice.time) });
