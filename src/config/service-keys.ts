// The table of what may be said of a service: the source of reading, defaults, JSON Schema, `upkeep help` and the
// reference page. A new key is one entry here and one line in service.ts.

import { account, bits, duration } from './amounts.js';
import { classExpression } from './class-expression.js';
import { clean, directories } from './clean-state.js';
import { commandWithin, foreground } from './command.js';
import { needs, serviceRefs } from './coupling.js';
import { fdStore, handover, notify, watchdog } from './handover.js';
import { heartbeats } from './heartbeat.js';
import { hooks } from './hooks.js';
import { MOST_INSTANCES } from './instances.js';
import { log } from './log.js';
import { ready } from './ready.js';
import { defaulted, optional, record } from './record.js';
import { restart } from './restart.js';
import { SERVICE_NAME } from './service-name.js';
import { capabilities, env, envFiles, inheritEnv, limits, memory } from './settings.js';
import { integer, type Keys, leafShape, line, listOf, oneOf, path, word, yesNo } from './shape.js';
import { sockets } from './sockets.js';
import { reload, stop } from './stop.js';
import { watch } from './watch.js';

const url = leafShape('a URL like https://wiki.example.org/web', { type: 'string', format: 'uri' }, (text) =>
  /^[a-z][a-z0-9+.-]*:\S+$/i.test(text) && URL.canParse(text)
    ? { type: 'ok', value: text }
    : { type: 'bad', problem: 'is no URL; write one like https://wiki.example.org/web' },
);

const tags = listOf(word('a word like web', SERVICE_NAME), 'single');
const names = listOf(word('the name of a template', SERVICE_NAME), 'single');

