// Who is told of what, and when: services that die on a simulated host, and the desk that reads what the keeper records.

import { describe, expect, it } from 'vitest';
import type { NoticesSpec } from '../../src/core/notice-spec.js';
import { ack, findCase, keepOnly } from '../../src/core/notices.js';
import { type ServiceSpec, serviceName } from '../../src/core/spec.js';
import { seconds, wallTime } from '../../src/core/time.js';
import { command, supervised, watched } from '../support/builders.js';
import { Newsroom, planWith } from '../support/newsroom.js';
import { diesAfter, exitsAfter, lives, program, refused, sleepsInKernel, startsDaemon } from '../support/program.js';
import { Stage } from '../support/stage.js';

const SECOND = 1000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function running(specs: readonly ServiceSpec[] = [supervised()], plan: NoticesSpec = planWith()) {
  const stage = Stage.with(specs);
  const news = new Newsroom(stage, plan);
  stage.run(MINUTE);
  return { stage, news };
}

const crash = (stage: Stage, name = 'web'): void =>
  stage.host.end(stage.main(name), { type: 'signaled', signal: 'SIGSEGV', coreDumped: false });
/** From now on it cannot start. */
const spoil = (stage: Stage, name = 'web'): void => stage.host.install(`/srv/${name}`, program(exitsAfter(100, 1)));
const mend = (stage: Stage, name = 'web'): void => stage.host.install(`/srv/${name}`, program(lives));

describe('what is over without running', () => {
  const failing = [program(exitsAfter(100, 1))];

  it('is a oneshot that is done after all, or skipped: told to whoever heard of its failure', () => {
    const migrate = supervised({ name: 'migrate', oneshot: 'yes', ready: { timeout: null } });
    const stage = new Stage();
    stage.host.install('/srv/migrate', ...failing);
    stage.add(migrate);
    const news = new Newsroom(stage);
    stage.run(2 * MINUTE);
    expect(news.kinds()).toContain('start-failed');
    stage.host.install('/srv/migrate', program(exitsAfter(100, 0)));
    stage.run(10 * MINUTE);
    expect(news.notices().at(-1)).toMatchObject({ kind: 'recovered', headline: expect.stringMatching(/^done after /) });
    const told = news.notices().length;
    stage.run(DAY);
    expect(news.notices()).toHaveLength(told);
  });

  it('is a service whose condition says no after it had failed', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', ...failing);
    stage.host.install('/hook/condition', program(exitsAfter(1, 0)));
    stage.add(supervised({ hooks: { condition: command('/hook/condition') } }));
    const news = new Newsroom(stage);
    stage.run(2 * MINUTE);
    expect(news.kinds()).toContain('start-failed');
    stage.host.install('/hook/condition', program(exitsAfter(1, 1)));
    stage.run(10 * MINUTE);
    expect(news.notices().at(-1)?.headline).toMatch(/^skipped after /);
    const told = news.notices().length;
    stage.run(DAY);
    expect(news.notices()).toHaveLength(told);
  });

  it('is one that its policy leaves down, of which nobody is alarmed, also where its commands after a stop came in between', () => {
    const stage = new Stage();
    stage.host.install('/hook/tidy', program(exitsAfter(2 * MINUTE, 0)));
    stage.add(supervised({ restart: { when: 'on-failure' }, hooks: { afterStop: [command('/hook/tidy')] } }));
    const news = new Newsroom(stage);
    stage.run(MINUTE);
    stage.host.end(stage.main('web'), { type: 'exited', code: 0 });
    stage.run(DAY);
    expect(stage.state('web')).toMatchObject({ name: 'stopped', why: 'policy' });
    expect(news.kinds()).toEqual([]);
  });
});

