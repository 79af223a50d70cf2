// The keeper's end of one generation's hand-over channel: hears what it says, and tells it what a keeper would.

import { createServer, type Server } from 'node:http';
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';

export interface ChannelKeeper {
  /** All lines that came. */
  readonly heard: readonly string[];
  say(order: Readonly<Record<string, unknown>>): void;
  close(): void;
}

export async function channelKeeper(path: string): Promise<ChannelKeeper> {
  const heard: string[] = [];
  const channels = new Set<Duplex>();
  const server: Server = createServer();
  server.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: upkeep-handover/1\r\nConnection: Upgrade\r\n\r\n');
    channels.add(socket);
    socket.on('error', () => {});
    createInterface(socket).on('line', (line) => heard.push(line));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    heard,
    say(order) {
      for (const channel of channels) channel.write(`${JSON.stringify(order)}\n`);
    },
    close() {
      for (const channel of channels) channel.destroy();
      server.close();
    },
  };
}