export const serviceKeys = {
  extends: optional(names, 'Templates that it is made from, from left to right; what it says itself counts last.'),
  run: optional(foreground, 'The command that Upkeep starts and owns, in the foreground.', 'supervised'),
  watch: optional(
    watch,
    'The daemon that something else starts: a path or glob of its executable or script, its name, its command line or its pid file.',
    'watched',
  ),
  description: optional(line('one line of text'), 'One line for people, shown in the status, mails and cards.'),
  runbook: optional(url, 'Where it is written what to do, shown in mails and cards.'),
  tags: defaulted(tags, '[]', 'Words to select it by, as @tag in commands.'),
  hosts: defaulted(classExpression, 'any', 'On which hosts it applies, as a class expression.'),
  desired: defaulted(oneOf('up', 'down'), 'up', '`down`: defined, not started.'),
  oneshot: defaulted(
    yesNo,
    'false',
    'It does its work and ends: exit 0 is success, state `done`, good enough for `needs`. `ready: {timeout: 5m}` limits how long it may work; else nothing does.',
    'supervised',
  ),
  instances: defaulted(
    integer(1, MOST_INSTANCES),
    '1',
    'So many members NAME@1, NAME@2 and so on, each with its number in UPKEEP_INSTANCE and for `%i` in its settings (`%%` is a percent sign then); the plain name means all of them.',
    'supervised',
  ),
  needs: defaulted(
    needs,
    '[]',
    'Services without which it cannot be. It starts when they are ready (or `done`); when one ends, this is stopped, and starts again by itself. A list is short for a map, so what defaults, templates and the service say adds up.',
  ),
  wants: defaulted(
    serviceRefs,
    '[]',
    'Services that are started too, and that it starts after, but that it can live without.',
  ),
  after: defaulted(serviceRefs, '[]', 'Services that it starts after where both start, and ends before. Order only.'),
  restartWith: defaulted(
    serviceRefs,
    '[]',
    'When one of these ends for any reason, this is stopped gracefully and started again, once per wave.',
  ),
  start: optional(
    commandWithin('90s'),
    'What brings the daemon back; it may daemonize as it likes. Without it, it is watched and told of, not acted on.',
    'watched',
  ),
  stop: defaulted(
    stop,
    '{}',
    'Signals, each with a wait; for a watched service also a command. A watched service gets SIGTERM at its main process and SIGKILL only if it stands here.',
  ),
  restartCommand: optional(commandWithin('90s'), 'How it is restarted; else it is stopped, then started.', 'watched'),
  reload: optional(
    reload,
    'How it is made to read its settings again: a signal like SIGHUP, or a command. With `notify: true` it says by sd_notify when it has.',
  ),
  settle: defaulted(
    duration,
    '5s',
    'How long an end that somebody may have wanted is given to come back by itself before `start` runs.',
    'watched',
  ),
  leftovers: defaulted(
    oneOf('kill', 'stop', 'leave'),
    { supervised: 'kill', watched: 'leave' },
    'What happens to descendants of a dead main process before the next start.',
  ),
  user: optional(account, 'Who it runs as; always changed together with its groups. Without it: as the keeper.'),
  group: optional(account, "Its group, instead of the user's own."),
  groups: optional(listOf(account, 'single'), 'Its further groups, instead of those of the group database.'),
  cwd: defaulted(path(), '/', 'The directory that it is started in.'),
  umask: defaulted(bits, '022', 'The permission bits that its new files lack, in octal.'),
  env: defaulted(env, '{}', 'Variables, each taken as it is written.'),
  envFile: defaulted(
    envFiles,
    '[]',
    'Files of NAME=value lines, read anew at each start; with a leading - one may be missing.',
  ),
  inheritEnv: defaulted(
    inheritEnv,
    '[]',
    "Names of the keeper's variables that it gets, or `all`; else PATH, HOME, USER, LOGNAME, SHELL, LANG and TZ of its user alone.",
  ),
  limits: defaulted(
    limits,
    '{}',
    'Resource limits like {nofile: 65536, core: none}; the others are those from before the keeper changed its own.',
  ),
  nice: optional(integer(-20, 19), 'Its scheduling priority.'),
  oomScoreAdjust: optional(integer(-1000, 1000), 'How readily the kernel kills it when memory is short.'),
  noNewPrivileges: defaulted(yesNo, 'false', 'Neither it nor what it starts gains privileges, as by setuid programs.'),
  capabilities: optional(capabilities, 'The capabilities that it may have at most, like [net_bind_service].'),
  memory: optional(memory, 'Over this size the whole service is killed, where a cgroup can do it.'),
  directories: defaulted(
    directories,
    '[]',
    'Directories that are made before each start, owned by its user. Links and foreign owners are refused.',
  ),
  clean: defaulted(
    clean,
    '[]',
    'Sockets, FIFOs and regular files that are removed before each start when no living process of the service has them.',
  ),
  hooks: defaulted(hooks, '{}', 'Commands before and after it starts and stops, and whether it is started at all.'),
  ready: defaulted(ready, '{}', 'When a start counts.'),
  restart: defaulted(restart, '{}', 'Whether, when and how often it is started again.'),
  heartbeat: optional(
    heartbeats,
    'What it is asked on a schedule while it runs: whether it does its work. One question, or a list of them.',
  ),
  log: defaulted(log, '{}', 'Where it writes.'),
  logFrom: optional(path(), 'The log file that the daemon writes itself, for `upkeep logs` and `why`.', 'watched'),
  sockets: optional(
    sockets,
    'Sockets that Upkeep listens on for it, by the names that LISTEN_FDNAMES gives them. They are passed as systemd does it, from descriptor 3, and held over its restarts and deaths. Members of `instances` share them.',
    'supervised',
  ),
  fdStore: defaulted(
    fdStore,
    '0',
    'How many descriptors it may keep with Upkeep (FDSTORE=1 of sd_notify), to be given them again at its next start.',
    'supervised',
  ),
  handover: defaulted(
    handover,
    '{}',
    'How `upkeep restart` replaces it: after it has ended, or by a new generation beside it. A word is short for `mode`.',
    'supervised',
  ),
  watchdog: optional(
    watchdog,
    'It says WATCHDOG=1 by sd_notify at least this often; when it does not, it gets SIGABRT, and `restart` decides. `none`: it need not.',
    'supervised',
  ),
  notify: optional(
    notify,
    'Whose words by sd_notify count: of nobody, of the `main` process, of hooks and commands too (`exec`), or of `all` its processes. Without it: what `ready: {notify: exec}` says, else `main` where `ready`, `watchdog`, `fdStore`, `reload` or `handover: overlap` needs it, else `none`.',
    'supervised',
  ),
} as const satisfies Keys;

/** A service, or a part of one. */
export const service = record('a map of settings with `run` or `watch`', serviceKeys);
