// Opens what a manager names for a state to go through: a FIFO between two generations, or a file from one to the next.

import {
  constants,
  createReadStream,
  createWriteStream,
  fstatSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';

const { O_RDONLY, O_WRONLY, O_CREAT, O_NONBLOCK, O_NOFOLLOW } = constants;

/** How often to look whether the reader has come. */
const LOOK_MS = 5;

/**
 * Waits for the reader of a FIFO, as long as `signal` lets it. Not by an open that blocks: nobody can take that back, and it would
 * keep a thread of the pool for ever. @throws Error
 */
export async function openToWrite(path: string, signal: AbortSignal): Promise<Writable> {
  let fd = writerOf(path);
  while (fd === null) {
    await pause(LOOK_MS, null, { signal });
    fd = writerOf(path);
  }
  const out = fstatSync(fd).isFIFO() ? new Socket({ fd, readable: false }) : emptied(path, fd);
  // Whoever writes hears of it by its own call.
  return out.on('error', () => {});
}

/** All of it is out of our hands: in a file it is there, and the reader of a FIFO sees the end. */
export async function closed(out: Writable): Promise<void> {
  const isClosed = finished(out, { readable: false }).catch(() => {});
  // end() would shut a FIFO down like a socket, which it is not.
  if (out instanceof Socket) out.destroy();
  else out.end();
  await isClosed;
}

/** A file that is there with all of it, or not at all. @throws Error */
export async function writeWhole(path: string, write: (out: Writable) => Promise<unknown>): Promise<void> {
  const draft = `${path}.new`;
  try {
    const out = await openToWrite(draft, new AbortController().signal);
    await write(out);
    await closed(out);
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

export function openToRead(path: string): Readable {
  // Without O_NONBLOCK the open would wait for the writer. Linux tells a reader of the end only once a writer has been there.
  const fd = openSync(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  return fstatSync(fd).isFIFO() ? new Socket({ fd, writable: false }) : createReadStream(path, { fd });
}

function emptied(path: string, fd: number): Writable {
  ftruncateSync(fd, 0);
  return createWriteStream(path, { fd });
}

/** Null: nobody reads this FIFO yet. */
function writerOf(path: string): number | null {
  try {
    return openSync(path, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOFOLLOW, 0o600);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENXIO') return null;
    throw error;
  }
}
