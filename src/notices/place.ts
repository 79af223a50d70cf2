// `mail.example.org:587`, `[::1]:25` or `log` → host and port, and back.

import { isIPv6 } from 'node:net';

export interface Place {
  readonly host: string;
  readonly port: number;
}

export function placeOf(text: string, usual: number): Place {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(text) ?? [];
  return { host: bracketed ?? plain ?? text, port: port === undefined ? usual : Number(port) };
}

export const inText = ({ host, port }: Place): string => `${isIPv6(host) ? `[${host}]` : host}:${port}`;

/** Whether what is sent there leaves this machine. */
export const isHere = ({ host }: Place): boolean => /^(?:localhost|127(?:\.\d+){3}|::1)$/i.test(host);