describe('a crash that heals at once', () => {
  it('is told in the digest, with what it died of (monitors 30)', () => {
    const { stage, news } = running();
    crash(stage);
    stage.run(4 * MINUTE);
    expect(news.letters).toEqual([]);
    stage.run(2 * MINUTE);
    expect(news.lines()).toEqual(['[RESTARTED] web: SIGSEGV after 60 s, back after 1.0 s']);
    expect(news.letters).toHaveLength(1);
    const [notice] = news.notices();
    expect(notice).toMatchObject({ kind: 'restarted', service: 'web', reminder: 0, outage: expect.any(Number) });
    expect(notice?.postMortem?.timeline.map(({ what }) => what)).toEqual(['died', 'stopped', 'started', 'ready']);
    expect(notice?.incident).toBe(notice?.postMortem?.incident);
  });

  it('is one line of one digest for each service', () => {
    const { stage, news } = running([supervised(), supervised({ name: 'db' })]);
    crash(stage);
    stage.run(2 * MINUTE);
    crash(stage, 'db');
    stage.run(5 * MINUTE);
    expect(news.letters).toHaveLength(1);
    expect(news.letters[0]?.notices.map(({ service }) => service)).toEqual(['web', 'db']);
    expect(news.letters[0]?.thread).toBeNull();
  });

  it('is told at once where there is no digest', () => {
    const { stage, news } = running([supervised()], planWith(undefined, { digest: null }));
    crash(stage);
    stage.run(5 * SECOND);
    expect(news.kinds()).toEqual(['restarted']);
  });

  it('is told at once the third time in 10 minutes, once, and recovers when it was up for 10 (monitors 30)', () => {
    const { stage, news } = running();
    for (let n = 0; n < 3; n++) {
      crash(stage);
      stage.run(MINUTE);
    }
    expect(news.lines()).toEqual(['[FLAPPING] web: SIGSEGV after 60 s, 3rd in 10 min, restarted each time']);
    for (let n = 0; n < 5; n++) {
      crash(stage);
      stage.run(MINUTE);
    }
    expect(news.kinds()).toEqual(['flapping']);
    stage.run(11 * MINUTE);
    expect(news.kinds()).toEqual(['flapping', 'recovered']);
    expect(news.notices()[1]?.headline).toMatch(/restarted 6 times$/);
    expect(news.notices()[1]?.incident).toBe(news.notices()[0]?.incident);
    crash(stage);
    stage.run(10 * MINUTE);
    expect(news.kinds()).toEqual(['flapping', 'recovered', 'restarted']);
  });

  it('is not flapping when it happens every five minutes', () => {
    const { stage, news } = running();
    for (let n = 0; n < 6; n++) {
      crash(stage);
      stage.run(5 * MINUTE + 10 * SECOND);
    }
    expect(new Set(news.kinds())).toEqual(new Set(['restarted']));
  });

  it('is told each time, and at once, to whoever asked for `died`', () => {
    const { stage, news } = running([supervised()], planWith([{ kinds: ['died'], tell: ['all'] }]));
    for (let n = 0; n < 2; n++) {
      crash(stage);
      stage.run(5 * SECOND);
    }
    expect(news.lines('all')).toEqual([
      '[DIED] web: SIGSEGV after 60 s, restarting',
      '[DIED] web: SIGSEGV after 5.0 s, 2nd in 10 min, restarting',
    ]);
  });
});

