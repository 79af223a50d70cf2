// The keeper's own log as this process has it: on a terminal or in a file, under systemd, or from cron.

import type { Level } from '../core/message.js';
import { Syslog } from '../kernel/syslog.js';
import { KeeperLog } from '../logs/keeper-log.js';

/** `once`: a look from cron, which mails what it gets to see: nothing, when there was nothing to do. */
export type Mode = 'keep' | 'once';

export function openLog(mode: Mode): KeeperLog {
  const syslog = new Syslog('/dev/log', `upkeep[${process.pid}]`);
  const underSystemd = process.env.JOURNAL_STREAM !== undefined;
  const least: Level = process.env.UPKEEP_LOG === 'debug' ? 'debug' : mode === 'once' ? 'warning' : 'info';
  return new KeeperLog({
    fd: 2,
    form: underSystemd ? 'journal' : 'plain',
    // The journal passes our stderr on to syslog: twice would be once too often.
    syslog: underSystemd ? null : (severity, line) => syslog.write(severity, line),
    least,
    now: () => new Date(),
  });
}
