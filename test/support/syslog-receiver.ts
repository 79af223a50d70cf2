// Real receivers of syslog on this machine: a UDP port as another host has one, and a Unix socket as /dev/log is one.

import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { fileURLToPath } from 'node:url';
import { keep } from './kept.js';

export interface SyslogReceiver {
  /** `127.0.0.1:41000`, or the path of the socket. */
  readonly place: string;
  /** Each message as it came; from a Unix socket with what would break a line as \xNN. */
  readonly messages: readonly string[];
  /** Resolves when so many are there. */
  readonly until: (count: number) => Promise<readonly string[]>;
  readonly close: () => Promise<void>;
}

export async function startSyslogServer(): Promise<SyslogReceiver> {
  const kept = keep<string>();
  const socket = createSocket('udp4', (message) => kept.add(message.toString('utf8')));
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    messages: kept.all,
    until: kept.until,
    place: `127.0.0.1:${socket.address().port}`,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

/** `path` must not be there yet, or be a socket that nobody needs. */
export async function startLocalSyslog(path: string, type: 'dgram' | 'stream' = 'dgram'): Promise<SyslogReceiver> {
  const kept = keep<string>();
  const script = fileURLToPath(new URL('syslog-receiver.pl', import.meta.url));
  const child = spawn('perl', [script, path, type], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let rest = '';
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => reject(new Error(`no receiver at ${path}`)));
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line === 'ready') resolve();
        else kept.add(line);
      }
    });
  });
  return {
    messages: kept.all,
    until: kept.until,
    place: path,
    close: () => {
      child.kill('SIGKILL');
      return ended;
    },
  };
}
