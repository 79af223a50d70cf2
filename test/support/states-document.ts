// docs/states.md, printed by running the core over every state × every fact or wish. What stands there is what the
// machine does; a test compares, and `UPDATE_DOCS=1 npm test -- unit` writes it anew.

import type { ServiceEvent } from '../../src/core/event.js';
import type { ServiceWord } from '../../src/core/handover-word.js';
import { type Notification, silence } from '../../src/core/notification.js';
import { asPid, type ProcessRef } from '../../src/core/process.js';
import { type Hooks, noHooks, type ServiceSpec } from '../../src/core/spec.js';
import { newService, type Service, type ServiceState, silent } from '../../src/core/state.js';
import { step } from '../../src/core/step.js';
import { instant, type Moment, seconds, wallTime } from '../../src/core/time.js';
import { worldOf } from '../../src/core/world.js';
import { command, ladder, rung, supervised, watched } from './builders.js';
import { daemonFacts, exitedWith } from './evidence.js';

const at: Moment = {
  instant: instant(1_000_000),
  wall: wallTime(1_790_000_000_000),
  random: 0.5,
  host: 'up',
  steadySince: instant(0),
};
const ref = (pid: number): ProcessRef => ({ pid: asPid(pid), startTicks: pid, inode: String(pid) });
const main = ref(101);
const helper = ref(202);
const old = ref(99);

const evidence = (code: number) => exitedWith(code, 5000);

const found = daemonFacts({ ...ref(303), startTicks: 9000 });

/** The rows: what arrives. Facts about processes name the one that the state holds. */
function events(spec: ServiceSpec): readonly (readonly [string, ServiceEvent])[] {
  const service = spec.name;
  const role = spec.kind.type === 'supervised' ? 'main' : 'start';
  const ask = (verb: 'start' | 'restart') =>
    ({ type: 'asked', service, ask: { verb, reason: null }, by: null }) as const;
  const isWatched = spec.kind.type === 'watched';
  const rows: (readonly [string, ServiceEvent])[] = [
    ['spawned', { type: 'spawned', service, role, generation: 1, process: isWatched ? helper : main }],
    ['spawn failed', { type: 'spawnFailed', service, role, generation: 1, errno: 'ENOENT', detail: 'no such file' }],
    ['main exited, code 1', { type: 'exited', service, process: main, evidence: evidence(1), away: 'no' }],
    ['main exited, code 0', { type: 'exited', service, process: main, evidence: evidence(0), away: 'no' }],
    ['became ready', { type: 'becameReady', service, process: main }],
    ['rest is gone', { type: 'emptied', service, process: old }],
    ['deadline passed', { type: 'deadlinePassed', service }],
    ['asked: start', ask('start')],
    [
      'asked: stop',
      { type: 'asked', service, ask: { verb: 'stop', reason: null, until: null, lasts: 'always' }, by: null },
    ],
    ['asked: restart', ask('restart')],
    ['asked: reload', { type: 'asked', service, ask: { verb: 'reload' }, by: null }],
    ['asked: hold', { type: 'asked', service, ask: { verb: 'hold', reason: null, until: null }, by: null }],
    ['asked: reset', { type: 'asked', service, ask: { verb: 'reset' }, by: null }],
    [
      'new definition',
      { type: 'changed', service, spec: { ...spec, settings: { ...spec.settings, cwd: '/tmp' }, description: 'new' } },
    ],
    ['removed', { type: 'removed', service }],
    ['keeper is back', { type: 'resumed', service }],
    ['keeper ends', { type: 'keeperEnded', service }],
  ];
  if (!isWatched) return rows;
  const none = { matches: [], pidFile: { type: 'none' }, unseen: null } as const;
  return [
    ...rows.slice(0, 4),
    ['helper exited, code 0', { type: 'exited', service, process: helper, evidence: evidence(0), away: 'no' }],
    ['helper exited, code 1', { type: 'exited', service, process: helper, evidence: evidence(1), away: 'no' }],
    ['looked: found', { type: 'looked', service, look: { ...none, matches: [found] } }],
    ['looked: nothing', { type: 'looked', service, look: none }],
    [
      'looked: two',
      {
        type: 'looked',
        service,
        look: { ...none, matches: [found, { ...found, process: { ...ref(404), startTicks: 9001 } }] },
      },
    ],
    ...rows.slice(4),
  ];
}

