// What a service is asked, in a few words: for letters, cards and the log. Pure. Passwords are no part of it.

import type { Endpoint, Place, Question, Result } from './question.js';

/** `GET http://localhost:8080/`, `tcp localhost:25`, `exec /usr/lib/nagios/check_ldap -H localhost`. */
export function questionInWords(question: Question): string {
  switch (question.kind) {
    case 'http':
      return `${question.method} ${question.url}${question.socket === null ? '' : ` at ${question.socket}`}`;
    case 'tcp':
    case 'tls':
    case 'ssh':
    case 'smtp':
      return `${question.kind} ${endpointText(question)}`;
    case 'unix':
    case 'sshAgent':
    case 'file':
      return `${question.kind} ${question.path}`;
    case 'dns':
      return `dns ${question.query} ${question.type} at ${endpointText(question)}`;
    case 'ldap':
      return `ldap ${question.url}`;
    case 'redis':
    case 'postgres':
      return `${question.kind} ${placeText(question.at)}`;
    case 'exec':
      return `exec ${question.command.argv.join(' ')}`;
    case 'process':
      return 'what its processes use';
  }
}

/** The three answers. */
export const resultInWords: Readonly<Record<Result, string>> = {
  good: 'good',
  failed: 'failed',
  unasked: 'could not ask',
};

/** Is what came of it the output of a program, which is not for everybody to see? */
export const isOutput = ({ kind }: Pick<Question, 'kind'>): boolean => kind === 'exec';

const placeText = (place: Place): string => (place.type === 'unix' ? place.path : endpointText(place));

/** `localhost:25`, `[::1]:25` */
export const endpointText = ({ host, port }: Endpoint): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;
