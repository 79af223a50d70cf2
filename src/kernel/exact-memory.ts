// What processes hold together, each page that they share counted once: the kernel divides it among those who have it mapped.
// It must not know who asks, nor why.

import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { bytesIn } from './kilobytes.js';
import { saysEnded } from './processes-of.js';

/** The kernel walks all pages for it, 25 ms a gigabyte, and waits for whoever changes the memory map. */
const PATIENCE_MS = 2000;

/** A read that has not come back holds one of the few threads for files: then there is no second one. */
let underWay: Promise<unknown> | null = null;

/** Bytes that are in no file, swapped out or not; null: may not be read, or not in time. */
export async function exactMemoryOf(pids: Iterable<number>): Promise<number | null> {
  let sum = 0;
  for (const pid of pids) {
    const held = await soon(pid);
    if (held === null) return null;
    sum += held;
  }
  return sum;
}

async function soon(pid: number): Promise<number | null> {
  if (underWay !== null) return null;
  const reading = read(pid).finally(() => {
    underWay = null;
  });
  underWay = reading;
  const patience = new AbortController();
  try {
    return await Promise.race([reading, sleep(PATIENCE_MS, null, { signal: patience.signal })]);
  } finally {
    patience.abort();
  }
}

/** 0 when it has gone. */
async function read(pid: number): Promise<number | null> {
  try {
    return heldIn(await readFile(`/proc/${pid}/smaps_rollup`, 'latin1'));
  } catch (error) {
    return saysEnded(error) ? 0 : null;
  }
}

/** By the text of that file; null where the kernel does not tell them apart, before 5.4. */
export function heldIn(rollup: string): number | null {
  const parts = ['Pss_Anon', 'Pss_Shmem', 'SwapPss'].map((name) =>
    bytesIn(new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(rollup)?.[1]),
  );
  return parts.reduce<number | null>((sum, part) => (sum === null || part === null ? null : sum + part), 0);
}
