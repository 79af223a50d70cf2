// How many descriptors a process has open. It must not know how many are too many.

import { statSync } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { saysEnded } from './processes-of.js';

/**
 * null: not for us to see; 0 when it has gone. Since 6.2 the kernel tells everybody the number as the size of the directory,
 * in 5 µs; before, whoever may read the names counts them.
 */
export async function openFilesOf(pid: number): Promise<number | null> {
  const directory = `/proc/${pid}/fd`;
  try {
    return statSync(directory).size || (await countNames(directory));
  } catch (error) {
    return saysEnded(error) ? 0 : null;
  }
}

/** In portions: there may be a million. */
export async function countNames(directory: string): Promise<number> {
  let count = 0;
  for await (const _ of await opendir(directory, { bufferSize: 1024 })) count += 1;
  return count;
}
