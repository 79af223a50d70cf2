// systemd: a unit, and the link that `systemctl enable` would make. Pure.

import { join } from 'node:path';
import { systemdVariable, systemdWord } from './quote.js';
import { keeperCommand, markOf, type Target } from './target.js';
import { startTextOf, type Way } from './way.js';

const UNIT = 'upkeep.service';

export function systemdWay(target: Target, running: 'yes' | 'no'): Way {
  const { whose, configHome, user } = target;
  const isSystem = whose === 'system';
  const folder = isSystem ? '/etc/systemd/system' : join(configHome, 'systemd/user');
  const path = join(folder, UNIT);
  const systemctl = (...words: readonly string[]) => ['systemctl', ...(isSystem ? [] : ['--user']), ...words];
  return {
    via: 'systemd',
    files: [{ path, text: unitText(target), mode: 0o644 }],
    // By our own hand: `systemctl enable` does no more, and does it silently differently in a chroot and in an image.
    links: [{ path: join(folder, `${wantedBy(target)}.wants`, UNIT), target: path }],
    line: null,
    settle: running === 'yes' ? [systemctl('daemon-reload')] : [],
    start: systemctl('start', UNIT),
    stop: running === 'yes' ? systemctl('stop', UNIT) : null,
    beforeRemoval: [],
    afterRemoval: running === 'yes' ? [systemctl('reset-failed', UNIT), systemctl('daemon-reload')] : [],
    startText: startTextOf('systemd', whose),
    keeps: 'systemd starts it again at once when it ends, and when it makes no progress for 30 s',
    notes: isSystem
      ? []
      : [
          `systemd ends your manager, and with it the services, at your last logout; \`loginctl enable-linger ${user}\` keeps it`,
        ],
  };
}

const wantedBy = ({ whose }: Target): string => (whose === 'system' ? 'multi-user.target' : 'default.target');

export function unitText(target: Target): string {
  const { whose, node, program, runtime, state, logs, environment } = target;
  const run = keeperCommand(target).map(systemdWord).join(' ');
  const upgrade = [node, program, 'upgrade', `--${whose}`].map(systemdWord).join(' ');
  const variables = Object.entries({ UPKEEP_OWNER: 'systemd', ...environment });
  return `# ${markOf(target)}; \`upkeep uninstall\` removes it.
# \`systemctl edit upkeep\` is the place for changes: the next \`upkeep install\` writes this file anew.

[Unit]
Description=Upkeep, the service keeper
# Its places, and the users of services, may come from elsewhere. It waits by itself for the host to finish booting.
After=remote-fs.target nss-user-lookup.target
# Nobody else brings it back, so systemd never gives up.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart=${run}
# Replaces the keeper by the program on disk, in the same process.
ExecReload=${upgrade}
${variables.map(([name, value]) => `Environment=${systemdVariable(name, value)}`).join('\n')}

# However it ends; but \`upkeep shutdown\` ends it with status 100, and then it stays down.
Restart=always
RestartSec=100ms
RestartPreventExitStatus=100
SuccessExitStatus=100
# No RestartSteps=: its count never goes down again, so the keeper of a year would come back late.

# A keeper that makes no progress is replaced. SIGKILL, since a stopped process does not hear SIGABRT, and systemd would wait
# for TimeoutStopSec.
WatchdogSec=30s
WatchdogSignal=SIGKILL

# Only the keeper is ever signalled: the services go on, and the next keeper takes charge of them. At shutdown it
# stops them itself, in order, each within its own limits; hence the long timeout.
KillMode=process
TimeoutStopSec=5min
# It makes control groups for its services below its own.
Delegate=yes
# The limit would count all processes of all services.
TasksMax=infinity
# A service that is killed for want of memory is the keeper's business, not a reason to end the keeper.
OOMPolicy=continue
${whose === 'system' ? '# The last to go when memory runs out. Services get what they would have without it.\nOOMScoreAdjust=-900\n' : ''}# Services inherit it: systemd's own values. The keeper raises its own.
LimitNOFILE=1024:524288
# Listening sockets that it holds for services outlive it here.
FileDescriptorStoreMax=1024
# No ProtectSystem=, PrivateTmp= and the like: the services would inherit them.

# places: ${[runtime, state, logs].join(' ')}

[Install]
WantedBy=${wantedBy(target)}
`;
}

/** Where packages put a unit of this name: not ours, and in our way. */
export const packagedUnits = (whose: 'system' | 'user'): readonly string[] =>
  ['/usr/local/lib', '/usr/lib', '/lib'].map((lib) => join(lib, 'systemd', whose, UNIT));
