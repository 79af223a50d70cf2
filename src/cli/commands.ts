// The commands, in one table: the parser, the help and the completion are made of it. What they do is in verbs.ts.

export interface Command {
  readonly name: string;
  readonly alias: string | null;
  readonly summary: string;
  /** Its words, as commander writes them: `[NAME...]`. */
  readonly words: readonly Word[];
  readonly options: readonly Option[];
  readonly group: Group;
}

export interface Word {
  readonly usage: string;
  readonly completes: Completes;
}

export interface Option {
  readonly flags: string;
  /** Empty: the option is between our own programs, and nobody is told of it. */
  readonly summary: string;
  /** What its value may be; null: it has none. */
  readonly completes: Completes | null;
}

/** What a shell offers in its place. */
export type Completes = 'service' | 'heartbeat' | 'channel' | 'file' | 'nothing' | readonly string[];

export type Group = 'keeper' | 'look' | 'act' | 'configuration' | 'more' | 'hidden';

const option = (flags: string, summary: string, completes: Completes | null = null): Option => ({
  flags,
  summary,
  completes,
});

const SYSTEM = [option('--system', "talk to the system's keeper"), option('--user', 'talk to your own keeper')];
const JSON_OUT = option('--json', 'print JSON, and nothing else, on stdout');
const ALL = option('--all', 'all services');
const SINCE = option('--since <T>', 'from a time on: 2h ago as 2h, or 2026-11-20T10:00', ['10m', '1h', '1d']);
const CONFIG = option('--config <FILE>', 'the configuration (also UPKEEP_CONFIG)', 'file');
const REASON = option('--reason <TEXT>', 'why; it is recorded and shown', 'nothing');
const WAYS: Completes = ['systemd', 'cron', 'sysv', 'guard'];
const LENGTHS: Completes = ['30m', '2h', '1d'];
const names: Word = { usage: '[NAME...]', completes: 'service' };
const WAITING = [
  option('--no-wait', 'ask, and do not wait for what comes of it'),
  option('--timeout <D>', 'wait so long at most, like 30s; then it goes on without being watched', [
    '10s',
    '30s',
    '2m',
  ]),
  JSON_OUT,
];

const act = (name: string, summary: string, options: readonly Option[]): Command => ({
  name,
  alias: null,
  summary,
  words: [names],
  options: [ALL, ...options, ...WAITING, ...SYSTEM],
  group: 'act',
});

