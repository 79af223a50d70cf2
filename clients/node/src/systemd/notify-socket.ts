// How words reach systemd: by a datagram where koffi is installed, else by systemd-notify(1) as a child. The child is not the main
// process, so without root the unit needs NotifyAccess=all then.

import { spawn } from 'node:child_process';
import type { Notify } from '../notify.js';
import type { Libc } from './libc.js';

export const byDatagram =
  (libc: Libc, address: string): Notify =>
  async (words) =>
    libc.send(address, words.join('\n'), []);

/** One child at a time and in order: two that overtake one another would turn the words around. */
export function byCommand(address: string, command: string = 'systemd-notify'): Notify {
  let last: Promise<boolean> = Promise.resolve(true);
  return (words) => {
    last = last.then(() => run(command, words, address));
    return last;
  };
}

function run(command: string, words: readonly string[], address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(command, [...words], { stdio: 'ignore', env: { ...process.env, NOTIFY_SOCKET: address } });
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
}
