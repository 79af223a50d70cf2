// net.Server#listen of an unchanged program: on an address that is held it takes the descriptor instead of binding, and waits
// until this generation is accepted. Knows no manager.

import { type EventEmitter, errorMonitor } from 'node:events';
import { type AddressInfo, isIPv6, Server } from 'node:net';
import { type ListenAddress, match, wantedAddress } from './address.js';
import { around } from './around.js';
import type { HeldListener } from './held.js';

/** What becomes of the calls of `listen`. */
export interface Listening {
  began(server: Server): void;
  /** It took this one; it listens on it as soon as this generation is accepted. */
  took(server: Server, held: HeldListener): void;
}

interface Waiting {
  readonly held: HeldListener;
  readonly begin: () => void;
}

/** `mayAccept` null: at once. */
export function takeHeld(listeners: readonly HeldListener[], mayAccept: Promise<void> | null, told: Listening): void {
  const free = new Set(listeners);
  const waiting = new Map<Server, Waiting>();
  let accepted: 'yes' | 'no' = mayAccept === null ? 'yes' : 'no';
  // A server that waits has no handle yet, and nothing else may keep the program alive until it has.
  let alive: NodeJS.Timeout | undefined;
  void mayAccept?.then(() => {
    accepted = 'yes';
    clearInterval(alive);
    for (const { begin } of waiting.values()) begin();
    waiting.clear();
  });

  around(
    Server.prototype,
    'listen',
    (listen) =>
      function (this: Server, ...args: readonly unknown[]) {
        const listenAsAsked = (): Server => Reflect.apply(listen, this, args);
        if (this.listening) return listenAsAsked();
        if (waiting.has(this)) throw listensAlready();
        told.began(this);
        const held = meant(free, args);
        if (held === null) {
          const taken = meant(new Set(listeners), args);
          if (taken !== null) explainFailure(this, taken);
          return listenAsAsked();
        }

        free.delete(held);
        const callback = args.at(-1);
        if (typeof callback === 'function') this.once('listening', callback as () => void);
        // Node gives no address of a Unix socket that it did not bind, and none of one that does not listen yet.
        this.address = () => addressOf(held.address);
        told.took(this, held);
        const begin = (): void => {
          if (held.address.type === 'tcp') Reflect.deleteProperty(this, 'address');
          const { backlog, signal } = settingsIn(args);
          Reflect.apply(listen, this, [{ fd: held.fd, signal }, ...(backlog === null ? [] : [backlog])]);
        };
        if (accepted === 'yes') begin();
        else {
          waiting.set(this, { held, begin });
          alive ??= setInterval(() => {}, 60_000);
        }
        return this;
      },
  );

  // A server that the program gives up before it is accepted must not begin to listen after that.
  around(
    Server.prototype,
    'close',
    (close) =>
      function (this: Server, ...args) {
        const given = waiting.get(this);
        if (given !== undefined) {
          free.add(given.held);
          waiting.delete(this);
          Reflect.deleteProperty(this, 'address');
        }
        return Reflect.apply(close, this, args);
      },
  );
}

/** The error of Node for a second listen(). */
const listensAlready = (): Error =>
  Object.assign(new Error('Listen method has been called more than once without closing.'), {
    code: 'ERR_SERVER_ALREADY_LISTEN',
  });

/** Node closes the descriptor with its server, and cannot duplicate one before: each held socket can be taken once. */
function explainFailure(server: Server, { name }: HeldListener): void {
  const emitter: EventEmitter = server;
  const explain = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EADDRINUSE') return;
    error.message += `: this program has taken the held socket ${name} before, and can do so once; restart the service instead`;
  };
  emitter.once(errorMonitor, explain);
  server.once('listening', () => emitter.off(errorMonitor, explain));
}

/** The one that a program names by its descriptor (it knows LISTEN_FDS itself), or by its address. */
function meant(free: ReadonlySet<HeldListener>, args: readonly unknown[]): HeldListener | null {
  const all = [...free];
  const descriptor = descriptorIn(args);
  if (descriptor !== null) return all.find(({ fd }) => fd === descriptor) ?? null;
  const wanted = wantedAddress(args);
  if (wanted === null) return null;
  return (
    all.find(({ address }) => match(address, wanted) === 'exactly') ??
    all.find(({ address }) => match(address, wanted) === 'instead') ??
    null
  );
}

function descriptorIn([first]: readonly unknown[]): number | null {
  const fd = typeof first === 'object' && first !== null && 'fd' in first ? first.fd : null;
  return typeof fd === 'number' ? fd : null;
}

function addressOf(address: ListenAddress): AddressInfo | string {
  if (address.type === 'unix') return address.path;
  const host = address.host ?? '::';
  return { address: host, family: isIPv6(host) ? 'IPv6' : 'IPv4', port: address.port };
}

/** listen(port, host, backlog), listen(port, backlog), listen({backlog, signal}). */
function settingsIn(args: readonly unknown[]): { readonly backlog: number | null; readonly signal: unknown } {
  const [first, ...rest] = args;
  const options = typeof first === 'object' && first !== null ? (first as Readonly<Record<string, unknown>>) : {};
  const backlog = [options.backlog, ...rest].find((value) => typeof value === 'number');
  return { backlog: typeof backlog === 'number' ? backlog : null, signal: options.signal };
}
