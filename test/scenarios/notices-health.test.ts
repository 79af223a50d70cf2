// Who is told of what a heartbeat says, and when: services on a simulated host that answer as the test wants.

import { describe, expect, it } from 'vitest';
import type { HeartbeatSpec } from '../../src/core/heartbeat.js';
import type { Answer } from '../../src/core/question.js';
import type { RestartSpec } from '../../src/core/spec.js';
import { millis, seconds } from '../../src/core/time.js';
import { command, heartbeat, supervised } from '../support/builders.js';
import { Newsroom, planWith } from '../support/newsroom.js';
import { Stage } from '../support/stage.js';

const SECOND = 1000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const good: Answer = { result: 'good', ms: millis(3), detail: '200' };
const bad: Answer = { result: 'failed', ms: millis(5000), detail: 'no answer within 5 s' };
const lost: Answer = { result: 'unasked', ms: millis(20), detail: 'db.example.org does not resolve' };

/** A service with one heartbeat every 10 s, that has been up for a minute; `says` is what it answers from now on. */
function asked(wish: Partial<HeartbeatSpec> = {}, plan = planWith(), restart: Partial<RestartSpec> = {}) {
  // The askers of the host are not heard: the test answers itself.
  const stage = new Stage({ courseOf: () => ({ after: 0, how: 'lost' }) });
  let answer: Answer = good;
  const take = (): Answer => answer;
  stage.onEffect = (effect) => {
    if (effect.type !== 'ask') return;
    const { spec, heartbeat: about, process, question } = effect;
    stage.clock.after(20, () =>
      stage.post({
        ...{ type: 'answered', service: spec.name, process, question },
        heartbeat: about.name,
        answer: take(),
      }),
    );
  };
  const http = heartbeat({ name: 'http', every: { type: 'interval', every: seconds(10) }, ...wish });
  const spec = supervised({ heartbeats: [http], restart });
  stage.add(spec);
  const news = new Newsroom(stage, plan);
  stage.run(MINUTE);
  const says = (next: Answer): void => {
    answer = next;
  };
  return { stage, news, spec, says };
}

const notice: HeartbeatSpec['then'] = { type: 'notice' };

describe('a heartbeat that fails and is only to be told of', () => {
  it('is told at once and once, with what was asked, what came of it and what is done', () => {
    const { stage, news, says } = asked({ then: notice });
    says(bad);
    stage.run(2 * MINUTE);
    expect(news.lines()).toEqual([
      '[UNHEALTHY] web: heartbeat http failed 3 times in a row: no answer within 5 s; nothing is done about it',
    ]);
    const [told] = news.notices();
    expect(told).toMatchObject({ kind: 'unhealthy', postMortem: null, incident: expect.any(String) });
    expect(told?.story).toEqual([
      'web runs, but it does not do its work: its heartbeat http failed 3 times in a row.',
      'It was asked: tcp localhost:8080.',
      'The last answer: no answer within 5 s.',
      'Nothing is done about it but telling you, as `then: notice` says.',
      'When it is good again, that is told.',
    ]);
    expect(told?.commands.map((one) => one.command)).toEqual([
      'upkeep test web',
      'upkeep why web',
      `upkeep ack ${told?.incident}`,
      'upkeep hold web --for 2h',
    ]);
    stage.run(HOUR);
    expect(news.kinds()).toEqual(['unhealthy']);
  });

  it('recovers in the same thread when it has been good for a while, with how long it was not', () => {
    const { stage, news, says } = asked({ then: notice });
    says(bad);
    stage.run(10 * MINUTE);
    says(good);
    stage.run(5 * MINUTE);
    expect(news.kinds()).toEqual(['unhealthy', 'recovered']);
    const [ill, well] = news.notices();
    expect(well?.headline).toMatch(/^does its work again, after 10 min$/);
    expect(well?.incident).toBe(ill?.incident);
    expect(news.letters.map(({ thread }) => thread)).toEqual([ill?.incident, ill?.incident]);
  });

  it('that changes its mind every minute is one trouble, not one a minute', () => {
    const { stage, news, says } = asked({ then: notice, fails: { count: 1, of: 1 } });
    for (let n = 0; n < 10; n++) {
      says(bad);
      stage.run(20 * SECOND);
      says(good);
      stage.run(20 * SECOND);
    }
    expect(news.kinds()).toEqual(['unhealthy']);
    stage.run(5 * MINUTE);
    expect(news.kinds()).toEqual(['unhealthy', 'recovered']);
  });

  it('is reminded of like everything that lasts, in words of its own', () => {
    const { stage, news, says } = asked({ then: notice });
    says(bad);
    stage.run(5 * HOUR);
    expect(news.kinds()).toEqual(['unhealthy', 'unhealthy 1']);
    expect(news.lines()[1]).toBe('[UNHEALTHY] web: heartbeat http still fails after 4 h: no answer within 5 s');
  });

  it('is known to a keeper that comes back, and told no second time', () => {
    const { stage, news, says } = asked({ then: notice });
    says(bad);
    stage.run(2 * MINUTE);
    stage.killKeeper();
    stage.startKeeper();
    stage.run(10 * MINUTE);
    expect(news.kinds()).toEqual(['unhealthy']);
    says(good);
    stage.run(5 * MINUTE);
    expect(news.kinds()).toEqual(['unhealthy', 'recovered']);
  });

  it('has recovered when its configuration asks it no more', () => {
    const { stage, news, spec, says } = asked({ then: notice });
    says(bad);
    stage.run(2 * MINUTE);
    stage.apply([{ ...spec, heartbeats: [] }]);
    news.work();
    stage.run(5 * MINUTE);
    expect(news.kinds()).toEqual(['unhealthy', 'recovered']);
  });

  it('runs its command and is told at once where `then` names one', () => {
    const { stage, news, says } = asked({ then: { type: 'exec', command: command('/usr/local/bin/page') } });
    says(bad);
    stage.run(2 * MINUTE);
    expect(news.lines()[0]).toMatch(/; its command is run$/);
    expect(news.kinds()).toEqual(['unhealthy']);
  });
});