/** The columns: where it may be. Every deadline has just passed, so that the row `deadline passed` shows its answer. */
function states(kind: 'supervised' | 'watched'): readonly (readonly [string, ServiceState])[] {
  const since = instant(990_000);
  const deadline = at.instant;
  const down = [
    ['stopped', { name: 'stopped', since, why: 'requested' }],
    ['backoff', { name: 'backoff', since, attempt: 2, deadline }],
    ['failed', { name: 'failed', since, failure: { type: 'limit', count: 10 }, deadline }],
    ['waiting (leftovers)', { name: 'waiting', since, for: 'leftovers', why: 'restart', deadline }],
  ] as const;
  const nothing = { process: null, helper: null, hook: 0, setback: null } as const;
  const starting = { name: 'starting', since, why: 'first', ...nothing, deadline } as const;
  const stopping = {
    name: 'stopping',
    since,
    servedSince: null,
    rung: 0,
    hook: 0,
    why: 'requested',
    deadline,
  } as const;
  if (kind === 'supervised') {
    return [
      ...down,
      ['starting (launching)', { ...starting, phase: 'launching', deadline: null }],
      ['starting (readying)', { ...starting, phase: 'readying', process: main }],
      ['running', { name: 'running', since, process: main, helper: null, deadline: null }],
      ['stopping (ladder)', { ...stopping, phase: 'ladder', process: main, helper: null }],
      ['stopping (rest)', { ...stopping, phase: 'rest', process: null, helper: null }],
    ];
  }
  return [
    ['unknown', { name: 'unknown', since, why: { type: 'looking' } }],
    ...down,
    ['waiting (settle)', { name: 'waiting', since, for: 'settle', why: 'restart', deadline }],
    ['starting (launching)', { ...starting, phase: 'launching', helper }],
    ['starting (finding)', { ...starting, phase: 'finding' }],
    ['starting (readying)', { ...starting, phase: 'readying', process: main }],
    ['running', { name: 'running', since, process: main, helper: null, deadline: null }],
    ['stopping (ladder)', { ...stopping, phase: 'ladder', process: main, helper: null }],
    ['stopping (command)', { ...stopping, phase: 'command', process: main, helper }],
  ];
}

const line: Hooks = {
  condition: command('condition', 1000),
  beforeStart: [command('prepare', 1000)],
  afterStart: [command('check', 1000)],
  beforeStop: [command('drain', 1000)],
  afterStop: [command('tidy', 1000)],
};

/** What only services with commands around them, and oneshots, go through. */
function sidings(): readonly (readonly [string, ServiceState])[] {
  const since = instant(990_000);
  const deadline = at.instant;
  const starting = { name: 'starting', since, why: 'restart', hook: 0, helper, setback: null, deadline } as const;
  const stopping = {
    name: 'stopping',
    since,
    servedSince: null,
    rung: 0,
    hook: 0,
    why: 'requested',
    helper,
    deadline,
  } as const;
  return [
    ['skipped', { name: 'skipped', since, deadline }],
    ['starting (condition)', { ...starting, phase: 'condition', process: null }],
    ['starting (before)', { ...starting, phase: 'before', process: null }],
    ['starting (working)', { ...starting, phase: 'working', process: main, helper: null }],
    ['starting (after)', { ...starting, phase: 'after', process: main }],
    ['done', { name: 'done', since }],
    ['stopping (before)', { ...stopping, phase: 'before', process: main }],
    ['stopping (preparing)', { ...stopping, phase: 'preparing', process: null }],
    ['stopping (after)', { ...stopping, phase: 'after', process: null }],
  ];
}

