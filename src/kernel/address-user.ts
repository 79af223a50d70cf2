// Who has an address that somebody else wants: for a sentence. Slow, and complete only for who may look into all processes. It
// must not know who wanted it.

import { readdir, readFile, readlink } from 'node:fs/promises';
import type { SocketAddress } from '../core/socket.js';
import { isHolder } from './holder-process.js';
import { readStat } from './identity.js';
import { fromLatin1, printable } from './printable.js';
import { kernelAddresses } from './socket-address.js';

/** `nginx (pid 812)`; null: nobody that we may see. */
export async function addressUser(address: SocketAddress): Promise<string | null> {
  const inodes = await inodesAt(address);
  if (inodes.size === 0) return null;
  let own: string | null = null;
  for (const pid of await numbersIn('/proc')) {
    if (!(await hasOneOf(inodes, pid))) continue;
    // Ours and the holder's are for a service, and that is the answer if it runs.
    if (pid !== process.pid && !isHolder(pid)) return `${printable(readStat(pid)?.comm ?? '')} (pid ${pid})`;
    own = 'another service, for which Upkeep holds it';
  }
  return own;
}

async function hasOneOf(inodes: ReadonlySet<string>, pid: number): Promise<boolean> {
  for (const fd of await numbersIn(`/proc/${pid}/fd`)) {
    const link = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '');
    if (inodes.has(/^socket:\[(\d+)\]$/.exec(link)?.[1] ?? '')) return true;
  }
  return false;
}

async function numbersIn(directory: string): Promise<readonly number[]> {
  const names = await readdir(directory).catch(() => []);
  return names.map(Number).filter((n) => !Number.isNaN(n));
}

async function inodesAt(address: SocketAddress): Promise<ReadonlySet<string>> {
  switch (address.type) {
    case 'stream':
    case 'datagram':
      // Num RefCount Protocol Flags Type St Inode Path
      return inodesIn(['unix'], (fields) => (fromLatin1(fields[7] ?? '') === address.path ? fields[6] : undefined));
    case 'tcp':
    case 'udp': {
      const port = address.port.toString(16).toUpperCase().padStart(4, '0');
      const own = new Set(kernelAddresses(address).map(({ bytes }) => hexOf(bytes)));
      const conflicts = (host: string): boolean => address.host === null || /^0+$/.test(host) || own.has(host);
      // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode; state 0A: it listens
      return inodesIn([address.type, `${address.type}6`], (fields) => {
        const [host = '', at] = (fields[1] ?? '').split(':');
        const listens = address.type === 'udp' || fields[3] === '0A';
        return at === port && listens && conflicts(host) ? fields[9] : undefined;
      });
    }
  }
}

async function inodesIn(
  tables: readonly string[],
  inodeIn: (fields: readonly string[]) => string | undefined,
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const table of tables) {
    const text = await readFile(`/proc/net/${table}`, 'latin1').catch(() => '');
    for (const line of text.split('\n').slice(1)) {
      const inode = inodeIn(line.trim().split(/\s+/));
      if (inode !== undefined) found.add(inode);
    }
  }
  return found;
}

/** As /proc/net/tcp has it: words of 32 bits in the order of the machine. */
function hexOf(bytes: Buffer): string {
  const host = bytes.length === 16 ? bytes.subarray(4, 8) : bytes.subarray(8, 24);
  const words = Array.from({ length: host.length / 4 }, (_, i) => host.readUInt32LE(4 * i));
  return words.map((word) => word.toString(16).toUpperCase().padStart(8, '0')).join('');
}
