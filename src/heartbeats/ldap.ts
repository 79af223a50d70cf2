// Asks a directory: binds, anonymously where no name is given, and reads the root DSE. By hand, because ldapts 8 waits until the
// deadline where it is answered something else than LDAP, keeps all of that, and hears no notice of disconnection, with which a
// server says why it leaves; three requests are less than what would have to be built around it.

import type { Socket } from 'node:net';
import type { LdapQuestion, Place } from '../core/question.js';
import { framesOf } from './frames.js';
import { secured } from './handshake.js';
import { Verdict } from './judge.js';
import { type Ask, type Finding, failed, good } from './kind.js';
import { bind, ENTRY, message, type Reply, reply, searchRoot, startTls, unbind, whatItMeans } from './ldap-message.js';
import { talkAt } from './talk.js';

export const askLdap: Ask<LdapQuestion> = async (question, asking) => {
  const { place, scheme, host } = whereOf(question.url);
  const password = question.bind === null ? '' : asking.secret(question.bind.password);
  return talkAt(place, asking, async (plain, { begin }) => {
    if (question.startTls === 'yes') {
      begin('starttls');
      const { result } = await requester(plain)(startTls);
      if (result.code !== 0) return failed(`no StartTLS: ${whatItMeans(result)}`);
    }
    const isSecure = scheme === 'ldaps:' || question.startTls === 'yes';
    const socket = isSecure ? await secured(plain, host, question.tls, asking) : plain;
    const request = requester(socket);
    begin('bind');
    const bound = await request(bind(question.bind?.dn ?? '', password));
    if (bound.result.code !== 0) return refused(question, bound.result);
    begin('root DSE');
    const { result, entry } = await request(searchRoot);
    if (result.code !== 0) return refused(question, result);
    if (entry === null) return failed('shows no root DSE');
    socket.write(message(LAST_ID, unbind));
    return good(entry.text === '' ? 'shows its root DSE' : `serves ${entry.text}`);
  });
};

interface Where {
  readonly place: Place;
  readonly scheme: string;
  readonly host: string;
}

/** Where OpenLDAP's own programs look, as Debian builds them. */
const USUAL_SOCKET = '/run/slapd/ldapi';

function whereOf(url: string): Where {
  const { protocol: scheme, hostname, port } = new URL(url);
  if (scheme === 'ldapi:') {
    const path = hostname === '' ? USUAL_SOCKET : decodeURIComponent(hostname);
    return { scheme, host: 'localhost', place: { type: 'unix', path } };
  }
  const host = hostname.replace(/^\[|\]$/g, '');
  const usual = scheme === 'ldaps:' ? 636 : 389;
  return { scheme, host, place: { type: 'tcp', host, port: port === '' ? usual : Number(port) } };
}

interface Answered {
  readonly result: Reply;
  /** The first of those that came before. */
  readonly entry: Reply | null;
}

/** Of a message that nothing is answered to. */
const LAST_ID = 127;

/** Asks one thing after the other. @throws Verdict: there is no answer */
function requester(socket: Socket): (operation: Buffer) => Promise<Answered> {
  const { next } = framesOf(socket);
  let id = 0;
  return async (operation) => {
    id += 1;
    socket.write(message(id, operation));
    for (let entry: Reply | null = null; ; ) {
      const heard = await next(reply);
      if (heard.id === 0) throw new Verdict(failed(`the server leaves: ${whatItMeans(heard)}`));
      if (heard.id !== id) throw new Verdict(failed('answers what it was not asked'));
      if (heard.operation !== ENTRY) return { result: heard, entry };
      entry ??= heard;
    }
  };
}

/** What a server says to whom it wants to know by name: stronger authentication required, and the like. */
const STRANGERS: ReadonlySet<number> = new Set([8, 13, 48, 50]);

/** Without a name in the question, a server that lets in nobody without one does answer. */
function refused({ bind: login }: LdapQuestion, reply: Reply): Finding {
  const isStranger = login === null && STRANGERS.has(reply.code);
  return isStranger ? good(`answers, and lets in no stranger: ${whatItMeans(reply)}`) : failed(whatItMeans(reply));
}
