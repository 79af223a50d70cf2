// The channel `syslog`: a line for each notice to the daemon of this host, by whichever kind of socket it has, or to another
// host by UDP. Datagrams of Unix sockets are not in Node: who can send them is given.

import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { createConnection, isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Channel } from '../core/notice-spec.js';
import { type Delivery, later, refused, type Send, type Sending } from './channel.js';
import { reasonOf, unlessAborted } from './connect.js';
import { type Endpoint, endpointOf, inText } from './endpoint.js';
import { farMessage, localMessage } from './syslog-frame.js';

type Syslog = Extract<Channel, { type: 'syslog' }>;

export interface SyslogNeeds {
  /** A datagram to a Unix socket; why it was not taken, like `ENOENT`, or null. */
  readonly sendDatagram: (path: string, bytes: Buffer) => string | null;
  /** /dev/log everywhere but in tests. */
  readonly path?: string;
}

const DEV_LOG = '/dev/log';
const SYSLOG_PORT = 514;
/** A daemon that is restarted is away for a moment, and one that is busy has a full queue. In ms. */
const AWAY = 5000;
const AGAIN = 100;
/** How long a host that nobody listens on has to say so, in ms; UDP has no better word. */
const PROTEST = 200;

export function syslogSender({ server, facility }: Syslog, { sendDatagram, path = DEV_LOG }: SyslogNeeds): Send {
  const { pid } = process;
  if (server === null)
    return ({ notices }, sending) => {
      const messages = notices.map((notice) => localMessage(notice, { facility, pid }));
      return sendHere(path, messages, sendDatagram, sending);
    };
  const endpoint = endpointOf(server, SYSLOG_PORT);
  return ({ notices, host }, sending) => {
    const messages = notices.map((notice) => farMessage(notice, { facility, pid, host }));
    return sendFar(endpoint, messages, sending);
  };
}

async function sendHere(
  path: string,
  messages: readonly Buffer[],
  sendDatagram: SyslogNeeds['sendDatagram'],
  { signal, talk }: Sending,
): Promise<Delivery> {
  const until = Date.now() + AWAY;
  for (const message of messages) {
    let refusal = sendDatagram(path, message);
    while (refusal !== null && refusal !== 'EPROTOTYPE' && Date.now() < until && !signal.aborted) {
      await sleep(AGAIN);
      refusal = sendDatagram(path, message);
    }
    if (refusal === 'EPROTOTYPE') refusal = await sendStream(path, message, signal);
    if (refusal === 'ENOENT') return refused(`there is no syslog here: nothing is at ${path}`);
    if (refusal !== null) return later(`${path} does not take it (${refusal})`);
    talk(`> ${message.toString('utf8')}`);
  }
  return { type: 'delivered', answer: `${path} took it` };
}

/** A message ends with a zero on a stream, as glibc's syslog(3) writes it. */
function sendStream(path: string, message: Buffer, signal: AbortSignal): Promise<string | null> {
  const ended = new Promise<null>((resolve, reject) => {
    const socket = createConnection({ path, signal });
    socket.once('error', reject);
    socket.end(Buffer.concat([message, Buffer.of(0)]), () => resolve(null));
  });
  return unlessAborted(ended, signal).catch(reasonOf);
}

async function sendFar(endpoint: Endpoint, messages: readonly Buffer[], { signal, talk }: Sending): Promise<Delivery> {
  let socket: UdpSocket | null = null;
  try {
    const { address } = await unlessAborted(lookup(endpoint.host), signal);
    const udp = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    socket = udp;
    const protest = new Promise<never>((_resolve, reject) => udp.once('error', reject));
    protest.catch(() => undefined);
    // Connected: only so the kernel passes on that a host has nobody who listens.
    await Promise.race([protest, new Promise<void>((resolve) => udp.connect(endpoint.port, address, resolve))]);
    for (const message of messages) {
      await Promise.race([protest, sent(udp, message)]);
      talk(`> ${message.toString('utf8')}`);
    }
    await Promise.race([protest, sleep(PROTEST)]);
    return { type: 'delivered', answer: `sent to ${inText(endpoint)} by UDP, which tells nothing of its arrival` };
  } catch (error) {
    if (signal.aborted) return later(`${endpoint.host} could not be resolved in time`);
    return later(`${inText(endpoint)} ${reasonOf(error)}`);
  } finally {
    socket?.close();
  }
}

const sent = (socket: UdpSocket, message: Buffer): Promise<void> =>
  new Promise((resolve, reject) => socket.send(message, (error) => (error ? reject(error) : resolve())));
