// The keeper that is there and does not answer: the process that has the lock open whose pid stands in it.

import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { join } from 'node:path';

/** null: there is none, or it cannot be seen. */
export function lockHolder(runtime: string): number | null {
  try {
    const lock = join(realpathSync(runtime), 'lock');
    const pid = Number.parseInt(readFileSync(lock, 'utf8'), 10);
    const fds = `/proc/${pid}/fd`;
    return readdirSync(fds).some((fd) => targetOf(join(fds, fd)) === lock) ? pid : null;
  } catch {
    return null;
  }
}

function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return ''; // closed meanwhile
  }
}
