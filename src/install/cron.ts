// cron: a check of progress once a minute (lib/check.sh). The system's keeper gets a file of its own, since /etc/crontab is
// the administrator's; a user's keeper a line in that user's crontab. Pure.

import { join } from 'node:path';
import { cronCommand } from './quote.js';
import { keeperCommand, MARK, markOf, type Target, whereItSpeaks, withVariables } from './target.js';
import { type CronLine, startTextOf, type Way } from './way.js';

// No dot in the name: run-parts' rule, which Debian's cron applies to this directory too (cron(8)).
const FILE = '/etc/cron.d/upkeep';

export function cronWay(target: Target): Way {
  const { whose } = target;
  return {
    via: 'cron',
    files: whose === 'system' ? [{ path: FILE, text: cronFileText(target), mode: 0o644 }] : [],
    links: [],
    line: whose === 'system' ? null : cronLine(target),
    settle: [],
    start: ['/bin/sh', ...checkWords(target)],
    stop: null,
    beforeRemoval: [],
    afterRemoval: [],
    startText: startTextOf('cron', whose),
    keeps: 'cron looks every minute whether it makes progress, and starts it again when it does not',
    notes: [whereItSpeaks(target)],
  };
}

/** Its own file: a user field, SHELL and PATH set (cron's own PATH is /usr/bin:/bin), a newline at the end (crontab(5)). */
export function cronFileText(target: Target): string {
  return `# ${markOf(target)}; \`upkeep uninstall\` removes it.
SHELL=/bin/sh
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
* * * * * root ${checkCommand(target)}
`;
}

export function cronLine(target: Target): CronLine {
  const mark = `# ${MARK}, ${target.runtime}`;
  // sh takes the mark as a comment. Of paths with a % cron makes newlines, also there.
  return {
    text: `* * * * * ${checkCommand(target)} ${mark.replaceAll('%', '\\%')}`,
    mark: mark.replaceAll('%', '\\%'),
  };
}

/**
 * A crontab with this line in it once, at the place of an older variant of it; null: nothing is to be changed. `line` null
 * takes it out. Other lines stay byte for byte.
 */
export function mergeLine(crontab: string, mark: string, line: string | null): string | null {
  const lines = crontab === '' ? [] : crontab.replace(/\n$/, '').split('\n');
  const merged: string[] = [];
  let place: 'open' | 'taken' = line === null ? 'taken' : 'open';
  for (const one of lines) {
    if (!one.endsWith(mark) || one.trimStart().startsWith('#')) merged.push(one);
    else if (place === 'open' && line !== null) {
      merged.push(line);
      place = 'taken';
    }
  }
  if (place === 'open' && line !== null) merged.push(line);
  const text = merged.length === 0 ? '' : `${merged.join('\n')}\n`;
  return text === crontab ? null : text;
}

function checkWords(target: Target): readonly string[] {
  const { scripts, runtime, state, logs, environment } = target;
  return [join(scripts, 'check.sh'), runtime, state, logs, ...withVariables(environment, keeperCommand(target))];
}

const checkCommand = (target: Target): string => cronCommand(['/bin/sh', ...checkWords(target)]);
