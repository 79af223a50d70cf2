// What services say by sd_notify, on its way from the socket to the keeper: parsed by protocol/, attributed by kernel/, and
// posted as a fact. Every descriptor that comes along is claimed by the order that follows from it, or closed. What is not
// heard, or not all of it, is said in the log. It must not know what follows from a word.

import type { Speaker } from '../core/event.js';
import type { ProcessRef } from '../core/process.js';
import type { ServiceName } from '../core/spec.js';
import type { Post } from '../keeper/ports.js';
import type { Batches } from '../kernel/batches.js';
import { type Datagram, discard } from '../kernel/datagram.js';
import type { NamedMain, NewMain } from '../kernel/new-main.js';
import type { Speakers } from '../kernel/speakers.js';
import { type MainClaim, type Parsed, parseMessage, saysNothing } from '../protocol/message.js';

export interface HearingParts {
  readonly post: Post;
  readonly speakers: Pick<Speakers, 'whoSent'>;
  readonly newMain: (service: ServiceName, named: NamedMain) => NewMain;
  readonly batches: Batches;
  readonly complain: (service: ServiceName, text: string) => void;
}

export class Hearing {
  readonly #parts: HearingParts;

  constructor(parts: HearingParts) {
    this.#parts = parts;
  }

  /** A datagram at the socket of this service; its descriptors are ours. */
  hear(service: ServiceName, datagram: Datagram): void {
    let isKept = false;
    try {
      isKept = this.#hear(service, datagram);
    } finally {
      // Closing that of a barrier is the answer to it.
      discard(isKept ? { ...datagram, descriptors: [] } : datagram);
    }
  }

  /** The same text on another channel, on which the kernel has said who speaks, and no descriptor can come. */
  word(service: ServiceName, sender: Speaker, text: string): void {
    const message = this.#understand(service, Buffer.from(text, 'utf8'), 0);
    if (message !== null) this.#tell(service, sender, message, []);
  }

  complain(service: ServiceName, reason: string): void {
    this.#parts.complain(service, `what it said by sd_notify was dropped: ${reason}`);
  }

  /** Are its descriptors kept? */
  #hear(service: ServiceName, { bytes, descriptors, from, pidfd }: Datagram): boolean {
    const message = this.#understand(service, bytes, descriptors.length);
    if (message === null) return false;
    const sender = this.#parts.speakers.whoSent(service, { from, pidfd });
    if (typeof sender !== 'string') return this.#tell(service, sender, message, descriptors);
    this.complain(service, sender);
    return false;
  }

  /** null: there is nothing in it for the keeper. */
  #understand(service: ServiceName, bytes: Buffer, descriptors: number): Message | null {
    const parsed = parseMessage(bytes, descriptors);
    switch (parsed.type) {
      case 'barrier':
        return null;
      case 'dropped':
        this.complain(service, parsed.reason);
        return null;
      case 'message':
        for (const one of parsed.complaints) this.#parts.complain(service, `of what it said by sd_notify, ${one}`);
        return saysNothing(parsed) ? null : parsed;
    }
  }

  #tell(service: ServiceName, sender: Speaker, { says, main }: Message, descriptors: readonly number[]): boolean {
    const isKept = says.store?.type === 'store' && descriptors.length > 0 && main?.type !== 'pidfd';
    const named = main === null ? null : this.#believed(service, sender, this.#mainOf(service, main, descriptors));
    const batch = isKept ? this.#parts.batches.add(descriptors) : null;
    this.#parts.post({ type: 'notified', service, sender, says: { ...says, main: named }, batch });
    return isKept;
  }

  /** One of elsewhere only where root says so. Who is not believed is told of in the log: in the history a flood of it would leave no room. */
  #believed(service: ServiceName, { process: { pid }, uid }: Speaker, named: NewMain): ProcessRef | null {
    if (named.type === 'process' && (named.isMember === 'yes' || uid === 0)) return named.process;
    const reason =
      named.type === 'refused' ? named.reason : `process ${named.process.pid} does not belong to the service`;
    this.#parts.complain(service, `the main process that process ${pid} names by sd_notify is not believed: ${reason}`);
    return null;
  }

  #mainOf(service: ServiceName, claim: MainClaim, [fd]: readonly number[]): NewMain {
    if (claim.type === 'refused') return claim;
    if (claim.type === 'pid') return this.#parts.newMain(service, { by: claim, inode: claim.inode });
    if (fd === undefined) return { type: 'refused', reason: 'MAINPIDFD=1 came without a descriptor' };
    return this.#parts.newMain(service, { by: { type: 'pidfd', fd }, inode: claim.inode });
  }
}

type Message = Extract<Parsed, { type: 'message' }>;
