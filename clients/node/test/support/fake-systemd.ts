// The ear of a manager like systemd: a socket of datagrams, what came to it, and the descriptors that were to be stored. Starts nobody.

import { createServer } from 'node:net';
import koffi from 'koffi';
import { descriptorOf } from '../../src/held-sockets.js';
import { socketAddress } from '../../src/systemd/libc.js';
import { until } from './program.js';

const libc = koffi.load(null);
const csocket = libc.func('int socket(int family, int type, int protocol)');
const cbind = libc.func('int bind(int fd, const void *address, uint length)');
const crecvmsg = libc.func('long recvmsg(int fd, void *message, int flags)');
const cdup = libc.func('int dup(int fd)');
const cclose = libc.func('int close(int fd)');

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const MSG_DONTWAIT = 0x40;

/** A socket that listens and is accepted from by nobody, and how to let go of it. */
export async function heldSocket(): Promise<{ readonly fd: number; readonly close: () => void }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const fd: number = cdup(descriptorOf(server) ?? -1);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return { fd, close: () => cclose(fd) };
}

export class FakeSystemd {
  readonly address: string;
  readonly words: string[] = [];
  /** By FDNAME. */
  readonly stored = new Map<string, number>();
  readonly #fd: number;
  readonly #timer: NodeJS.Timeout;

  /** A path, or `@name`. */
  constructor(address: string) {
    this.address = address;
    this.#fd = csocket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
    const name = socketAddress(address);
    if (name === null || cbind(this.#fd, name, name.length) !== 0) throw new Error(`${address} cannot be bound`);
    this.#timer = setInterval(() => this.#receive(), 10);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const fd of [this.#fd, ...this.stored.values()]) cclose(fd);
  }

  async notified(word: string): Promise<void> {
    await until(`the service says ${word}`, () => this.words.includes(word));
  }

  #receive(): void {
    for (let message = receive(this.#fd); message !== null; message = receive(this.#fd)) {
      const words = message.text.split('\n');
      this.words.push(...words);
      const name = words.find((word) => word.startsWith('FDNAME='))?.slice(7) ?? 'stored';
      if (message.descriptor === null) continue;
      if (words.includes('FDSTORE=1')) this.stored.set(name, message.descriptor);
      // To close it is the answer that systemd-notify waits for.
      else cclose(message.descriptor);
    }
  }
}

function receive(fd: number): { readonly text: string; readonly descriptor: number | null } | null {
  // In one piece, so that nothing of it is collected: struct msghdr, struct iovec, control, text.
  const message = Buffer.alloc(56 + 16 + 64 + 4096);
  const base = BigInt(koffi.address(message));
  const word = (at: number, value: bigint): unknown => message.writeBigUInt64LE(value, at);
  word(16, base + 56n);
  word(24, 1n);
  word(32, base + 72n);
  word(40, 64n);
  word(56, base + 136n);
  word(64, 4096n);
  const length = Number(crecvmsg(fd, message, MSG_DONTWAIT));
  if (length < 0) return null;
  const hasDescriptor = message.readBigUInt64LE(40) >= 20n && message.readInt32LE(72 + 12) === 1;
  return {
    text: message.toString('utf8', 136, 136 + length),
    descriptor: hasDescriptor ? message.readInt32LE(72 + 16) : null,
  };
}
