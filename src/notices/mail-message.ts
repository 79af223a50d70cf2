// A letter as a mail of RFC 5322. Owns its headers: who it is from, what it hangs together with, and that no machine is to
// answer it. It must not know how it is sent.

import type { Letter } from '../core/notice.js';
import { oneLine } from './clean.js';
import { subjectOf } from './letter-subject.js';
import { textOf } from './letter-text.js';

export interface Message {
  readonly from: string;
  readonly to: readonly string[];
  readonly bytes: Buffer;
}

export interface Address {
  readonly from: string;
  readonly to: readonly string[];
}

/** `lines`: `network` for SMTP, `local` for a program on this machine. */
export async function messageOf(letter: Letter, { from, to }: Address, lines: 'network' | 'local'): Promise<Message> {
  const { default: MailComposer } = await import('nodemailer/lib/mail-composer');
  const mail = new MailComposer({
    from: { name: `Upkeep on ${oneLine(letter.host, 64)}`, address: from },
    to: to.map((address) => ({ name: '', address })),
    subject: subjectOf(letter),
    date: new Date(timeOf(letter)),
    // The same letter has the same id however often it is tried: who gets it twice is shown it once.
    messageId: idOf(letter.id, letter.host),
    text: textOf(letter),
    headers: headersOf(letter),
    newline: lines === 'local' ? 'unix' : 'windows',
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return { from, to, bytes: await mail.compile().build() };
}

function headersOf(letter: Letter): Record<string, string> {
  const incident = incidentOf(letter);
  return {
    // RFC 3834, and what answering machines know that do not know it.
    'Auto-Submitted': 'auto-generated',
    Precedence: 'bulk',
    'X-Auto-Response-Suppress': 'All',
    ...(incident === null ? {} : { 'X-Upkeep-Incident': oneLine(incident, 100), ...threadOf(incident, letter.host) }),
  };
}

/**
 * All mails of an incident answer one that never was: whichever of them comes first, is lost or went into a digest, mail
 * readers that go by References put the rest together.
 */
function threadOf(incident: string, host: string): Record<string, string> {
  const root = idOf(`incident.${incident}`, host);
  return { 'In-Reply-To': root, References: root };
}

/** A letter of several incidents belongs to none: it would join their threads. */
function incidentOf({ notices }: Letter): string | null {
  const [first, ...rest] = new Set(notices.map(({ incident }) => incident));
  return first === undefined || rest.length > 0 ? null : first;
}

/** When it happened, though it may have waited; of several, when they were put together. */
const timeOf = ({ notices, time }: Letter): number => (notices.length === 1 ? (notices[0]?.time ?? time) : time);

const idOf = (id: string, host: string): string => `<${atom(id)}@${hostPart(host)}>`;

const atom = (text: string): string => text.replace(/[^A-Za-z0-9.-]+/g, '-').slice(0, 200);

/** A host's name as it may stand behind the @. */
export const hostPart = (host: string): string => atom(host).replace(/^[.-]+|[.-]+$/g, '') || 'localhost';
