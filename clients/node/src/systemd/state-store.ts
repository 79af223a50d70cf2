// Where the state is between two generations that never live at the same time: in a file in memory that systemd keeps in the unit's
// fd store, or in a file of $RUNTIME_DIRECTORY. It is empty while a generation serves, so that a crash finds nothing old in it.

import { closeSync, createReadStream, createWriteStream, existsSync, fstatSync, ftruncateSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { openToRead, writeWhole } from '../state-path.js';
import type { Libc } from './libc.js';

export interface StateStore {
  /** Must be there before READY=1 is said. */
  readonly prepare: () => boolean;
  /** Null: it is empty. */
  readonly open: () => Readable | null;
  /** All or nothing. @throws Error */
  readonly fill: (write: (out: Writable) => Promise<unknown>) => Promise<void>;
  readonly clear: () => void;
}

/** What a store calls it: FDNAME, and the file. */
export const STORED = 'upkeep-state';

/** Opened anew: a stream closes what it has, `autoClose` or not, when it is destroyed, and its own place begins at the start. */
const again = (fd: number): string => `/proc/self/fd/${fd}`;

/** `kept`: what systemd gave back to us; null in a first generation. */
export function memoryStore(libc: Libc, address: string, kept: number | null): StateStore {
  let fd = kept;
  return {
    prepare: () => {
      if (fd !== null) return true;
      fd = libc.memoryFile(STORED);
      if (libc.send(address, `FDSTORE=1\nFDNAME=${STORED}\nFDPOLL=0`, [fd])) return true;
      closeSync(fd);
      fd = null;
      return false;
    },
    open: () => (fd === null || fstatSync(fd).size === 0 ? null : createReadStream(again(fd))),
    fill: async (write) => {
      const target = fd;
      if (target === null) throw new Error('systemd has taken no file for the state; set FileDescriptorStoreMax=');
      ftruncateSync(target, 0);
      const out = createWriteStream(again(target), { flags: 'r+' }).on('error', () => {});
      try {
        await write(out);
        out.end();
        await finished(out);
      } catch (error) {
        ftruncateSync(target, 0);
        throw error;
      }
    },
    clear: () => {
      if (fd !== null) ftruncateSync(fd, 0);
    },
  };
}

/**
 * Where systemd does not say whether it keeps descriptors for this unit (before 254 it says nothing, and closes without a word what it
 * does not keep): in both places. Whichever is left is read.
 */
export function bothStores(memory: StateStore, file: StateStore): StateStore {
  const clear = (): void => {
    memory.clear();
    file.clear();
  };
  return {
    prepare: memory.prepare,
    open: () => memory.open() ?? file.open(),
    fill: async (write) => {
      try {
        await memory.fill(write);
        const filled = memory.open();
        if (filled !== null) await file.fill((out) => pipeline(filled, out));
      } catch (error) {
        clear();
        throw error;
      }
    },
    clear,
  };
}

export function fileStore(directory: string): StateStore {
  const path = join(directory, STORED);
  return {
    prepare: () => true,
    open: () => (existsSync(path) ? openToRead(path) : null),
    fill: (write) => writeWhole(path, write),
    clear: () => rmSync(path, { force: true }),
  };
}