describe('a service that does not come up', () => {
  it('says nothing of how it began where it always ends alike', () => {
    const { stage, news } = running();
    spoil(stage);
    stage.host.end(stage.main('web'), { type: 'exited', code: 1 });
    stage.run(20 * MINUTE);
    expect(news.kinds()).toEqual(['start-failed', 'failed']);
    expect(news.notices().flatMap(({ story }) => story)).not.toContainEqual(expect.stringMatching(/^It began with/));
  });

  it('is told at its first failed start and when it has failed; further attempts are not told, its return is', () => {
    const { stage, news } = running();
    spoil(stage);
    crash(stage);
    stage.run(5 * SECOND);
    expect(news.lines()).toEqual(['[DOWN] web: failed to start: exit 1 after 0.1 s, 2nd in 10 min, retrying in 0.1 s']);
    // What the trouble began with is said, also where another end is what is told of.
    expect(news.notices()[0]?.story).toContain('It began with another end: SIGSEGV after 60 s.');
    stage.run(20 * MINUTE);
    expect(news.kinds()).toEqual(['start-failed', 'failed']);
    expect(news.notices()[1]?.headline).toMatch(
      /^failed to start: exit 1 after 0.1 s, 1\dth in 10 min, next try in 60 s$/,
    );
    mend(stage);
    stage.run(5 * MINUTE);
    expect(news.kinds()).toEqual(['start-failed', 'failed', 'recovered']);
    const recovered = news.notices()[2];
    expect(recovered?.outage).toBeGreaterThan(20 * MINUTE);
    expect(new Set(news.letters.map(({ thread }) => thread))).toEqual(new Set([recovered?.incident]));
    expect(recovered?.incident).toMatch(/\w/);
  });

  it('is one notice where it fails so fast that the failure overtakes the first one', () => {
    const { stage, news } = running([
      supervised({ restart: { limit: { count: 2, within: seconds(300) }, delay: seconds(0) } }),
    ]);
    stage.host.install('/srv/web', program(refused('ENOENT')));
    crash(stage);
    stage.run(10 * SECOND);
    expect(news.kinds()).toEqual(['failed']);
    expect(news.notices()[0]?.postMortem?.sentence).toMatch(/failed to start/);
  });

  it('is told when its policy leaves it down after a failure, and not when it ended as it should (monitors 20)', () => {
    const { stage, news } = running([
      supervised({ restart: { when: 'never' } }),
      supervised({ name: 'job', restart: { when: 'on-failure' } }),
    ]);
    crash(stage);
    stage.host.end(stage.main('job'), { type: 'exited', code: 0 });
    stage.run(5 * MINUTE);
    expect(news.lines()).toEqual(['[FAILED] web: SIGSEGV after 60 s, staying down']);
  });

  it('is told when nothing matches what its start command started', () => {
    const stage = new Stage();
    const news = new Newsroom(stage);
    stage.host.install('/etc/init.d/ssh', program(exitsAfter(100, 0)));
    stage.add(watched());
    stage.run(2 * MINUTE);
    expect(news.lines()).toEqual(['[FAILED] ssh: its start command succeeded, and nothing matches its watch']);
  });

  it('is told when there is nothing to start it with, and its return', () => {
    const stage = new Stage();
    const news = new Newsroom(stage);
    const daemon = stage.bear('/usr/sbin/ssh -D', program());
    stage.add(watched({ start: null }));
    stage.run(MINUTE);
    stage.kill(daemon);
    stage.run(5 * SECOND);
    expect(news.kinds()).toEqual(['failed']);
    expect(news.notices()[0]).toMatchObject({
      label: 'DOWN',
      headline: expect.stringMatching(/nothing to start it with$/),
    });
    stage.bear('/usr/sbin/ssh -D', program());
    stage.run(2 * MINUTE);
    expect(news.kinds()).toEqual(['failed', 'recovered']);
  });

  it('is told when it takes long, whatever it waits for', () => {
    const stage = new Stage();
    const news = new Newsroom(stage);
    const daemon = stage.bear('/usr/sbin/ssh -D', program());
    stage.add(watched({ start: null }));
    stage.run(MINUTE);
    // Somebody asked it to end: it is given its time to come back by itself, and does not.
    stage.kill(daemon, 'SIGTERM');
    stage.run(2 * MINUTE);
    expect(news.lines()).toEqual(['[DOWN] ssh: SIGTERM, not back after 60 s']);
  });

  it('is told when more than one process could be it', () => {
    const stage = new Stage();
    const news = new Newsroom(stage);
    for (const _ of [1, 2]) stage.bear('/usr/sbin/ssh -D', program());
    stage.add(watched());
    stage.run(MINUTE);
    expect(news.lines()).toEqual([
      expect.stringMatching(/^\[DOWN\] ssh: ambiguous: \d+, \d+; narrow with pidFile or user$/),
    ]);
  });

  it('that does not end is told, although nobody wants it up (monitors 19)', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(lives, sleepsInKernel));
    stage.add(supervised());
    const news = new Newsroom(stage);
    stage.run(MINUTE);
    stage.ask('web', 'stop');
    stage.run(5 * MINUTE);
    expect(news.lines()).toEqual([expect.stringMatching(/^\[DOWN\] web: .*SIGKILL did not end/)]);
  });
});

