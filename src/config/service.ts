// The layers of one service → its spec, or one for each of its members. Decides the kind, refuses what means nothing for it,
// and fills in defaults. Which services it names is not looked at here.

import type { Coupling, Pool, ServiceSpec, Supervised, Watched } from '../core/spec.js';
import { memberName, serviceName } from '../core/spec.js';
import type { WrittenExpression } from './class-expression.js';
import { checkCleanState } from './clean-state.js';
import { checkGraceful } from './graceful-checks.js';
import { checkHeartbeats } from './heartbeat-checks.js';
import { withFittingHeartbeats } from './heartbeat-layers.js';
import { checkNumbers, instancesOf, numbered, poolsOf } from './instances.js';
import { merge, nothingSaid } from './merge.js';
import { notifyAccessOf, withNotifyAccess } from './notify-access.js';
import { asOneshot, isOneshotIn, shownOneshot } from './oneshot.js';
import type { Problems } from './problem.js';
import { probeOfOurs } from './ready.js';
import type { Fields } from './record.js';
import { keyOf } from './record.js';
import { service, serviceKeys } from './service-keys.js';
import type { Kind, Reading } from './shape.js';
import { complain } from './shape.js';
import { isCommand, isNotifyReload } from './stop.js';
import { type Dict, type Entry, entryOf, type Tree, valueAt } from './tree.js';

export interface ReadService {
  /** One, or one for each member of a pool. Their coupling names services as the configuration does. */
  readonly members: readonly [Member, ...Member[]];
  readonly hosts: WrittenExpression;
  /** Everything that counts for it, with our own defaults, each with its origin. */
  readonly effective: Dict;
}

export interface Member {
  readonly spec: ServiceSpec;
  readonly effective: Dict;
}

/** Puts the layers together, lowest first. Undefined when the service cannot be read; then problems were reported. */
export function readService(name: string, layers: readonly Dict[], problems: Problems): ReadService | undefined {
  const reading: Reading = { problems, key: `services.${name}`, mode: 'whole' };
  const kind = kindOf(layers, reading);
  if (kind === undefined) return undefined;
  const own = layers.at(-1);
  if (own === undefined) return undefined;
  const isOneshot = kind === 'supervised' && isOneshotIn(layers);
  const merged = layers
    .map((layer) => (layer.layer.type === 'defaults' ? fitting(layer, kind, isOneshot) : layer))
    .reduce(merge, nothingSaid(own));
  const said = withFittingHeartbeats(merged, kind);
  const misfits = said.entries.filter((entry) => !fits(entry, kind)).map((entry) => refuse(entry, kind, reading));
  const whole = isOneshot ? asOneshot(said, reading) : said;
  if (whole === undefined) return undefined;
  const effective = service.complete(whole, kind);
  if (effective.type !== 'dict') return undefined;

  const count = instancesOf(merged);
  if (checkNumbers(effective, count ?? 1, reading) === 'wrong') return undefined;
  const members: Member[] = [];
  let hosts: WrittenExpression | null = null;
  for (const pool of poolsOf(name, count ?? 1)) {
    const settings = count === null ? effective : numbered(effective, pool.index);
    const fields = service.read(settings, reading);
    if (fields === undefined || misfits.length > 0) return undefined;
    const spec = build(pool, count === null ? 'lone' : 'member', kind, fields, settings, reading);
    // What is wrong with one member is mostly wrong with all, and told once.
    if (spec === undefined) return undefined;
    members.push({ spec, effective: shown(settings, spec) });
    hosts = fields.hosts;
  }
  const [first, ...others] = members;
  if (first === undefined || hosts === null) return undefined;
  return { members: [first, ...others], hosts, effective: shown(effective, first.spec) };
}

/** The settings as they are shown: with what follows from others, and without what is never asked. */
function shown(effective: Dict, { kind, notifyAccess }: ServiceSpec): Dict {
  if (kind.type === 'watched') return effective;
  const told = withNotifyAccess(effective, notifyAccess);
  return kind.oneshot === 'yes' ? shownOneshot(told) : told;
}

/** The last layer that says `run` or `watch` decides; defaults may say both, of which one then means nothing. */
function kindOf(layers: readonly Dict[], reading: Reading): Kind | undefined {
  const saying = layers.filter((layer) => layer.layer.type !== 'defaults');
  const merged = saying.reduce(merge, nothingSaid(saying[0] ?? EMPTY));
  const run = entryOf(merged, 'run');
  const watch = entryOf(merged, 'watch');
  if (run !== undefined && watch !== undefined) {
    const at = merged.entries.indexOf(run) > merged.entries.indexOf(watch) ? run : watch;
    return complain(
      reading,
      at.at,
      'found both run and watch; a service has one of them (null takes back what a template says)',
    );
  }
  if (run !== undefined) return 'supervised';
  if (watch !== undefined) return 'watched';
  const defaults = layers.find((layer) => layer.layer.type === 'defaults');
  if (valueAt(defaults, 'run') !== undefined) return 'supervised';
  if (valueAt(defaults, 'watch') !== undefined) return 'watched';
  // A mistyped `watch` was reported as an unknown key; it is probably the kind that is missing.
  if (layers.some((layer) => layer.entries.some((entry) => keyOf(serviceKeys, entry.key) === undefined)))
    return undefined;
  const at = layers.at(-1)?.at ?? EMPTY.at;
  return complain(
    reading,
    at,
    'says neither run nor watch; write `run: COMMAND` (Upkeep starts it) or `watch: PATH` (something else does)',
  );
}

