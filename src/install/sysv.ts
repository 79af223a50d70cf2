// System V init: a script with an LSB header that starts the keeper below its guard, and the links of the run levels. Pure.

import { join } from 'node:path';
import { guardStart } from './guard.js';
import { shellWord } from './quote.js';
import { markOf, type Target, whereItSpeaks, withVariables } from './target.js';
import { type Command, startTextOf, type Way } from './way.js';

const SCRIPT = '/etc/init.d/upkeep';

/** What arranges the links of the run levels here; `none`: we make them. */
export type LinkTool = 'update-rc.d' | 'chkconfig' | 'none';

export function sysvWay(target: Target, tool: LinkTool): Way {
  return {
    via: 'sysv',
    files: [{ path: SCRIPT, text: scriptText(target), mode: 0o755 }],
    links: tool === 'none' ? runLevelLinks() : [],
    line: null,
    settle: settleWith(tool),
    start: [SCRIPT, 'start'],
    stop: null,
    beforeRemoval: removalWith(tool),
    afterRemoval: [],
    startText: startTextOf('sysv', target.whose),
    keeps: 'its guard starts it again at once when it ends, and the init system starts the guard at boot',
    notes: [whereItSpeaks(target)],
  };
}

function settleWith(tool: LinkTool): readonly Command[] {
  switch (tool) {
    case 'update-rc.d':
      return [['update-rc.d', 'upkeep', 'defaults']];
    case 'chkconfig':
      return [['chkconfig', '--add', 'upkeep']];
    case 'none':
      return [];
  }
}

function removalWith(tool: LinkTool): readonly Command[] {
  switch (tool) {
    case 'update-rc.d':
      // -f: while the script is still there, which chkconfig needs and this does not mind.
      return [['update-rc.d', '-f', 'upkeep', 'remove']];
    case 'chkconfig':
      return [['chkconfig', '--del', 'upkeep']];
    case 'none':
      return [];
  }
}

/** The last to start, the first to end: what it keeps may need everything else. */
const runLevelLinks = (): Way['links'] => [
  ...[2, 3, 4, 5].map((level) => ({ path: `/etc/rc${level}.d/S99upkeep`, target: '../init.d/upkeep' })),
  ...[0, 1, 6].map((level) => ({ path: `/etc/rc${level}.d/K01upkeep`, target: '../init.d/upkeep' })),
];

export function scriptText(target: Target): string {
  const { runtime, state, scripts, node, program, environment, whose } = target;
  const upgrade = withVariables(environment, [node, program, 'upgrade', `--${whose}`])
    .map(shellWord)
    .join(' ');
  return `#!/bin/sh
# ${markOf(target)}; \`upkeep uninstall\` removes it.
### BEGIN INIT INFO
# Provides:          upkeep
# Required-Start:    $local_fs $remote_fs
# Required-Stop:     $local_fs $remote_fs
# Should-Start:      $all
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: Upkeep, the service keeper
# Description:       Keeps services up. Its own end leaves them alone, unless the host is going down.
### END INIT INFO
# chkconfig: 2345 99 01
# description: Upkeep, the service keeper

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
runtime=${shellWord(runtime)}

# A pid from a file is believed only when that process is our guard.
guard() {
  read -r pid 2>/dev/null <"$runtime/guard.pid" || return 1
  tr '\\0' '\\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -qxF ${shellWord(join(scripts, 'guard.sh'))} || return 1
  echo "$pid"
}

start() {
  if guard >/dev/null; then return 0; fi
  # Started by a person or at boot: whoever stopped it on purpose did so before.
  rm -f ${shellWord(join(state, 'stopped'))}
  ${guardStart(target, 'sysv').map(shellWord).join(' ')}
}

# The guard passes the signal on and ends with its keeper. The services go on, unless the host is going down: then the
# keeper stops them first, hence the long wait.
stop() {
  pid=$(guard) || return 0
  kill -TERM "$pid" 2>/dev/null
  tries=600
  while guard >/dev/null; do
    tries=$((tries - 1))
    if [ "$tries" = 0 ]; then
      echo "upkeep: the guard (pid $pid) does not end; \\\`kill -9 $pid\\\`, then its keeper" >&2
      return 1
    fi
    sleep 0.5
  done
  rm -f "$runtime/guard.pid"
}

case "\${1:-}" in
  start) start ;;
  stop) stop ;;
  restart) stop && start ;;
  # Replaces the keeper by the program on disk; no service notices.
  reload | force-reload) exec ${upgrade} ;;
  status)
    if pid=$(guard); then
      echo "upkeep is running (guard $pid)"
    else
      echo 'upkeep is not running'
      exit 3
    fi
    ;;
  *)
    echo "Usage: $0 start|stop|restart|reload|force-reload|status" >&2
    exit 2
    ;;
esac
`;
}
