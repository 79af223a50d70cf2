// The control socket: HTTP/1.1 with JSON over a Unix socket (product.md 4). Open to all local users; every request is
// judged by peer credentials. Knows the keeper only through the parts it is given.

import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Sender } from '../core/death.js';
import type { Report } from '../keeper/ports.js';
import { type ActParts, ActRoute, type Objection, patienceIn, severalIn } from './act-route.js';
import { ControlError } from './control-error.js';
import { EventStream } from './event-stream.js';
import { type HandoverParts, HandoverRoute, isHandoverPath } from './handover-route.js';
import { HistoryRoute } from './history-route.js';
import { type Judges, type Peer, type Right, refusal } from './judge.js';
import { metricsText } from './metrics.js';
import { OperationLog } from './operation-log.js';
import { type Details, type ReadParts, ReadRoute } from './read-route.js';
import { Tally } from './tally.js';
import { answerTest, type TestParts } from './test-route.js';

export interface ControlParts extends ReadParts, ActParts, TestParts {
  readonly judges: Judges;
  /** The kernel's word for the other end of this connection; null when it is gone already. */
  readonly peerOf: (socket: Socket) => Peer | null;
  /** The peer in words, with the person behind sudo where that is known. */
  readonly describe: (peer: Peer) => Sender;
  /** What is no ask of one service, by its path: plan, apply, shutdown, once, ack, notices/test. Throws a ControlError to refuse. */
  readonly govern: Readonly<Record<string, (body: unknown, peer: Peer) => Promise<unknown>>>;
  readonly handover: HandoverParts;
  readonly report: Report;
}

/** Connections of one ordinary user at a time: one hostile user must not shut out the others. */
const perUser = 32;
/** Open at a time, and as many may wait to be: who finds the queue full is refused by the kernel (EAGAIN, unix(7)). */
export const mostConnections = 512;
const bodyLimit = 1 << 20;
/** How long a request may take to arrive. */
const requestPatience = 10_000;

export class ControlServer {
  readonly #parts: ControlParts;
  readonly #server: Server;
  readonly operations: OperationLog;
  readonly events = new EventStream();
  readonly tally = new Tally();
  /** To be told when the history has more. */
  readonly history: HistoryRoute;
  readonly #acts: ActRoute;
  readonly #reads: ReadRoute;
  readonly #handovers: HandoverRoute;
  readonly #perUid = new Map<number, number>();
  readonly #onError = (error: Error): void => this.#parts.report('the control socket failed', error);