const EMPTY: Dict = {
  type: 'dict',
  at: { file: '', line: null, column: null },
  layer: { type: 'file' },
  entries: [],
  alternatives: [],
};

/** Of the defaults: a oneshot is ready when it is done, and nobody is there to be asked or replaced, whatever they say of others. */
const fitting = (layer: Dict, kind: Kind, isOneshot: boolean): Dict => ({
  ...layer,
  entries: layer.entries.filter((entry) => fits(entry, kind) && !(isOneshot && NOT_OF_ONESHOTS.includes(entry.key))),
});

const NOT_OF_ONESHOTS = ['ready', 'heartbeat', 'handover'];

/** Does this mean anything for a service of this kind? */
function fits(entry: Entry, kind: Kind): boolean {
  const only = keyOf(serviceKeys, entry.key)?.only ?? null;
  if (only !== null && only !== kind) return false;
  if (kind === 'supervised') return !(entry.key === 'stop' && isCommand(entry.value));
  if (entry.key === 'reload') return !isNotifyReload(entry.value);
  return !(entry.key === 'ready' && probeOfOurs(entry.value) !== null);
}

function refuse(entry: Entry, kind: Kind, reading: Reading): undefined {
  const own = { ...reading, key: `${reading.key}.${entry.key}` };
  return complain(own, entry.at, misfit(entry, kind));
}

function misfit(entry: Entry, kind: Kind): string {
  if (entry.key === 'stop')
    return 'a supervised service is stopped by signals; write {signal: SIGTERM, wait: 10s} or a list of them';
  if (entry.key === 'ready') {
    const what =
      probeOfOurs(entry.value) === 'notify'
        ? 'no socket of ours for sd_notify, since somebody else starts it'
        : 'no descriptor of ours';
    return `a watched service has ${what}; write another probe, like {port: 8080}`;
  }
  if (entry.key === 'reload')
    return 'a watched service has no socket of ours for sd_notify, since somebody else starts it; take `notify` out';
  const other = kind === 'supervised' ? '`run`, which Upkeep starts itself' : '`watch`, which something else starts';
  return `${entry.key} means nothing for a service with ${other}; take it out`;
}

function build(
  pool: Pool,
  as: 'lone' | 'member',
  kind: Kind,
  fields: Fields<typeof serviceKeys>,
  tree: Tree,
  reading: Reading,
): ServiceSpec | undefined {
  const kindSpec = kind === 'supervised' ? supervised(fields) : watched(fields);
  if (kindSpec === null) return undefined;
  if (fields.ready.probe.type === 'log' && fields.log.to !== 'file') {
    const at = valueAt(valueAt(tree, 'ready'), 'log')?.at ?? tree.at;
    return complain(
      reading,
      at,
      `ready looks into the log file, but log is ${fields.log.to}; write \`log: file\` or another probe`,
    );
  }
  const notifyAccess = notifyAccessOf(fields, tree, reading);
  if (notifyAccess === undefined) return undefined;
  if (checkCleanState(fields.directories, fields.clean, tree, reading) === 'wrong') return undefined;
  const isPool = pool.of > 1;
  const spec: ServiceSpec = {
    name: isPool ? memberName(pool.name, pool.index) : serviceName(pool.name),
    pool: isPool ? pool : null,
    description: fields.description,
    runbook: fields.runbook,
    tags: fields.tags,
    desired: fields.desired,
    kind: kindSpec,
    leftovers: fields.leftovers,
    settings: {
      user: fields.user,
      group: fields.group,
      groups: fields.groups,
      cwd: fields.cwd,
      umask: fields.umask,
      env: as === 'lone' ? fields.env : { ...fields.env, UPKEEP_INSTANCE: String(pool.index) },
      envFiles: fields.envFile,
      inheritEnv: fields.inheritEnv,
      limits: fields.limits,
      nice: fields.nice,
      oomScoreAdjust: fields.oomScoreAdjust,
      noNewPrivileges: fields.noNewPrivileges,
      capabilities: fields.capabilities,
      memory: fields.memory,
    },
    ready: fields.ready,
    restart: fields.restart,
    heartbeats: fields.heartbeat ?? [],
    coupling: couplingOf(fields),
    hooks: fields.hooks,
    directories: fields.directories,
    clean: fields.clean,
    sockets: fields.sockets ?? [],
    fdStore: fields.fdStore,
    handover: fields.handover,
    watchdog: fields.watchdog,
    notifyAccess,
    log: fields.log,
  };
  checkGraceful(spec, tree, reading);
  return checkHeartbeats(spec, tree, reading) === 'wrong' ? undefined : spec;
}

function couplingOf({ needs, wants, after, restartWith }: Fields<typeof serviceKeys>): Coupling {
  return {
    needs: needs.map(({ key, value }) => ({ service: serviceName(key), ...value })),
    wants: wants.map(serviceName),
    after: after.map(serviceName),
    restartWith: restartWith.map(serviceName),
  };
}

function supervised({ run, oneshot, stop, reload }: Fields<typeof serviceKeys>): Supervised | null {
  // A command as `stop` was refused above.
  return run === null || stop.type === 'command' ? null : { type: 'supervised', run, oneshot, stop, reload };
}

function watched(fields: Fields<typeof serviceKeys>): Watched | null {
  if (fields.watch === null) return null;
  return {
    type: 'watched',
    pattern: fields.watch,
    settle: fields.settle,
    start: fields.start,
    stop: fields.stop,
    restart: fields.restartCommand,
    reload: fields.reload,
    logFrom: fields.logFrom,
  };
}
