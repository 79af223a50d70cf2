// The channel `file`: a line for each notice at the end of a file. It must not know who reads or rotates it.

import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { errorCode } from '../core/error-text.js';
import type { Letter } from '../core/notice.js';
import { iso } from '../core/time.js';
import { type Delivery, later, type Send } from './channel.js';
import { unlessAborted } from './connect.js';
import { lineOf } from './notice-line.js';

// O_NONBLOCK: a FIFO that nobody reads would wait for ever. O_RDWR, because the last byte is looked at.
const FLAGS = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const MODE = 0o640;
const NEWLINE = 0x0a;

/** Opened anew for each letter: whoever rotates the file has to tell nobody. */
export function fileSender(path: string): Send {
  /** Of an attempt that its deadline has left behind in a file system that hangs: no second thread shall hang there. */
  let hanging: 'yes' | 'no' = 'no';
  return async (letter, { signal, talk }) => {
    if (hanging === 'yes') return later(`${path}: its file system still hangs`);
    hanging = 'yes';
    const appending = append(path, textOf(letter), talk).finally(() => {
      hanging = 'no';
    });
    try {
      return await unlessAborted(appending, signal);
    } catch (error) {
      if (signal.aborted) return later(`${path} could not be written in time`);
      return later(whyNot(path, error));
    }
  };
}

const textOf = ({ host, notices }: Letter): string =>
  notices.map((notice) => `${iso(notice.time)} ${host} ${lineOf(notice)}\n`).join('');

async function append(path: string, text: string, talk: (line: string) => void): Promise<Delivery> {
  talk(`opening ${path}`);
  const file = await open(path, FLAGS, MODE);
  try {
    const stat = await file.stat();
    if (!stat.isFile()) return later(`${path} is no plain file`);
    // What a full disk has cut off is no part of our line.
    const bytes = Buffer.from((await endsInLine(file, stat.size)) ? text : `\n${text}`);
    // One call, so that the lines of others who write there stand between ours and not in them.
    const { bytesWritten } = await file.write(bytes);
    if (bytesWritten < bytes.length) return later(`${path}: no space is left`);
    await file.datasync();
    return { type: 'delivered', answer: `${bytesWritten} bytes written to ${path}` };
  } finally {
    await file.close();
  }
}

async function endsInLine(file: FileHandle, size: number): Promise<boolean> {
  if (size === 0) return true;
  const last = Buffer.alloc(1);
  const { bytesRead } = await file.read(last, 0, 1, size - 1);
  return bytesRead === 0 || last[0] === NEWLINE;
}

function whyNot(path: string, error: unknown): string {
  const code = errorCode(error);
  if (code === 'ELOOP') return `${path} is a link; name the file itself`;
  return `${path} cannot be written (${code})`;
}
