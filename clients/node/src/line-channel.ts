// One JSON object per line, each way, over a stream socket: how a generation and its manager speak during a hand-over. Owns the
// framing; which words there are is handover-words.ts.

import type { Duplex } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { Order, Word } from './handover-words.js';
import { orderIn, wordIn } from './handover-words.js';

/** No word is that long; a peer that sends no newline is no peer of ours. */
const LONGEST_LINE = 64 * 1024;

interface Side<In, Out> {
  readonly say: (word: Out) => boolean;
  /** One at a time: a new one takes the place of the old. */
  onWord: (word: In) => void;
  onEnd: () => void;
  readonly end: () => void;
}

/** A generation's side. */
export type ToManager = Side<Order, Word>;
/** A manager's side. */
export type ToGeneration = Side<Word, Order>;

export const toManager = (socket: Duplex, head?: Buffer): ToManager => sideOf<Order, Word>(socket, orderIn, head);
export const toGeneration = (socket: Duplex): ToGeneration => sideOf<Word, Order>(socket, wordIn);

function sideOf<In, Out>(socket: Duplex, parse: (value: unknown) => In | null, head?: Buffer): Side<In, Out> {
  let buffered = '';
  let isOver = false;
  const side: Side<In, Out> = {
    say: (word) => {
      const isOpen = !isOver && socket.writable;
      if (isOpen) socket.write(`${JSON.stringify(word)}\n`);
      return isOpen;
    },
    onWord: () => {},
    onEnd: () => {},
    end: () => socket.destroy(),
  };
  const over = (): void => {
    if (isOver) return;
    isOver = true;
    socket.destroy();
    side.onEnd();
  };
  const heard = (text: string): void => {
    buffered += text;
    const lines = buffered.split('\n');
    buffered = lines.pop() ?? '';
    for (const line of lines) {
      const word = parse(valueIn(line));
      if (word !== null) side.onWord(word);
    }
    if (buffered.length > LONGEST_LINE) over();
  };
  socket.on('data', (bytes: Buffer) => heard(decoder.write(bytes)));
  socket.on('error', over);
  socket.on('end', over);
  socket.on('close', over);
  const decoder = new StringDecoder('utf8');
  if (head !== undefined && head.length > 0) queueMicrotask(() => heard(decoder.write(head)));
  return side;
}

/** What is no JSON is no word. */
function valueIn(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