describe('a daemon of somebody else', () => {
  function daemon(): { stage: Stage; news: Newsroom } {
    const stage = new Stage();
    stage.host.install('/etc/init.d/ssh', startsDaemon(['/usr/sbin/ssh'], program(lives)));
    const news = new Newsroom(stage);
    return { stage, news };
  }

  it('that is not there when the keeper looks first is told as started: the report that seed 001 asks for', () => {
    const { stage, news } = daemon();
    stage.add(watched({ description: 'OpenSSH' }));
    stage.run(6 * MINUTE);
    expect(news.lines()).toEqual(['[RESTARTED] ssh: not running, started']);
    expect(news.notices()[0]?.story).toEqual(['OpenSSH was not running, and was started.']);
  });

  it('that somebody restarts by hand is told to nobody', () => {
    const { stage, news } = daemon();
    const old = stage.bear('/usr/sbin/ssh -D', program());
    stage.add(watched());
    stage.run(MINUTE);
    stage.kill(old, 'SIGTERM');
    stage.run(2 * SECOND);
    stage.bear('/usr/sbin/ssh -D', program());
    stage.run(20 * MINUTE);
    expect(stage.happened('ssh', 'died')).toHaveLength(1);
    expect(news.letters).toEqual([]);
  });
});

describe('many services in one moment', () => {
  const names = ['a', 'b', 'c', 'd'];
  const all = names.map((name) => supervised({ name, restart: { when: 'never' } }));

  it('are one letter for each channel, and name each other', () => {
    const { stage, news } = running(all, planWith([{ tell: ['mail', 'log'] }]));
    for (const name of names) {
      crash(stage, name);
      stage.run(200);
    }
    stage.run(5 * SECOND);
    expect(news.letters.map(({ channel, notices }) => [channel, notices.length])).toEqual([
      ['mail', 4],
      ['log', 4],
    ]);
    const neighbours = news.letters[0]?.notices[0]?.postMortem?.neighbours.map(({ service }) => service);
    expect(neighbours).toEqual(['b', 'c', 'd']);
  });

  it('are more than one letter when the second moment comes later', () => {
    const { stage, news } = running(all);
    crash(stage, 'a');
    stage.run(3 * SECOND);
    crash(stage, 'b');
    stage.run(5 * SECOND);
    expect(news.letters.map(({ notices }) => notices.map(({ service }) => service))).toEqual([['a'], ['b']]);
  });
});

describe('the rules', () => {
  it('all apply that match: kinds, names, globs and tags; a channel is told once', () => {
    const specs: readonly ServiceSpec[] = [
      { ...supervised({ restart: { when: 'never' } }), tags: ['front'] },
      supervised({ name: 'db-1', restart: { when: 'never' } }),
      supervised({ name: 'other', restart: { when: 'never' } }),
    ];
    const plan = planWith([
      { tell: ['log'] },
      { kinds: ['failed'], services: ['db-*', 'web'], tell: ['page', 'log'] },
      { kinds: ['failed'], services: ['@front'], tell: ['page', 'chat'] },
      { kinds: ['recovered'], tell: ['calm'] },
    ]);
    const { stage, news } = running(specs, plan);
    for (const name of ['web', 'db-1', 'other']) crash(stage, name);
    stage.run(5 * SECOND);
    const told = (channel: string) => news.notices(channel).map(({ service }) => service);
    expect(told('log')).toEqual(['web', 'db-1', 'other']);
    expect(told('page')).toEqual(['web', 'db-1']);
    expect(told('chat')).toEqual(['web']);
    stage.ask('web', 'start');
    stage.run(MINUTE);
    // Recovered is told to those who knew that it was down, if their rules want it.
    expect(news.kinds('log')).toContain('recovered');
    expect(told('page')).toHaveLength(2);
    expect(told('calm')).toEqual([]);
  });
});

