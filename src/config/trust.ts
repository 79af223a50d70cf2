// Files that are read later and must be as trustworthy as the configuration that names them: env files and secrets.

import type { Disk } from './disk.js';
import { heartbeatsIn } from './heartbeat.js';
import { type Who, whyNotTrusted } from './ownership.js';
import type { Problems } from './problem.js';
import { type Leaf, type Tree, valueAt } from './tree.js';

/** Reports every file of these that somebody else could change. */
export function checkTrust(key: string, files: readonly Leaf[], who: Who, disk: Disk, problems: Problems): void {
  for (const file of files) {
    const path = file.text.replace(/^-/, '');
    if (!path.startsWith('/')) continue;
    try {
      const distrust = whyNotTrusted(path, who, disk);
      if (distrust !== null) problems.report(file.at, key, distrust);
    } catch {
      // Unreadable now is no reason to refuse the configuration: it is read, and judged again, when it is needed.
    }
  }
}

/** The env files of one service. */
export function envFilesOf(effective: Tree): readonly Leaf[] {
  const files = valueAt(effective, 'envFile');
  return files?.type === 'list' ? files.items.filter((item) => item.type === 'leaf') : [];
}

/** The files of all `{file: PATH}` secrets below `notices`; the file that a channel writes is none. */
export function secretFilesOf(notices: Tree | null): readonly Leaf[] {
  const channels = valueAt(notices ?? undefined, 'channels');
  if (channels?.type !== 'dict') return [];
  return channels.entries.flatMap(({ value }) => {
    const password = valueAt(valueAt(valueAt(value, 'mail'), 'via'), 'password');
    const url = valueAt(valueAt(value, 'webhook'), 'url');
    const files = [valueAt(password, 'file'), valueAt(url, 'file')];
    return files.filter((file) => file?.type === 'leaf');
  });
}

/** The files of the secrets that the heartbeats of one service are asked with. */
export function heartbeatSecretsOf(effective: Tree): readonly Leaf[] {
  return heartbeatsIn(valueAt(effective, 'heartbeat')).flatMap((heartbeat) => {
    const logins = [heartbeat, valueAt(heartbeat, 'auth'), valueAt(heartbeat, 'bind')];
    const files = logins.map((login) => valueAt(valueAt(login, 'password'), 'file'));
    return files.filter((file) => file?.type === 'leaf');
  });
}
