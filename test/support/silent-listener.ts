// Addresses of this machine that are silent as a black hole, until they are told to take what comes. See silent-listener.pl.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface SilentListener {
  readonly port: number;
  readonly addresses: readonly string[];
  /** From now on it takes connections. */
  readonly wake: () => void;
  readonly close: () => void;
}

/** From 127.0.0.FIRST on. */
export async function listenSilently(first: number, count: number): Promise<SilentListener> {
  const program = fileURLToPath(new URL('silent-listener.pl', import.meta.url));
  const child = spawn('perl', [program, String(first), String(count)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const port = await new Promise<number>((resolve, reject) => {
    child.once('error', reject).once('exit', (code) => reject(new Error(`silent-listener.pl ended with ${code}`)));
    child.stdout.once('data', (line: Buffer) => resolve(Number(line.toString())));
  });
  return {
    port,
    addresses: Array.from({ length: count }, (_, index) => `127.0.0.${first + index}`),
    wake: () => child.stdin.write('\n'),
    close: () => child.stdin.end(),
  };
}