describe('reminders', () => {
  function failed(plan = planWith()) {
    const all = running([supervised({ restart: { when: 'never' } })], plan);
    crash(all.stage);
    all.stage.run(5 * SECOND);
    expect(all.news.kinds()).toEqual(['failed']);
    return all;
  }

  it('come as long as it is down, after ever longer times, three days at most (monitors 32)', () => {
    const { stage, news } = failed();
    const times: number[] = [];
    for (let hour = 0; hour < 24 * 14; hour++) {
      const before = news.letters.length;
      stage.run(HOUR);
      if (news.letters.length > before) times.push(hour + 1);
    }
    expect(times).toEqual([4, 12, 28, 60, 124, 196, 268]);
    expect(news.lines()[1]).toBe('[FAILED] web: SIGSEGV after 60 s, still down after 4 h');
    expect(new Set(news.letters.map(({ thread }) => thread)).size).toBe(1);
  });

  it('come for every kind of lasting failure, also of one that cannot start', () => {
    const { stage, news } = running([supervised({ restart: { limit: null } })]);
    spoil(stage);
    crash(stage);
    stage.run(5 * HOUR);
    expect(news.kinds()).toEqual(['start-failed', 'start-failed 1']);
  });

  it('end with the word of somebody who has taken note, by name or by incident', () => {
    for (const what of ['web', 'incident'] as const) {
      const { stage, news } = failed();
      const incident = news.notices()[0]?.incident ?? '';
      expect(findCase(news.desk, what === 'web' ? 'web' : incident)).toEqual({ service: 'web', incident });
      news.note({ type: 'acked', incident, service: 'web', by: null, reason: null });
      stage.run(DAY);
      expect(news.kinds()).toEqual(['failed']);
      // It is told when it is up again all the same.
      stage.ask('web', 'start');
      stage.run(MINUTE);
      expect(news.kinds()).toEqual(['failed', 'recovered']);
      expect(findCase(news.desk, 'web')).toBeNull();
      expect(ack(news.desk, 'web')).toBe(news.desk);
    }
  });

  it('end when an operator stops it, and nobody is told that it recovered', () => {
    const { stage, news } = failed();
    stage.ask('web', 'stop');
    stage.run(DAY);
    stage.ask('web', 'start');
    stage.run(HOUR);
    expect(news.kinds()).toEqual(['failed']);
  });

  it('end when it is removed from the configuration, also while no keeper was there', () => {
    const { stage, news } = failed();
    const { desk } = news;
    stage.post({ type: 'removed', service: serviceName('web') });
    stage.run(DAY);
    expect(news.kinds()).toEqual(['failed']);
    expect(keepOnly(desk, () => false).cases).toEqual([]);
    expect(keepOnly(desk, () => true)).toBe(desk);
  });

  it('do not come where none are wanted', () => {
    const { stage, news } = failed(planWith(undefined, { remind: null }));
    stage.run(10 * DAY);
    expect(news.kinds()).toEqual(['failed']);
  });
});

describe('an operator', () => {
  it('who stops, starts and restarts is told nothing; `stopped` is for who asked for it', () => {
    const plan = planWith([{ tell: ['admin'] }, { kinds: ['stopped'], tell: ['audit'] }]);
    const { stage, news } = running([supervised()], plan);
    const alice = { pid: 1, name: 'upkeep', uid: 1000, user: 'alice', grade: 'seen' } as const;
    stage.ask('web', 'restart');
    stage.run(MINUTE);
    stage.post({
      type: 'asked',
      service: serviceName('web'),
      ask: { verb: 'stop', reason: 'new disk', until: null, lasts: 'always' },
      by: alice,
    });
    stage.run(MINUTE);
    stage.ask('web', 'start');
    stage.run(20 * MINUTE);
    expect(news.notices()).toEqual([]);
    expect(news.lines('audit')).toEqual(['[STOPPED] web: by alice: new disk']);
  });
});