/** The rows for commands: `helper` is the one that runs. */
function hookEvents(spec: ServiceSpec): readonly (readonly [string, ServiceEvent])[] {
  const service = spec.name;
  const ended = (code: number): ServiceEvent => ({
    ...{ type: 'exited', service, process: helper, evidence: evidence(code), away: 'no' },
  });
  return [['command exited, code 0', ended(0)], ['command exited, code 1', ended(1)], ...events(spec).slice(2)];
}

function serviceIn(spec: ServiceSpec, state: ServiceState): Service {
  const isResting = state.name === 'waiting' || (state.name === 'stopping' && state.phase === 'rest');
  const base = newService(spec, instant(0));
  return {
    ...base,
    state,
    generation: 1,
    rest: isResting ? old : null,
    matched: 'once',
    restarts: { ...base.restarts, lastStart: instant(100_000), total: 1 },
  };
}

function cell(service: Service, event: ServiceEvent): string {
  try {
    const outcome = step(worldOf(new Map([[service.spec.name, service]])), event, at);
    if (outcome.removed.length > 0) return 'forgotten';
    const after = outcome.services[0] ?? service;
    const phase =
      'phase' in after.state
        ? ` (${after.state.phase})`
        : after.state.name === 'waiting'
          ? ` (${after.state.for})`
          : '';
    const orders = outcome.effects.map((effect) =>
      'role' in effect
        ? `${effect.type} ${effect.role}`
        : 'signal' in effect
          ? `${effect.type} ${effect.signal}`
          : effect.type === 'tell'
            ? `${effect.type} ${effect.word.type}`
            : effect.type,
    );
    const moved = after.state.name === service.state.name && !phase ? '' : `**${after.state.name}**${phase}`;
    const isSame = JSON.stringify(after.state) === JSON.stringify(service.state);
    const told = outcome.changes.find(({ what }) => what.type === 'refused') === undefined ? '' : 'refused';
    return (
      [told || (isSame ? '' : moved || `**${after.state.name}**`), orders.join(', ')]
        .filter((part) => part !== '')
        .join(': ') || '·'
    );
  } catch {
    return 'impossible';
  }
}

function table(kind: 'supervised' | 'watched'): string {
  const spec =
    kind === 'supervised'
      ? supervised({ name: 'web', reload: { type: 'signal', signal: 'SIGHUP' } })
      : watched({ name: 'ssh', stop: ladder(rung('SIGTERM', 10_000)), settle: seconds(5) });
  return grid(spec, states(kind), events(spec));
}

function hooksTable(): string {
  const spec = supervised({ name: 'web', hooks: line });
  return grid(spec, sidings(), hookEvents(spec));
}

/** Two generations: `main` is the old one, `next` the new one. */
const next = ref(303);

function handoverStates(): readonly (readonly [string, ServiceState])[] {
  const since = instant(990_000);
  const handover = {
    name: 'handover',
    since,
    process: main,
    servedSince: since,
    generation: 2,
    hook: 0,
    helper: null,
    said: silent,
    still: null,
    why: 'requested',
    deadline: at.instant,
  } as const;
  return [
    ['preparing', { ...handover, phase: 'preparing', successor: null, deadline: null }],
    ['before', { ...handover, phase: 'before', successor: null, helper }],
    ['launching', { ...handover, phase: 'launching', successor: null, deadline: null }],
    ['warming', { ...handover, phase: 'warming', successor: next }],
    ['transfer', { ...handover, phase: 'transfer', successor: next, still: since }],
    ['verdict', { ...handover, phase: 'verdict', successor: next, still: since }],
    ['after', { ...handover, phase: 'after', successor: next, still: since, helper }],
  ];
}

