// A keeper that does what a test says: it speaks the hand-over channel and answers an ask for a restart. It decides nothing.

import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { until } from './program.js';

export type Line = Readonly<Record<string, unknown>>;

/** The channel of one process. */
export class Channel {
  readonly lines: Line[] = [];
  readonly #socket: Socket;
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  constructor(socket: Socket, head: Buffer) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.#take(this.#decoder.write(bytes)));
    socket.on('error', () => {});
    this.#take(this.#decoder.write(head));
  }

  order(line: Line | string): void {
    this.#socket.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`);
  }

  cut(): void {
    this.#socket.destroy();
  }

  /** The first line, from now or before, with these members. */
  async said(members: Line): Promise<Line> {
    const isMeant = (line: Line): boolean => Object.entries(members).every(([name, value]) => line[name] === value);
    await until(`the service says ${JSON.stringify(members)}`, () => this.lines.some(isMeant));
    return this.lines.find(isMeant) ?? {};
  }

  async notified(word: string): Promise<void> {
    await until(`the service says ${word}`, () => this.words.includes(word));
  }

  /** All words of sd_notify, in their order. */
  get words(): readonly string[] {
    return this.lines.flatMap(({ say, text }) => (say === 'notify' ? String(text).split('\n') : []));
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    this.lines.push(...lines.map((line): Line => JSON.parse(line)));
  }
}

export class FakeKeeper {
  /** In the order in which they were opened. */
  readonly channels: Channel[] = [];
  readonly asked: unknown[] = [];
  /** What a restart comes to, and the process that the status names. */
  answer: { readonly progress: Line; readonly pid: number } = { progress: { type: 'done', text: 'up' }, pid: 4711 };
  readonly #path: string;
  #server: Server | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => {
      void bodyOf(request).then((body) => {
        if (request.method === 'POST') this.asked.push({ url: request.url, body });
        const { progress, pid } = this.answer;
        response.setHeader('content-type', 'application/json');
        response.end(
          JSON.stringify(
            request.method === 'POST'
              ? { id: '1', progress }
              : { version: 1, service: { name: 'web', process: { pid } } },
          ),
        );
      });
    });
    server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      if (request.url !== '/v1/services/web/handover' || request.headers.upgrade !== 'upkeep-handover/1') {
        socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
        return;
      }
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: upkeep-handover/1\r\n\r\n');
      this.channels.push(new Channel(socket, head));
    });
    await new Promise<void>((resolve) => server.listen(this.#path, resolve));
    this.#server = server;
  }

  /** As if it were killed: nothing more is said to anybody. */
  stop(): void {
    for (const channel of this.channels) channel.cut();
    this.#server?.close();
    this.#server = null;
  }

  async channel(index: number): Promise<Channel> {
    await until(`channel ${index} is open`, () => this.channels.length > index);
    const channel = this.channels[index];
    if (channel === undefined) throw new Error('it is open');
    return channel;
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const part of request) text += String(part);
  return text === '' ? null : JSON.parse(text);
}