describe('a hold', () => {
  it('tells nobody anything; at its end a notice says what it finds: down (monitors 32)', () => {
    const { stage, news } = running();
    stage.ask('web', { verb: 'hold', reason: null, until: wallTime(stage.clock.wall + HOUR) });
    stage.run(MINUTE);
    spoil(stage);
    crash(stage);
    stage.run(58 * MINUTE);
    expect(news.letters).toEqual([]);
    stage.run(2 * MINUTE);
    expect(news.lines()[0]).toBe('[HOLD] web: the hold has ended; down for 59 min, now being started');
    expect(news.kinds()).toEqual(['hold-ended', 'start-failed', 'failed'].slice(0, news.kinds().length));
    mend(stage);
    stage.run(5 * MINUTE);
    expect(news.kinds().at(-1)).toBe('recovered');
  });

  it('that finds it running says so when it ends by itself, and nothing when somebody ends it', () => {
    const { stage, news } = running();
    stage.ask('web', { verb: 'hold', reason: null, until: wallTime(stage.clock.wall + HOUR) });
    stage.run(2 * HOUR);
    stage.ask('web', 'hold');
    stage.run(HOUR);
    stage.ask('web', 'unhold');
    stage.run(HOUR);
    expect(news.lines()).toEqual(['[HOLD] web: the hold has ended; it is running']);
  });

  it('silences reminders, and the failure goes on being told afterwards (monitors 32)', () => {
    const { stage, news } = running([supervised()], planWith([{ kinds: ['failed', 'recovered'], tell: ['page'] }]));
    stage.ask('web', 'hold');
    spoil(stage);
    crash(stage);
    stage.run(10 * HOUR);
    expect(news.letters).toEqual([]);
    stage.ask('web', 'unhold');
    stage.run(20 * MINUTE);
    expect(news.kinds('page')).toEqual(['failed']);
  });

  it('does not hide that it had failed before: the reminders go on', () => {
    const { stage, news } = running([supervised({ restart: { limit: { count: 2, within: seconds(300) } } })]);
    spoil(stage);
    crash(stage);
    stage.run(MINUTE);
    stage.ask('web', 'hold');
    stage.run(DAY);
    expect(news.kinds().filter((kind) => kind.includes(' '))).toEqual([]);
    stage.ask('web', 'unhold');
    stage.run(MINUTE);
    expect(news.kinds()).toContain('hold-ended');
    stage.run(DAY);
    expect(news.kinds().filter((kind) => kind.includes(' '))).not.toEqual([]);
  });
});

describe('an opponent', () => {
  it('is told once, and as recovered when nobody stops it any more', () => {
    const { stage, news } = running();
    let comes: 'yes' | 'no' = 'yes';
    const come = (): void => {
      if (comes === 'yes' && stage.state('web').name === 'running') stage.kill(stage.main('web'), 'SIGTERM');
      stage.clock.after(20 * SECOND, come);
    };
    stage.clock.after(SECOND, come);
    stage.run(40 * MINUTE);
    expect(news.kinds()).toEqual(['fight']);
    expect(news.notices()[0]?.headline).toMatch(/^SIGTERM 3 times in .* by whom is not known, starting it in 5 min$/);
    comes = 'no';
    stage.run(3 * HOUR);
    expect(news.kinds()).toEqual(['fight', 'recovered']);
  });
});