describe('a heartbeat that restarts what fails it', () => {
  it('is told in the digest when that healed it, in one letter with what it had said', () => {
    const { stage, news, says } = asked();
    says(bad);
    stage.runUntil(() => stage.happened('web', 'unhealthy').length > 0);
    says(good);
    stage.run(3 * MINUTE);
    expect(news.letters).toEqual([]);
    stage.run(5 * MINUTE);
    expect(news.lines()).toEqual([
      expect.stringMatching(
        /^\[RESTARTED\] web: failed its heartbeat http \(no answer within 5 s\) after .*, back after 1\.0 s$/,
      ),
    ]);
    stage.run(HOUR);
    expect(news.letters).toHaveLength(1);
  });

  it('is told at once, and once, when the restart did not help, and again when it is good', () => {
    const { stage, news, says } = asked();
    says(bad);
    stage.runUntil(() => stage.happened('web', 'unhealthy').length > 1);
    stage.run(2 * SECOND);
    expect(news.lines()).toEqual([
      '[UNHEALTHY] web: heartbeat http failed 3 times in a row: no answer within 5 s; a restart did not help, restarting it again',
    ]);
    stage.run(30 * MINUTE);
    expect(news.kinds()).toEqual(['unhealthy']);
    says(good);
    stage.run(20 * MINUTE);
    expect(news.kinds()).toEqual(['unhealthy', 'recovered']);
    expect(new Set(news.notices().map(({ incident }) => incident)).size).toBe(1);
  });

  it('is a failure like any other when the limit of restarts is reached', () => {
    const { stage, news, says } = asked({ fails: { count: 1, of: 1 }, grace: millis(0) }, planWith(), {
      limit: { count: 3, within: seconds(300) },
    });
    says(bad);
    stage.run(4 * MINUTE);
    expect(news.kinds()).toContain('failed');
    expect(news.lines().find((line) => line.startsWith('[FAILED]'))).toContain('failed its heartbeat http');
  });

  it('is stopped for good where `then` says so, in one letter that says by what', () => {
    const { stage, news, says } = asked({ then: { type: 'stop' } });
    says(bad);
    stage.run(2 * MINUTE);
    expect(stage.state('web').name).toBe('failed');
    expect(news.lines()).toEqual([
      expect.stringMatching(/^\[FAILED\] web: failed its heartbeat http \(no answer within 5 s\).*staying down$/),
    ]);
  });
});

describe('a heartbeat that could not be asked', () => {
  it('is told in the digest, without an alarm, and again when it can be (monitors 11)', () => {
    const { stage, news, says } = asked();
    says(lost);
    stage.run(MINUTE);
    expect(news.letters).toEqual([]);
    stage.run(5 * MINUTE);
    expect(news.lines()).toEqual(['[UNASKED] web: heartbeat http could not be asked: db.example.org does not resolve']);
    expect(news.notices()[0]).toMatchObject({ kind: 'heartbeat-error', incident: null, postMortem: null });
    stage.run(HOUR);
    expect(news.letters).toHaveLength(1);
    expect(stage.happened('web', 'died')).toEqual([]);
    says(good);
    stage.run(10 * MINUTE);
    expect(news.lines()[1]).toMatch(
      /^\[UP\] web: heartbeat http is answered again, after 6\d min in which it could not be asked$/,
    );
    stage.run(HOUR);
    expect(news.letters).toHaveLength(2);
  });

  it('for a moment only is one line, that of its end', () => {
    const { stage, news, says } = asked();
    for (let n = 0; n < 3; n++) {
      says(lost);
      stage.run(20 * SECOND);
      says(good);
      stage.run(20 * SECOND);
    }
    stage.run(10 * MINUTE);
    expect(news.lines()).toEqual([
      expect.stringMatching(/^\[UP\] web: heartbeat http is answered again, after \d\d s/),
    ]);
  });
});

it('nobody is told under a hold, and nobody is asked', () => {
  const { stage, news, says } = asked({ then: notice });
  stage.ask('web', 'hold');
  stage.run(SECOND);
  const before = stage.effects.filter(({ type }) => type === 'ask').length;
  says(bad);
  stage.run(HOUR);
  expect(stage.effects.filter(({ type }) => type === 'ask')).toHaveLength(before);
  expect(news.kinds()).toEqual([]);
  stage.ask('web', 'unhold');
  stage.run(5 * MINUTE);
  expect(news.kinds()).toEqual(['unhealthy']);
});

it('an operator’s stop ends the trouble without a word of recovery', () => {
  const { stage, news, says } = asked({ then: notice });
  says(bad);
  stage.run(2 * MINUTE);
  stage.ask('web', 'stop');
  stage.run(HOUR);
  expect(news.kinds()).toEqual(['unhealthy']);
});