  constructor(parts: ControlParts) {
    this.#parts = parts;
    this.operations = new OperationLog(parts);
    this.#acts = new ActRoute(parts, this.operations);
    this.history = new HistoryRoute(parts);
    this.#reads = new ReadRoute(parts, this.#acts, this.history);
    this.#handovers = new HandoverRoute(parts.handover);
    // Node's own watch over slow requests is a timer that never rests: each connection gets one of its own instead.
    this.#server = createServer({ connectionsCheckingInterval: 2 ** 31 - 1, maxHeaderSize: 16_384 });
    this.#server.maxConnections = mostConnections;
    this.#server.maxRequestsPerSocket = 1;
    this.#server.on('connection', (socket) => this.#count(socket));
    this.#server.on('request', (request, response) => {
      this.#answer(request, response).catch((error: unknown) => this.#fail(response, error));
    });
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.#server.on('clientError', (_error, socket) => {
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n');
      else socket.destroy();
    });
  }

  /** Answers at the listening socket of this descriptor, which is the server's from now on. */
  async listen(fd: number): Promise<void> {
    this.history.resume();
    this.#server.off('error', this.#onError);
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ fd }, mostConnections, () => {
        this.#server.off('error', reject);
        this.#server.on('error', this.#onError);
        resolve();
      });
    });
  }

  /** Accepts nobody any more; resolves when who was connected has been answered, or cut off after `patience` milliseconds. May listen again. */
  async pause(patience: number): Promise<void> {
    const quiet = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.events.close();
    this.history.release();
    this.#handovers.close('the program of the keeper is replaced, or ends: connect again');
    let timer: NodeJS.Timeout | null = null;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, patience);
    });
    await Promise.race([quiet, late]);
    if (timer !== null) clearTimeout(timer);
    this.#server.closeAllConnections();
  }

  /** Accepts nobody any more; who is connected stays so. May listen again. */
  letGo(): void {
    this.#server.close();
  }

  close(): void {
    this.events.close();
    this.#handovers.close('the keeper ends');
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #count(socket: Socket): void {
    const peer = this.#parts.peerOf(socket);
    socket.on('error', () => socket.destroy());
    if (peer === null) {
      socket.destroy();
      return;
    }
    const open = (this.#perUid.get(peer.uid) ?? 0) + 1;
    const isOperator = peer.uid === 0 || peer.uid === this.#parts.judges.keeperUid;
    if (open > perUser && !isOperator) {
      socket.destroy();
      return;
    }
    this.#perUid.set(peer.uid, open);
    peers.set(socket, peer);
    // A client that sends half a request, or nothing, is cut off; `#answer` says when a request is whole.
    const slow = setTimeout(() => socket.destroy(), requestPatience);
    unfinished.set(socket, slow);
    socket.on('close', () => {
      clearTimeout(slow);
      this.#uncount(socket);
    });
  }

  /** It is gone, or no client any more. */
  #uncount(socket: Socket): void {
    const peer = peers.get(socket);
    if (peer === undefined) return;
    peers.delete(socket);
    const left = (this.#perUid.get(peer.uid) ?? 1) - 1;
    if (left === 0) this.#perUid.delete(peer.uid);
    else this.#perUid.set(peer.uid, left);
  }

  #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const { socket } = request;
    clearTimeout(unfinished.get(socket));
    try {
      const peer = peers.get(socket);
      if (peer === undefined) throw new ControlError(403, 'no-peer', 'the kernel does not say who you are');
      this.#handovers.upgrade(request, stream, head, peer);
    } catch (error) {
      stream.end(refusalOf(this.#problem(error)));
      return;
    }
    this.#uncount(socket);
    const makeRoom = (): void => {
      this.#server.maxConnections = mostConnections + this.#handovers.count;
    };
    makeRoom();
    stream.once('close', makeRoom);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const peer = peers.get(request.socket);
    if (request.method === 'GET') clearTimeout(unfinished.get(request.socket));
    if (peer === undefined) throw new ControlError(403, 'no-peer', 'the kernel does not say who you are');
    const url = new URL(request.url ?? '/', 'http://upkeep');
    const path = url.pathname
      .split('/')
      .filter((part) => part !== '')
      .map((part) => decodeURIComponent(part));
    if (request.method === 'GET') return this.#read(path, url, peer, response);
    if (request.method !== 'POST')
      throw new ControlError(405, 'method', `${request.method ?? '?'} is not known here; GET reads, POST acts`);
    const body = await readBody(request);
    clearTimeout(unfinished.get(request.socket));
    return this.#act(path, url, body, peer, response);
  }

  async #read(path: readonly string[], url: URL, peer: Peer, response: ServerResponse): Promise<void> {
    this.#judge(peer, { type: 'read' });
    if (isHandoverPath(path))
      throw new ControlError(426, 'no-upgrade', 'this path takes a connection of a service, by an upgrade of HTTP');
    if (path.join('/') === 'metrics') {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
      response.end(metricsText(this.#parts.status(), (service) => this.tally.of(service)));
    } else if (path.join('/') === 'v1/events') {
      this.events.add(response);
    } else {
      send(response, 200, await this.#reads.find(path, url, this.#detailsFor(peer), response));
    }
  }

  #detailsFor(peer: Peer): Details {
    return refusal(peer, { type: 'details' }, this.#parts.judges) === null ? 'yes' : 'no';
  }

  async #act(path: readonly string[], url: URL, body: unknown, peer: Peer, response: ServerResponse): Promise<void> {
    const [first, second, name, verb] = path;
    if (first !== 'v1' || second === undefined)
      throw new ControlError(404, 'not-found', `POST /${path.join('/')} is not known`);
    if (second === 'services' && name !== undefined && verb === 'test') {
      this.#judge(peer, { type: 'act', verb, service: name });
      return send(response, 200, await answerTest(name, body, this.#parts));
    }
    if (second === 'services') return this.#ask(name ?? null, verb ?? null, url, body, peer, response);
    const what = path.slice(1).join('/');
    if (what === 'impact') {
      this.#judge(peer, { type: 'read' });
      return send(response, 200, this.#acts.impact(body));
    }
    const action = Object.hasOwn(this.#parts.govern, what) ? this.#parts.govern[what] : undefined;
    if (action === undefined) throw new ControlError(404, 'not-found', `POST /${path.join('/')} is not known`);
    this.#judge(peer, rightFor(what));
    send(response, 200, await action(body, peer));
  }

  async #ask(
    name: string | null,
    verb: string | null,
    url: URL,
    body: unknown,
    peer: Peer,
    response: ServerResponse,
  ): Promise<void> {
    const by = this.#parts.describe(peer);
    const objection: Objection = (what, service) =>
      refusal(peer, { type: 'act', verb: what, service }, this.#parts.judges);
    const patience = patienceIn(url);
    if (name === null) return this.#askSeveral(body, by, objection, patience, response);
    if (verb === null) throw new ControlError(404, 'not-found', 'it is POST /v1/services/NAME/VERB');
    if (this.#acts.isPool(name))
      return this.#askSeveral(severalIn(body, verb, name), by, objection, patience, response);
    const id = this.#acts.askOne(name, verb, body, by, objection);
    const operation = await this.#acts.operation(id, patience, response);
    send(response, operation.progress.type === 'pending' || patience === null ? 202 : 200, operation);
  }

  async #askSeveral(
    body: unknown,
    by: Sender,
    objection: Objection,
    patience: number | null,
    response: ServerResponse,
  ): Promise<void> {
    const asked = this.#acts.askSeveral(body, by, objection);
    const operations = await this.#acts.settled(asked, patience, response);
    const isOpen = patience === null || operations.some(({ progress }) => progress.type === 'pending');
    send(response, isOpen ? 202 : 200, { version: 1, operations });
  }

  #judge(peer: Peer, right: Right): void {
    const why = refusal(peer, right, this.#parts.judges);
    if (why !== null) throw new ControlError(403, 'forbidden', why);
  }

  #fail(response: ServerResponse, error: unknown): void {
    const problem = this.#problem(error);
    if (response.headersSent) response.destroy();
    else send(response, problem.status, bodyOf(problem));
  }

  /** What is answered; a surprise is reported. */
  #problem(error: unknown): ControlError {
    if (error instanceof ControlError) return error;
    if (error instanceof URIError) return new ControlError(400, 'bad-path', 'the path is not valid percent-encoding');
    this.#parts.report('a request failed', error);
    return new ControlError(500, 'internal', 'the keeper could not answer; see its log');
  }
}

const bodyOf = ({ code, message }: ControlError): unknown => ({ error: { code, message } });

/** To who asked for an upgrade: Node has no answer object for that. */
function refusalOf(problem: ControlError): string {
  const body = `${JSON.stringify(bodyOf(problem))}\n`;
  const lines = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? 'Error'}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

function rightFor(what: string): Right {
  switch (what) {
    // Who only wants to see what would change may do so.
    case 'plan':
      return { type: 'details' };
    case 'ack':
      return { type: 'act', verb: what, service: '' };
    default:
      return { type: 'govern' };
  }
}

/** Who is on the other side of a connection, asked once when it was accepted. */
const peers = new WeakMap<Socket, Peer>();
/** The time that a connection has left to send a whole request. */
const unfinished = new WeakMap<Socket, NodeJS.Timeout>();

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    if (!(chunk instanceof Buffer)) continue;
    size += chunk.length;
    if (size > bodyLimit) throw new ControlError(413, 'too-large', 'the request is larger than 1 MiB');
    chunks.push(chunk);
  }
  if (size === 0) return {};
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new ControlError(400, 'bad-json', 'the body of the request is not JSON');
  }
}
