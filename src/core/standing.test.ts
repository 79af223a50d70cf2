import { describe, expect, it } from 'vitest';
import { supervised, watched } from '../../test/support/builders.js';
import { failedStart } from './death.js';
import { noOpposition } from './fight.js';
import { outlookOf } from './outlook.js';
import { asPid } from './process.js';
import type { ServiceSpec } from './spec.js';
import { isAsWanted, standingOf } from './standing.js';
import { newService, noRestarts, type Service, type ServiceState, silent } from './state.js';
import { statusOf } from './status.js';
import { instant, millis, type Now, seconds, wallTime } from './time.js';
import { worldOf } from './world.js';

const now: Now = { instant: instant(1_000_000), wall: wallTime(1_700_000_000_000), random: 0.5 };
const alice = { pid: 7, name: 'upkeep', uid: 1000, user: 'alice', grade: 'seen' } as const;
const died = failedStart('exit', { type: 'exited', code: 3 }, null, 'exited with code 3', now);
const process = { pid: asPid(812), startTicks: 100, inode: null };

const web = supervised({ name: 'web' });
const ssh = watched({ name: 'ssh' });
const since = instant(now.instant - 60_000);
const deadline = instant(now.instant + 8000);

const be = (spec: ServiceSpec, state: ServiceState, more: Partial<Service> = {}): Service => ({
  ...newService(spec, instant(0)),
  state,
  ...more,
});
const running: ServiceState = { name: 'running', since, process, helper: null, deadline: null };
const stopped: ServiceState = { name: 'stopped', since, why: 'requested' };
const backoff: ServiceState = { name: 'backoff', since, attempt: 3, deadline };
const limitReached: ServiceState = { name: 'failed', since, failure: { type: 'limit', count: 10 }, deadline };
const word = { by: alice, since: wallTime(now.wall - 300_000), until: null, reason: null };
const unknown = (why: Extract<ServiceState, { name: 'unknown' }>['why']): ServiceState => ({
  name: 'unknown',
  since,
  why,
});
const starting = (phase: 'launching' | 'finding' | 'readying'): ServiceState => ({
  name: 'starting',
  why: 'first',
  since,
  phase,
  process: phase === 'readying' ? process : null,
  helper: null,
  hook: 0,
  setback: null,
  deadline,
});
const fight = {
  since,
  latest: since,
  times: 4,
  how: 'SIGTERM',
  by: { name: 'pkill', uid: 0, user: 'root', grade: 'seen', parent: 'cf-agent' },
  shortest: millis(60_000),
  longest: millis(60_000),
  every: null,
  clock: 'own',
  pause: seconds(300),
  until: deadline,
} as const;

/** Among these others. */
const standing = (service: Service, ...others: readonly Service[]) =>
  standingOf(service, now, outlookAmong(service, ...others));

const outlookAmong = (...services: readonly Service[]) =>
  outlookOf(worldOf(new Map(services.map((one) => [one.spec.name, one]))));

const commandsOf = (service: Service): readonly string[] => standing(service).commands.map(({ command }) => command);

