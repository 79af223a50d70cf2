// Tells when a pid file may have changed: by inotify on its directory, and once a second while that cannot be watched (it
// is often made by the daemon itself). It must not know what the file says.

import { existsSync, type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

// A file is there before its text is.
const SETTLE_MS = 10;
const POLL_MS = 1000;

/** Calls back after each change, and now and then without one, until closed. Never from within this call. */
export function watchPidFile(path: string, onChange: () => void): { close(): void } {
  const directory = dirname(path);
  const name = basename(path);
  let watcher: FSWatcher | null = null;
  let timer: NodeJS.Timeout | null = null;

  const later = (delay: number, then: () => void): void => {
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(() => {
      timer = null;
      then();
    }, delay);
  };
  const poll = (): void =>
    later(POLL_MS, () => {
      begin();
      onChange();
    });
  const giveUp = (): void => {
    watcher?.close();
    watcher = null;
    poll();
  };
  const begin = (): void => {
    try {
      watcher = watch(directory, (_event, changed) => {
        // Its own removal is told under the directory's own name.
        if (changed !== name && !existsSync(directory)) giveUp();
        else if (changed === name || changed === null) later(SETTLE_MS, onChange);
      });
      watcher.on('error', giveUp);
    } catch {
      poll(); // no such directory yet, or no watches left (fs.inotify.max_user_watches)
    }
  };
  begin();
  return {
    close: () => {
      if (timer !== null) clearTimeout(timer);
      watcher?.close();
    },
  };
}
