// A letter as three kinds of receivers want it: JSON of ours, a message for Slack and whatever speaks like it, a push of
// ntfy. Nothing that a program said is markup, a mention or a header there. Pure.

import type { Label, Letter } from '../core/notice.js';
import { cut, oneLine } from './clean.js';
import { jsonOf } from './letter-json.js';
import { gravestOf, subjectOf } from './letter-subject.js';
import { textOf } from './letter-text.js';

export interface Body {
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

export type Format = 'json' | 'slack' | 'ntfy';

export function bodyOf(letter: Letter, format: Format): Body {
  switch (format) {
    case 'json':
      return { headers: JSON_TYPE, text: jsonOf(letter) };
    case 'slack':
      return { headers: JSON_TYPE, text: JSON.stringify({ text: slackText(letter) }) };
    case 'ntfy':
      return ntfy(letter);
  }
}

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };

/** Slack shows at most 40,000 characters of a message, others less; a page is enough. */
const LONGEST_SLACK = 3500;

/** The subject in bold, the text as it is laid out. */
function slackText(letter: Letter): string {
  const subject = asText(subjectOf(letter)).replaceAll('*', '∗');
  const text = asText(cut(textOf(letter), LONGEST_SLACK)).replaceAll('```', "'''");
  return `*${subject}*\n\`\`\`\n${text.trimEnd()}\n\`\`\``;
}

/**
 * Slack's three control characters, with which mentions and links begin; and for those that read them bare (Mattermost), an
 * invisible character between the sign and the word of a mention.
 */
const asText = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/@(?=(?:all|channel|everyone|here)\b)/gi, '@\u200b');

/** ntfy makes an attachment of what is longer. */
const LONGEST_NTFY_BYTES = 4096;

function ntfy(letter: Letter): Body {
  const label = gravestOf(letter.notices);
  const [only, second] = letter.notices;
  const runbook = second === undefined ? (only?.runbook ?? null) : null;
  const { priority, tag } = ntfyLook[label];
  return {
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      title: asHeader(subjectOf(letter)),
      priority: String(priority),
      tags: tag,
      ...(runbook === null ? {} : { click: asHeader(oneLine(runbook, 500)) }),
    },
    text: clipped(textOf(letter)),
  };
}

/** Priorities are 1 to 5, 3 being usual; tags are names of emoji. */
const ntfyLook: Readonly<Record<Label, { readonly priority: number; readonly tag: string }>> = {
  DOWN: { priority: 5, tag: 'rotating_light' },
  FAILED: { priority: 5, tag: 'rotating_light' },
  UNHEALTHY: { priority: 4, tag: 'warning' },
  FIGHT: { priority: 4, tag: 'warning' },
  REFUSED: { priority: 4, tag: 'warning' },
  FLAPPING: { priority: 4, tag: 'warning' },
  KEEPER: { priority: 4, tag: 'warning' },
  UNASKED: { priority: 3, tag: 'grey_question' },
  DIED: { priority: 3, tag: 'warning' },
  STOPPED: { priority: 3, tag: 'stop_sign' },
  HOLD: { priority: 3, tag: 'raised_hand' },
  RESTARTED: { priority: 2, tag: 'arrows_counterclockwise' },
  UP: { priority: 3, tag: 'white_check_mark' },
};

/** A header is ASCII; RFC 2047, which ntfy reads, is for the rest. */
const asHeader = (text: string): string =>
  /^[ -~]*$/.test(text) ? text : `=?UTF-8?B?${Buffer.from(text).toString('base64')}?=`;

/** Cut between lines. */
function clipped(text: string): string {
  if (Buffer.byteLength(text) <= LONGEST_NTFY_BYTES) return text;
  const lines = text.split('\n');
  while (Buffer.byteLength(lines.join('\n')) > LONGEST_NTFY_BYTES - 4) lines.pop();
  return `${lines.join('\n')}\n…`;
}