describe('why a service is as it is', () => {
  it.each<[string, Service, string, string | null]>([
    ['runs', be(web, running), 'web has been running for 60 s (process 812)', null],
    [
      'runs again',
      be(web, running, { lastDeath: died, restarts: { ...noRestarts, total: 2, streak: 1 } }),
      'web has been running for 60 s (process 812); it was restarted twice',
      'if it ends, it is started again, 10 times within 5 min at most',
    ],
    [
      'runs by another’s hand',
      be(watched({ name: 'ssh', desired: 'down' }), running),
      'ssh has been running for 60 s (process 812), although it is not wanted up: somebody else started it, and that is left alone',
      null,
    ],
    [
      'was stopped by somebody, for a time',
      be(web, stopped, {
        override: {
          ...word,
          desired: 'down',
          until: wallTime(now.wall + 3_600_000),
          lasts: 'always',
          reason: 'moving it',
        },
      }),
      'web was stopped by alice 5 min ago, for 60 min more: moving it',
      'in 60 min it is started again',
    ],
    [
      'was stopped until the next boot',
      be(web, stopped, { override: { ...word, desired: 'down', lasts: 'boot' } }),
      'web was stopped by alice 5 min ago, until the next boot',
      null,
    ],
    [
      'is not wanted up',
      be(supervised({ desired: 'down' }), stopped),
      'web is not wanted up: its configuration says `desired: down`',
      null,
    ],
    [
      'stays down by its policy',
      be(supervised({ restart: { when: 'on-failure' } }), { ...stopped, why: 'policy' }, { lastDeath: died }),
      'web stays down by its restart policy (on-failure) after code 3',
      null,
    ],
    [
      'has no start command',
      be(watched({ start: null }), { ...stopped, why: 'no-start' }),
      'ssh is down, and has no `start` command: it is watched and told of, not acted on',
      null,
    ],
    [
      'may come back by itself',
      be(ssh, { name: 'waiting', since, for: 'settle', why: 'restart', deadline }, { lastDeath: died }),
      'ssh ended in a way that somebody may have wanted (code 3); it is given time for 8.0 s to come back by itself',
      'it is started in 8.0 s, unless it comes back by itself',
    ],
    [
      'waits for its leftovers',
      be(web, { name: 'waiting', since, for: 'leftovers', why: 'restart', deadline }, { rest: process }),
      'web waits for what is left of its last generation to end (the group of process 812)',
      'it is started when that has ended',
    ],
    [
      'waits for the boot',
      be(web, { name: 'waiting', since, for: 'boot', why: 'restart', deadline: null }),
      'web waits for the host to finish booting',
      'it is started when the host has booted',
    ],
    [
      'is not ready yet',
      be(supervised({ ready: { probe: { type: 'port', host: 'localhost', port: 80 } } }), starting('readying')),
      'web has been running as process 812 for 60 s, and is not ready yet: it has to accept connections at localhost:80',
      'if it is not ready in 8.0 s, the start has failed',
    ],
    [
      'waits for its heartbeat, and who wants to know more can ask it',
      be(supervised({ ready: { probe: { type: 'heartbeat', name: 'http' } } }), starting('readying')),
      'web has been running as process 812 for 60 s, and is not ready yet: its heartbeat http has to be good (`upkeep test web http` asks it now)',
      'if it is not ready in 8.0 s, the start has failed',
    ],
    [
      'was started by its command',
      be(ssh, starting('finding')),
      'the start command of ssh was run, and what came of it is looked for',
      'if it is not ready in 8.0 s, the start has failed',
    ],
    [
      'does not end',
      be(web, {
        name: 'stopping',
        servedSince: null,
        since,
        process,
        phase: 'stuck',
        rung: 1,
        hook: 0,
        helper: null,
        why: 'requested',
        deadline: null,
      }),
      'web does not end: nothing that may be done ends process 812; the log of the keeper has the reason',
      null,
    ],
    [
      'waits for its next try',
      be(web, backoff, { lastDeath: died, restarts: { ...noRestarts, streak: 3 } }),
      'web ended, and waits for its next start (try 3 in a row; 10 are done within 5 min)',
      'it is started in 8.0 s',
    ],
    [
      'has failed',
      be(web, limitReached, { lastDeath: died }),
      'web has failed: 10 restarts within 5 min did not help; the last time it exited with code 3',
      'it is tried quietly every 60 s, next in 8.0 s',
    ],
    [
      'cannot be told from another',
      be(ssh, unknown({ type: 'ambiguous', pids: [812, 990] })),
      'ssh could be each of the processes 812, 990; until one is left, or its watch is narrowed with pidFile or user, nothing is done',
      'it is looked for again and again',
    ],
    [
      'cannot be seen',
      be(ssh, unknown({ type: 'unseen', reason: '/proc is hidden' })),
      'ssh cannot be seen: /proc is hidden',
      'it is looked for again and again',
    ],
  ])('%s', (_what, service, sentence, next) => {
    const { sentences, next: comes } = standing(service);
    expect(sentences).toEqual([sentence]);
    expect(comes).toBe(next);
  });

  it('a hold comes first, with whose it is and until when, and only its end helps', () => {
    const hold = { ...word, until: wallTime(now.wall + 3_600_000), reason: 'upgrade' };
    const held = be(web, { name: 'waiting', since, for: 'hold', why: 'restart', deadline: null }, { hold });
    expect(standing(held)).toEqual({
      sentences: [
        'web has been on hold by alice for 5 min, and will be for 60 min more: upgrade; it is watched, but not started, stopped or told of',
        'web is down, and the hold keeps it so',
      ],
      next: 'in 60 min the hold ends',
      commands: [{ command: 'upkeep unhold web', does: 'ends the hold' }],
    });
  });

  it('a fight is named, and what leaves it to the other', () => {
    const service = be(web, backoff, { opposition: { ...noOpposition, fight } });
    expect(standing(service).sentences).toEqual([
      'web is left down for a while, out of a fight',
      'somebody stops it again and again: SIGTERM 4 times in 0.0 s, each 60 s after we started it, from pkill run by cf-agent (root)',
    ]);
    expect(commandsOf(service)).toContain('upkeep hold web --for 2h');
  });
});

describe('the commands that change it', () => {
  it.each<[string, Service, readonly string[]]>([
    ['nothing is needed where all is well', be(web, running), []],
    ['what is stopped can be started', be(web, stopped), ['upkeep start web']],
    ['what waits can be hurried or left', be(web, backoff), ['upkeep reset web', 'upkeep stop web', 'upkeep logs web']],
    [
      'what has failed can be acknowledged too',
      be(web, limitReached, { lastDeath: died }),
      ['upkeep reset web', 'upkeep stop web', 'upkeep logs web', 'upkeep ack web'],
    ],
    [
      'what was not found can be looked for',
      be(ssh, { name: 'failed', since, failure: { type: 'nothing-matches' }, deadline: null }),
      ['upkeep match /usr/sbin/ssh', 'upkeep reset ssh', 'upkeep stop ssh', 'upkeep logs ssh'],
    ],
    [
      'a pattern is quoted for the shell and for YAML',
      be(
        watched({ pattern: { by: { type: 'match', regex: 'it\'s [a] "test"' }, user: 'www' } }),
        unknown({ type: 'looking' }),
      ),
      [`upkeep match '{match: "it'\\''s [a] \\"test\\"", user: "www"}'`],
    ],
  ])('%s', (_what, service, commands) => {
    expect(commandsOf(service)).toEqual(commands);
  });
});

