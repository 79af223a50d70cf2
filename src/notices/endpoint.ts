// `mail.example.org:587`, `[::1]:25` or `log` → host and port, and back.

import { isIPv6 } from 'node:net';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export function endpointOf(text: string, usual: number): Endpoint {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(text) ?? [];
  return { host: bracketed ?? plain ?? text, port: port === undefined ? usual : Number(port) };
}

export const inText = ({ host, port }: Endpoint): string => `${isIPv6(host) ? `[${host}]` : host}:${port}`;

/** Whether what is sent there leaves this machine. */
export const isHere = ({ host }: Endpoint): boolean => /^(?:localhost|127(?:\.\d+){3}|::1)$/i.test(host);
