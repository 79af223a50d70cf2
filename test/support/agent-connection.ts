// The client's side of the protocol of ssh-agent (draft-ietf-sshm-ssh-agent), as much as a witness needs: which keys there are,
// and signatures. One connection, one question at a time in the order of asking, no deadline: as litewitness has it.

import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';

/** A public key in the form of SSH: strings, the first of which is the algorithm. */
export type KeyBlob = Buffer;

const REQUEST_IDENTITIES = 11;
const IDENTITIES_ANSWER = 12;
const SIGN_REQUEST = 13;
const SIGN_RESPONSE = 14;

interface Message {
  readonly type: number;
  readonly body: Buffer;
}

export class AgentConnection {
  readonly #socket: Socket;
  readonly #askers: ((answer: Message) => void)[] = [];
  #unread: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket, onBroken: () => void) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', onBroken).on('close', onBroken);
  }

  /** @throws when nobody listens there */
  static async open(path: string, onBroken: () => void): Promise<AgentConnection> {
    const socket = createConnection(path);
    await once(socket, 'connect');
    return new AgentConnection(socket, onBroken);
  }

  async keys(): Promise<readonly KeyBlob[]> {
    const answer = await this.#ask(Buffer.of(REQUEST_IDENTITIES), IDENTITIES_ANSWER);
    const strings = stringsIn(answer.subarray(4));
    // Each key is followed by its comment.
    return strings.filter((_, index) => index % 2 === 0);
  }

  /** The signature alone, without the name of its algorithm. */
  async sign(key: KeyBlob, data: Buffer): Promise<Buffer> {
    const noFlags = Buffer.alloc(4);
    const request = [Buffer.of(SIGN_REQUEST), asString(key), asString(data), noFlags];
    const answer = await this.#ask(Buffer.concat(request), SIGN_RESPONSE);
    const [, signature] = stringsIn(stringsIn(answer)[0] ?? Buffer.alloc(0));
    if (signature === undefined) throw new Error('the agent answered without a signature');
    return signature;
  }

  #ask(request: Buffer, wanted: number): Promise<Buffer> {
    this.#socket.write(asString(request));
    return new Promise((resolve, reject) => {
      this.#askers.push(({ type, body }) => {
        if (type === wanted) resolve(body);
        else reject(new Error(`the agent refused (answer ${type})`));
      });
    });
  }

  #read(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    for (;;) {
      const message = this.#unread.length < 4 ? 0 : 4 + this.#unread.readUInt32BE();
      if (message === 0 || this.#unread.length < message) return;
      const [type = 0] = this.#unread.subarray(4, 5);
      const body = this.#unread.subarray(5, message);
      this.#unread = this.#unread.subarray(message);
      this.#askers.shift()?.({ type, body });
    }
  }
}

/** A string of SSH: its length, then itself. */
function asString(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

export function stringsIn(bytes: Buffer): readonly Buffer[] {
  const strings: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 + bytes.readUInt32BE(at);
    strings.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return strings;
}