function handoverEvents(spec: ServiceSpec): readonly Row[] {
  const service = spec.name;
  const says = (process: ProcessRef, what: Partial<Notification>): ServiceEvent => ({
    ...{ type: 'notified', service, says: { ...silence, ...what }, batch: null },
    sender: { process, uid: 0, isMember: 'yes', kinOf: process },
  });
  const hears = (process: ProcessRef, word: ServiceWord): ServiceEvent => ({ type: 'heard', service, process, word });
  const ended = (process: ProcessRef, code: number): ServiceEvent => ({
    ...{ type: 'exited', service, process, evidence: evidence(code), away: 'no' },
  });
  const newMain = { service, role: 'main', generation: 2 } as const;
  return [
    ['prepared', { type: 'prepared', service, generation: 2, problem: null }],
    ['command exited, code 0', ended(helper, 0)],
    ['command exited, code 1', ended(helper, 1)],
    ['new one: spawned', { type: 'spawned', ...newMain, process: next }],
    ['new one: spawn failed', { type: 'spawnFailed', ...newMain, errno: 'ENOENT', detail: 'no such file' }],
    ['new one: asks for the state', hears(next, { type: 'wantsState' })],
    ['old one: has written it', hears(main, { type: 'exported', bytes: 1 })],
    ['old one: has none', hears(main, { type: 'noState' })],
    ['old one: cannot write it', hears(main, { type: 'exportFailed', reason: 'no space' })],
    ['new one: READY=1', says(next, { ready: 'yes' })],
    ['new one: refuses', hears(next, { type: 'refused', reason: 'too old' })],
    ['new one: exited', ended(next, 1)],
    ['old one: exited', ended(main, 1)],
    ['old one: WATCHDOG=trigger', says(main, { watchdog: 'trigger' })],
    ...events(spec).slice(6),
  ];
}

/** With a command before and one after the start. */
function handoverTable(): string {
  const hooks: Hooks = { ...noHooks, beforeStart: [command('prepare', 1000)], afterStart: [command('check', 1000)] };
  const spec = supervised({
    ...{ name: 'web', hooks, notifyAccess: 'main', clean: ['/run/web.sock'] },
    ...{ ready: { probe: { type: 'notify' } }, handover: { mode: 'overlap' } },
  });
  return grid(spec, handoverStates(), handoverEvents(spec));
}

type Row = readonly [string, ServiceEvent];

function grid(
  spec: ServiceSpec,
  columns: readonly (readonly [string, ServiceState])[],
  events: readonly Row[],
): string {
  const head = `| fact or wish | ${columns.map(([name]) => name).join(' | ')} |`;
  const line = `|${' --- |'.repeat(columns.length + 1)}`;
  const rows = events.map(
    ([name, event]) => `| ${name} | ${columns.map(([, state]) => cell(serviceIn(spec, state), event)).join(' | ')} |`,
  );
  return [head, line, ...rows].join('\n');
}

export function statesDocument(): string {
  return `# States

Generated by running the core over every state and every fact: what stands here is what the machine does.
\`UPDATE_DOCS=1 npm test -- unit states\` writes it anew, and a test compares.

A cell reads: **the state after it** (its phase): the orders to the outside. \`·\` is nothing at all; *impossible* is reported
by the keeper and dropped. Each state is shown with the deadline that it has at its latest, just passed. The service in these
tables has the default restart rule, has been ready for ten seconds, and has been restarted once.

## Supervised: a process that Upkeep starts

${table('supervised')}

## Watched: a daemon that something else starts

${table('watched')}

## Around them: conditions, commands before and after, and oneshots

A supervised service with a condition and one command of each kind, in the middle of it. With several, the next one follows where
the state stays; *working* and *done* are those of a oneshot.

${hooksTable()}

## Two generations: an overlapped restart

The phases of the state \`handover\`, of a service with \`handover: {mode: overlap}\`, \`ready: notify\` and a command before and after its start.
The old one is the service until the commit, which is where *running* follows with \`tell\`: the new one is told to accept connections, the old
one to drain. *running* without a new main process is the old one, which goes on as if nothing had happened.

${handoverTable()}
`;
}