describe('what there is to explain', () => {
  const view = { now, outlook: outlookAmong(), bootWall: 0, ticksPerSecond: 100, notEnforced: () => [] };
  const hold = { by: null, since: now.wall, until: null, reason: null };
  it.each<[string, Service, boolean]>([
    ['it is up', be(web, running), true],
    ['it is wanted down, and down', be(supervised({ desired: 'down' }), stopped), true],
    ['it waits', be(web, backoff), false],
    ['it is on hold and up', be(web, running, { hold }), true],
    [
      'it is on hold, and so it is down',
      be(web, { name: 'waiting', since, for: 'hold', why: 'restart', deadline: null }, { hold }),
      false,
    ],
    ['nobody wants it up, and it runs', be(watched({ desired: 'down' }), running), false],
    ['it is up again, out of a fight', be(web, running, { opposition: { ...noOpposition, fight } }), false],
  ])('%s', (_what, service, expected) => {
    expect(isAsWanted(statusOf(service, view))).toBe(expected);
  });
});

describe('a service and its generations', () => {
  const uncalled: ServiceState = { name: 'waiting', since, for: 'connection', why: 'first', deadline: null };
  const outgoing = { process: { ...process, pid: asPid(700) }, generation: 2, since, cut: 'no' } as const;
  const sentencesOf = (service: Service): readonly string[] =>
    standingOf(service, now, outlookOf(worldOf(new Map([['web', service]])))).sentences;

  it('that needs one which nobody has called for says so: that is good enough, and looks odd', () => {
    const lazy = be(supervised({ name: 'lazy' }), uncalled);
    const user = be(supervised({ name: 'user', needs: ['lazy'] }), running);
    const set = new Map([lazy, user].map((one) => [one.spec.name as string, one]));
    expect(standingOf(user, now, outlookOf(worldOf(set))).sentences).toEqual([
      'user has been running for 60 s (process 812); lazy, which it needs, is started at the first connection',
    ]);
    expect(standingOf(lazy, now, outlookOf(worldOf(set)))).toMatchObject({
      sentences: ['lazy is not started yet: its sockets listen, and nobody has connected'],
      next: 'it is started at the first connection',
    });
  });

  it.each([
    [
      { why: 'drained', phase: 'asked', deadline },
      'process 700 (generation 2) serves no more, and has been finishing what it had begun for 60 s; it is ended in 8.0 s',
    ],
    [
      { why: 'drained', phase: 'asked', deadline: null },
      'process 700 (generation 2) serves no more, and has been finishing what it had begun for 60 s; it may take as long as it likes',
    ],
    [
      { why: 'drained', phase: 'ending', deadline },
      'the time of process 700 (generation 2) to finish is over, and it is being ended',
    ],
    [
      { why: 'refused', phase: 'ending', deadline },
      'process 700 (generation 2) was to take over, does not, and is being ended',
    ],
    [
      { why: 'own', phase: 'asked', deadline: null },
      'process 700 (generation 2) has named its successor 60 s ago, and ends when it likes',
    ],
    [
      { why: 'drained', phase: 'rest', deadline },
      'process 700 (generation 2) has ended, and what is left of it is being ended',
    ],
  ] as const)('tells of one that is %j', (what, sentence) => {
    expect(sentencesOf(be(web, running, { draining: [{ ...outgoing, ...what }] }))).toContain(sentence);
  });

  it('tells what it says of itself, that it reloads, and that it is stopping', () => {
    const said = { ...silent, status: 'serving\u0007 31 clients', stopping: since };
    const reloading = { phase: 'signaled', since, deadline: null } as const;
    expect(sentencesOf(be(web, running, { said, reloading })).slice(1)).toEqual([
      'it said 60 s ago that it is stopping',
      'it was asked to reload 60 s ago, and has not answered yet',
      'it says: serving  31 clients',
    ]);
  });

  it('that waits for an old one to end before it is handed over says for what', () => {
    const overlapping = supervised({ name: 'web', handover: { mode: 'overlap', maxDraining: 1 } });
    const draining = [{ ...outgoing, why: 'drained', phase: 'asked', deadline }] as const;
    const service = be(overlapping, running, { enrolled: 'changed', draining });
    expect(standingOf(service, now, outlookOf(worldOf(new Map([['web', service]])))).next).toBe(
      'it is handed over to a new generation when an old one has ended',
    );
  });
});