export const commands: readonly Command[] = [
  {
    name: 'run',
    alias: null,
    summary: 'the keeper, in the foreground',
    words: [{ usage: '[COMMAND...]', completes: 'nothing' }],
    options: [
      CONFIG,
      option('--leave', 'at its end the services go on, unless the host is going down'),
      option('--strict', 'do not start with a broken configuration, also where there is a last good one'),
      option('--rehearse', ''),
      option('--exit-with <NAME>', 'end with this service, and with its exit code', 'nothing'),
      ...SYSTEM,
    ],
    group: 'keeper',
  },
  {
    name: 'shutdown',
    alias: null,
    summary: 'end the keeper, and its services in order',
    words: [],
    options: [option('--leave', 'the services go on'), ...SYSTEM],
    group: 'keeper',
  },
  {
    name: 'upgrade',
    alias: null,
    summary: 'replace the running keeper by the program on disk; services do not notice',
    words: [],
    options: [...SYSTEM],
    group: 'keeper',
  },
  {
    name: 'install',
    alias: null,
    summary: 'keep the keeper alive: by systemd, cron, an init script or a guard',
    words: [],
    options: [
      option('--via <WAY>', 'systemd, cron, sysv or guard (the first that this host has)', WAYS),
      option('--dry-run', 'say what would be written and run, and do nothing'),
      option('--no-start', 'write the files, and start nothing now'),
      CONFIG,
      ...SYSTEM,
    ],
    group: 'keeper',
  },
  {
    name: 'uninstall',
    alias: null,
    summary: 'take away what `install` wrote, and end the keeper; the services go on',
    words: [],
    options: [
      option('--via <WAY>', 'systemd, cron, sysv or guard (the one that was installed)', WAYS),
      option('--dry-run', 'say what would be removed and run, and do nothing'),
      ...SYSTEM,
    ],
    group: 'keeper',
  },
  {
    name: 'once',
    alias: null,
    summary: 'look at everything, repair, report and end; for cron',
    words: [],
    options: [CONFIG, ...SYSTEM],
    group: 'keeper',
  },
  {
    name: 'status',
    alias: 'ls',
    summary: 'how everything is; with one NAME a card',
    words: [names],
    options: [
      JSON_OUT,
      option('-w, --watch', 'go on showing it until Ctrl-C'),
      option('-a, --all', 'also services that are not for this host, with the reason'),
      option('-q, --quiet', 'print nothing: the exit code says it'),
      option('--keeper', 'the keeper itself, and what is missing on this host'),
      ...SYSTEM,
    ],
    group: 'look',
  },
  {
    name: 'why',
    alias: null,
    summary: 'why it is as it is, what changes that, and how it last died',
    words: [names],
    options: [option('-a, --all', 'also how it died before, as far back as the history goes'), JSON_OUT, ...SYSTEM],
    group: 'look',
  },
  {
    name: 'graph',
    alias: null,
    summary: 'who needs whom; with NAMEs what has to do with them',
    words: [names],
    options: [
      option('--dot', 'in the language of Graphviz: upkeep graph --dot | dot -Tsvg'),
      JSON_OUT,
      option('--config <FILE>', 'of this file, not of what the keeper keeps', 'file'),
      ...SYSTEM,
    ],
    group: 'look',
  },
  {
    name: 'history',
    alias: null,
    summary: 'what happened, and who asked for it',
    words: [names],
    options: [
      option('-n, --lines <N>', 'the last N entries, or all (50; with --since all)', ['10', '100', 'all']),
      option('-f, --follow', 'go on with what happens'),
      SINCE,
      option('--incident <ID>', 'what belongs to this incident', 'nothing'),
      option('--by <USER>', 'what this user asked for or did', 'nothing'),
      option('-a, --all', 'also the small steps that nobody is told of'),
      JSON_OUT,
      ...SYSTEM,
    ],
    group: 'look',
  },
  {
    name: 'logs',
    alias: null,
    summary: 'what services printed, with times',
    words: [names],
    options: [
      option('-n, --lines <N>', 'the last N lines, or all (50; with --since all)', ['10', '100', 'all']),
      option('-f, --follow', 'go on with what comes'),
      SINCE,
      option('--raw', 'the bytes as they were written, without times and names'),
      option('--json', 'each line as JSON: time, service, text'),
      ALL,
      ...SYSTEM,
    ],
    group: 'look',
  },
  {
    name: 'wait',
    alias: null,
    summary: 'wait until services are ready, healthy or stopped; for scripts',
    words: [names],
    options: [
      option('--for <WHAT>', 'ready, healthy or stopped (ready)', ['ready', 'healthy', 'stopped']),
      option('--timeout <D>', 'wait so long at most', ['10s', '30s', '2m']),
      JSON_OUT,
      ALL,
      ...SYSTEM,
    ],
    group: 'look',
  },
  act('start', 'start services that are down', [REASON]),
  act('stop', 'stop services; they stay down until started, also over a reboot', [
    option('--for <D>', 'only so long', LENGTHS),
    option('--until-boot', 'only until the next boot'),
    option('-y, --yes', 'do not ask, also where others need it'),
    REASON,
  ]),
  act('restart', 'stop and start services; those with `handover: overlap` without a gap', [REASON]),
  act('reload', 'have services read their settings anew, and wait where they say when that is done', []),
  act('hold', 'watch and record, but do not start, stop or tell', [
    option('--for <D>', 'only so long', LENGTHS),
    REASON,
  ]),
  act('unhold', 'end a hold', []),
  act('reset', 'forget failures and delays, and try now', []),
  {
    name: 'ack',
    alias: null,
    summary: 'take note of an incident: no more reminders of it',
    words: [{ usage: '<NAME|INCIDENT>', completes: 'service' }],
    options: [REASON, JSON_OUT, ...SYSTEM],
    group: 'act',
  },
  {
    name: 'signal',
    alias: null,
    summary: 'send a signal to the main process of a service',
    words: [
      { usage: '<NAME>', completes: 'service' },
      {
        usage: '<SIG>',
        completes: ['SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGKILL', 'SIGSTOP', 'SIGCONT'],
      },
    ],
    options: [JSON_OUT, ...SYSTEM],
    group: 'act',
  },
  {
    name: 'check',
    alias: null,
    summary: 'is the configuration right? all mistakes at once',
    words: [{ usage: '[FILE]', completes: 'file' }],
    options: [
      option('--as <HOST>', 'check it for another host', 'nothing'),
      option('--class <CLASSES>', 'classes that are set there: debian,web', 'nothing'),
      JSON_OUT,
      CONFIG,
      ...SYSTEM,
    ],
    group: 'configuration',
  },
  {
    name: 'plan',
    alias: null,
    summary: 'what applying the configuration would change',
    words: [{ usage: '[FILE]', completes: 'file' }],
    options: [JSON_OUT, ...SYSTEM],
    group: 'configuration',
  },
  {
    name: 'apply',
    alias: null,
    summary: 'read the configuration anew, and change just what differs',
    words: [],
    options: [option('-y, --yes', 'do not ask, however many restarts it takes'), JSON_OUT, ...SYSTEM],
    group: 'configuration',
  },
  {
    name: 'explain',
    alias: null,
    summary: 'the effective settings of a service, with their origin, and its time budget',
    words: [{ usage: '<NAME>', completes: 'service' }],
    options: [JSON_OUT, CONFIG, ...SYSTEM],
    group: 'configuration',
  },
  {
    name: 'classes',
    alias: null,
    summary: 'the classes of this host',
    words: [],
    options: [JSON_OUT, CONFIG, ...SYSTEM],
    group: 'configuration',
  },
  {
    name: 'match',
    alias: null,
    summary: 'what a watch would find, and why not the others',
    words: [{ usage: '<PATTERN>', completes: 'file' }],
    options: [JSON_OUT],
    group: 'configuration',
  },
  {
    name: 'test',
    alias: null,
    summary: 'ask the heartbeats of a service now, each step with its time',
    words: [
      { usage: '<NAME>', completes: 'service' },
      { usage: '[HEARTBEAT]', completes: 'heartbeat' },
    ],
    options: [
      option('--timeout <D>', 'give each question so long, instead of its own time', ['1s', '5s', '30s']),
      JSON_OUT,
      ...SYSTEM,
    ],
    group: 'look',
  },
  {
    name: 'fds',
    alias: null,
    summary: 'the sockets and stored descriptors that are held for a service',
    words: [{ usage: '<NAME>', completes: 'service' }],
    options: [JSON_OUT, ...SYSTEM],
    group: 'look',
  },
  {
    name: 'init',
    alias: null,
    summary: 'write a configuration to begin with',
    words: [{ usage: '[FILE]', completes: 'file' }],
    options: [CONFIG, ...SYSTEM],
    group: 'configuration',
  },
  {
    name: 'notice',
    alias: null,
    summary: 'the channels by which people are told, and how they do',
    words: [],
    options: [
      option('--test <CHANNEL>', 'send something by this channel, and show what is answered', 'channel'),
      JSON_OUT,
      ...SYSTEM,
    ],
    group: 'look',
  },
  {
    name: 'schema',
    alias: null,
    summary: 'the JSON Schema of the configuration, for editors',
    words: [],
    options: [],
    group: 'more',
  },
  {
    name: 'help',
    alias: null,
    summary: 'about a command, or a key of the configuration: help restart.limit',
    words: [{ usage: '[KEY]', completes: 'nothing' }],
    options: [],
    group: 'more',
  },
  {
    name: 'completion',
    alias: null,
    summary: 'completion for a shell: bash, zsh or fish',
    words: [{ usage: '<SHELL>', completes: ['bash', 'zsh', 'fish'] }],
    options: [],
    group: 'more',
  },
  {
    name: 'version',
    alias: null,
    summary: 'the version of this program',
    words: [],
    options: [],
    group: 'more',
  },
  {
    name: '__complete',
    alias: null,
    summary: 'what a shell may offer for the last of these words',
    words: [{ usage: '[WORD...]', completes: 'nothing' }],
    options: [],
    group: 'hidden',
  },
];

export const findCommand = (name: string): Command | undefined =>
  commands.find((command) => command.name === name || command.alias === name);
