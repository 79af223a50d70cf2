// Which ways a host has, and which one is taken when nobody says: the first that this host's own init would keep alive.

import { cronWay } from './cron.js';
import type { Ground } from './ground.js';
import { guardWay } from './guard.js';
import { systemdWay } from './systemd.js';
import { type LinkTool, sysvWay } from './sysv.js';
import type { Target } from './target.js';
import type { Via } from './via.js';
import type { Way } from './way.js';

/** The way, as this host would have it. */
export function wayFor(via: Via, target: Target, ground: Ground): Way {
  switch (via) {
    case 'systemd':
      return systemdWay(target, isSystemdRunning(target, ground) ? 'yes' : 'no');
    case 'cron':
      return cronWay(target);
    case 'sysv':
      return sysvWay(target, linkTool(ground));
    case 'guard':
      return guardWay(target);
  }
}

export function chooseVia(target: Target, ground: Ground): Via {
  if (isSystemdRunning(target, ground)) return 'systemd';
  if (isCronRunning(ground)) return 'cron';
  if (target.whose === 'system' && ground.has('/etc/init.d') && ground.programs().has('init')) return 'sysv';
  return 'guard';
}

/** Why this way cannot keep the keeper here; null: it can. `want`: also start it now, or write files alone. */
export function whyNot(via: Via, target: Target, ground: Ground, want: 'start' | 'files'): string | null {
  switch (via) {
    case 'systemd':
      if (want === 'files' || isSystemdRunning(target, ground)) return null;
      return target.whose === 'system'
        ? 'systemd does not run this host (there is no /run/systemd/system); `--no-start` writes its unit all the same, for an image or the next boot'
        : 'systemd has no manager for this user; log in by ssh or `machinectl shell`, not by su, or take `--via cron`';
    case 'cron':
      if (target.whose === 'user' && ground.program('crontab') === null) return 'there is no crontab(1) here';
      if (want === 'files' || isCronRunning(ground)) return null;
      return 'no cron daemon runs here, so nothing would look; start it, or take `--via guard`';
    case 'sysv':
      if (target.whose === 'user') return 'init scripts are for root; take `--via cron`, or `--via guard`';
      return ground.has('/etc/init.d') ? null : 'this host has no /etc/init.d';
    case 'guard':
      return null;
  }
}

/** sd_booted(3); for a user the manager's own socket. */
function isSystemdRunning({ whose, uid }: Target, ground: Ground): boolean {
  if (!ground.has('/run/systemd/system')) return false;
  return whose === 'system' || ground.has(`/run/user/${uid}/systemd/private`);
}

/** Debian's cron, cronie, dcron and busybox all go by one of these names. */
function isCronRunning(ground: Ground): boolean {
  const programs = ground.programs();
  return ['cron', 'crond', 'fcron'].some((name) => programs.has(name));
}

function linkTool(ground: Ground): LinkTool {
  if (ground.program('update-rc.d') !== null) return 'update-rc.d';
  return ground.program('chkconfig') !== null ? 'chkconfig' : 'none';
}
