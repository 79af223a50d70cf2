// GET /v1/services/NAME/handover with an upgrade: the connection becomes the hand-over channel of a process of that service, and
// of nobody else. Owns how many there may be, and that they stand in nobody's way: neither in that of who wants an answer,
// nor in that of a keeper that ends. What is said on a channel is for others.

import { type IncomingMessage, STATUS_CODES } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Speaker } from '../core/event.js';
import { type ServiceName, serviceName } from '../core/spec.js';
import { ControlError } from './control-error.js';
import type { Peer } from './judge.js';

/** What is said after the HTTP. */
const protocol = 'upkeep-handover/1';

export interface HandoverParts {
  readonly knows: (service: ServiceName) => boolean;
  /** By the kernel's word: which process of this service the peer is; else why it is none, in words. */
  readonly memberOf: (service: ServiceName, peer: Peer, socket: Socket) => Speaker | string;
  /** From now on this connection is the channel of that process. */
  readonly open: (service: ServiceName, speaker: Speaker, socket: Socket) => OpenChannel;
}

export interface OpenChannel {
  close(reason: string): void;
}

/** Of one service at a time: its main process, and those of old generations, and some of their children. */
const mostPerService = 16;

interface Entry {
  readonly service: ServiceName;
  readonly pid: number;
  readonly channel: OpenChannel;
}

export class HandoverRoute {
  readonly #parts: HandoverParts;
  readonly #open = new Map<Socket, Entry>();

  constructor(parts: HandoverParts) {
    this.#parts = parts;
  }

  /** They are no clients: room for clients is beside them. */
  get count(): number {
    return this.#open.size;
  }

  /** @throws ControlError, in which case the connection is still HTTP's */
  upgrade({ method, url, headers }: IncomingMessage, stream: Duplex, head: Buffer, peer: Peer): void {
    const service = serviceIn(url ?? '');
    if (method !== 'GET' || service === null || headers.upgrade?.toLowerCase() !== protocol)
      throw new ControlError(400, 'no-upgrade', `only GET /v1/services/NAME/handover is upgraded, to ${protocol}`);
    if (!this.#parts.knows(service)) throw new ControlError(404, 'not-found', `there is no service ${service}`);
    if (!(stream instanceof Socket)) throw new ControlError(500, 'internal', 'this connection cannot be a channel');
    const speaker = this.#parts.memberOf(service, peer, stream);
    if (typeof speaker === 'string')
      throw new ControlError(
        403,
        'forbidden',
        `the hand-over channel of ${service} is for its own processes: ${speaker}`,
      );
    const { pid } = speaker.process;
    const others = [...this.#open.values()].filter((one) => one.service === service && one.pid !== pid);
    if (others.length >= mostPerService)
      throw new ControlError(429, 'too-many', `${service} has ${others.length} hand-over channels already; close some`);
    const older = [...this.#open.values()].find((one) => one.service === service && one.pid === pid);
    older?.channel.close('this process has opened another channel, which takes the place of this one');
    stream.setTimeout(0);
    stream.write(`HTTP/1.1 101 ${STATUS_CODES[101]}\r\nconnection: Upgrade\r\nupgrade: ${protocol}\r\n\r\n`);
    if (head.length > 0) stream.unshift(head);
    this.#open.set(stream, { service, pid, channel: this.#parts.open(service, speaker, stream) });
    stream.once('close', () => this.#open.delete(stream));
  }

  close(reason: string): void {
    for (const { channel } of [...this.#open.values()]) channel.close(reason);
  }
}

/** GET /v1/services/NAME/handover: who asks for it without an upgrade is told how. */
export const isHandoverPath = (path: readonly string[]): boolean =>
  path.length === 4 && path[0] === 'v1' && path[1] === 'services' && path[3] === 'handover';

/** @throws URIError */
function serviceIn(url: string): ServiceName | null {
  const path =
    url
      .split('?', 1)[0]
      ?.split('/')
      .filter((part) => part !== '') ?? [];
  return isHandoverPath(path) ? serviceName(decodeURIComponent(path[2] ?? '')) : null;
}