describe('the keeper', () => {
  const began = { type: 'began', pid: 801, version: '0.1.0' } as const;

  it('is told of when it was away, was troubled or rejected a configuration, and not when all went as asked', () => {
    const { stage, news } = running();
    const note = news.note.bind(news);
    note({ ...began, before: null });
    note({ type: 'applied', config: '/etc/upkeep/upkeep.yaml', by: null });
    note({ type: 'ended', how: 'leave', by: null });
    stage.run(MINUTE);
    expect(news.letters).toEqual([]);
    note({ ...began, before: 'the one before was killed by SIGKILL, 3 s ago' });
    note({ type: 'troubled', problem: 'the journal cannot be written: ENOSPC' });
    note({ type: 'rejected', config: '/etc/upkeep/upkeep.yaml', problems: ['a', 'b'], by: null });
    stage.run(MINUTE);
    expect(news.letters).toHaveLength(1);
    expect(news.lines()).toEqual([
      '[KEEPER] keeper: the keeper is back (pid 801, version 0.1.0): the one before was killed by SIGKILL, 3 s ago',
      '[KEEPER] keeper: the journal cannot be written: ENOSPC',
      expect.stringMatching(/was not applied: a, and 1 more/),
    ]);
  });

  it('tells of a channel that is lost, and back, through the others only', () => {
    const plan = planWith([{ tell: ['mail', 'log'] }, { services: ['web'], tell: ['page'] }]);
    const { stage, news } = running([supervised()], plan);
    news.note({ type: 'channelLost', channel: 'mail', reason: 'refused' });
    news.note({ type: 'channelBack', channel: 'mail' });
    stage.run(MINUTE);
    expect(news.notices('mail')).toEqual([]);
    expect(news.notices('page')).toEqual([]);
    expect(news.kinds('log')).toEqual(['keeper', 'keeper']);
  });

  it('that is killed and started again, or applies, has nothing told again; what recovered meanwhile is told (monitors 29)', () => {
    const { stage, news } = running([supervised({ restart: { when: 'never' } })]);
    crash(stage);
    stage.run(MINUTE);
    expect(news.kinds()).toEqual(['failed']);
    for (let n = 0; n < 3; n++) {
      stage.killKeeper();
      stage.run(MINUTE);
      stage.startKeeper();
      news.note({ ...began, before: null });
      stage.run(MINUTE);
    }
    stage.post({
      type: 'changed',
      service: serviceName('web'),
      spec: supervised({ description: 'shop', restart: { when: 'never' } }),
    });
    stage.run(MINUTE);
    expect(news.kinds()).toEqual(['failed']);
    stage.ask('web', 'start');
    stage.run(5 * SECOND);
    stage.killKeeper();
    stage.run(HOUR);
    stage.startKeeper();
    news.note({ ...began, before: null });
    stage.run(10 * SECOND);
    // It counts from when somebody was there to see it.
    expect(news.kinds()).toEqual(['failed']);
    stage.run(MINUTE);
    expect(news.kinds()).toEqual(['failed', 'recovered']);
  });
});

describe('a host that goes down', () => {
  it('ends everything, and nobody is told of it', () => {
    const { stage, news } = running(
      [supervised(), watched()].slice(0, 1),
      planWith([{ kinds: ['died', 'failed', 'start-failed'] }]),
    );
    stage.turnHost('ending');
    crash(stage);
    stage.run(HOUR);
    expect(news.letters).toEqual([]);
  });
});

describe('a service that keeps dying fast', () => {
  it('is few letters, however often it dies', () => {
    const { stage, news } = running();
    stage.host.install('/srv/web', program(diesAfter(3000, 'SIGABRT')));
    crash(stage);
    stage.run(6 * HOUR);
    expect(stage.happened('web', 'died').length).toBeGreaterThan(100);
    expect(news.kinds().filter((kind) => !kind.includes(' '))).toEqual(['flapping', 'failed']);
    mend(stage);
    stage.run(15 * MINUTE);
    expect(news.kinds().at(-1)).toBe('recovered');
  });
});

describe('services that need each other (monitors 31)', () => {
  const db = supervised({ name: 'db' });

  it('are told of as the one that died, and those that it moved are not', () => {
    const { stage, news } = running([db, supervised({ needs: ['db'] })]);
    crash(stage, 'db');
    stage.run(10 * MINUTE);
    expect(stage.spawns('web')).toBe(2);
    expect(news.lines()).toEqual(['[RESTARTED] db: SIGSEGV after 60 s, back after 1.0 s']);
  });

  it('are told of as the one that failed, with the names of those that are down on its account', () => {
    const { stage, news } = running([db, supervised({ needs: ['db'] }), supervised({ name: 'ui', needs: ['web'] })]);
    spoil(stage, 'db');
    crash(stage, 'db');
    stage.run(10 * MINUTE);
    expect(new Set(news.notices().map(({ service }) => service))).toEqual(new Set(['db']));
    expect(news.notices().find(({ kind }) => kind === 'failed')?.story).toContain(
      'Down with it, because they need it: web, ui.',
    );
  });

  it('are not told of when they end by themselves while what they need is away', () => {
    const { stage, news } = running([db, supervised({ needs: [{ service: 'db', grace: seconds(20) }] })]);
    spoil(stage, 'db');
    crash(stage, 'db');
    stage.run(5);
    crash(stage, 'web');
    stage.run(10 * SECOND);
    expect(stage.service('web').restarts.total).toBe(0);
    expect(new Set(news.notices().map(({ service }) => service))).toEqual(new Set(['db']));
  });
});
