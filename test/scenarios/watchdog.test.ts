// The watchdog: a service that promised to say so lives as long as it says so in time (acceptance cases A13 and E7).

import { describe, expect, it } from 'vitest';
import { millis, seconds } from '../../src/core/time.js';
import { supervised } from '../support/builders.js';
import { drains, ignoresTerm, pings, program, readyAfter } from '../support/program.js';
import { Stage } from '../support/stage.js';

const watched = (wish: Parameters<typeof supervised>[0] = {}) =>
  supervised({ ready: { probe: { type: 'notify' } }, notifyAccess: 'main', watchdog: seconds(3), ...wish });

function up(
  spec = watched(),
  act = program(readyAfter(50), pings(1_000)),
  until: 'running' | 'starting' = 'running',
): Stage {
  const stage = new Stage();
  stage.host.install('/srv/web', act);
  stage.add(spec);
  stage.runUntilState('web', until);
  return stage;
}

describe('a watchdog', () => {
  it('leaves alone whoever says in time that it lives', () => {
    const stage = up();
    stage.run(3_600_000);
    expect(stage.service('web').generation).toBe(1);
    expect(stage.signals('web')).toEqual([]);
  });

  it('asks for a core from who does not, and starts it anew: cause watchdog, counted (A13) (E7)', () => {
    const stage = up();
    stage.run(60_000);
    const old = stage.serving('web');
    old.doing = 'hangs';
    stage.run(4_000);
    expect(old.received).toContain('SIGABRT');
    stage.run(2_000);
    expect(stage.service('web').lastDeath).toMatchObject({ cause: 'watchdog' });
    expect(stage.service('web')).toMatchObject({ generation: 2, state: { name: 'running' }, restarts: { total: 1 } });
    expect(stage.happened('web', 'watchdogMissed')[0]?.what).toMatchObject({ how: 'silence', period: 3_000 });
  });

  it('gives it time for the core, then the ladder, then SIGKILL', () => {
    const stage = up(watched(), program(readyAfter(50), pings(1_000), ignoresTerm));
    stage.run(60_000);
    const old = stage.serving('web');
    old.doing = 'hangs';
    stage.run(4_000);
    expect(old.received).toEqual(['SIGABRT', 'SIGCONT']);
    stage.run(25_000);
    expect(old.received).toEqual(['SIGABRT', 'SIGCONT']);
    stage.run(6_000);
    expect(old.received).toEqual(['SIGABRT', 'SIGCONT', 'SIGTERM', 'SIGCONT']);
    stage.run(11_000);
    expect(old.life).toBe('gone');
  });

  it('runs no commands before a stop of one that hangs, and asks it for no state', () => {
    const stage = up();
    stage.run(60_000);
    stage.serving('web').doing = 'hangs';
    stage.run(10_000);
    expect(stage.effects.filter(({ type }) => type === 'export')).toEqual([]);
  });

  it.each([
    ['on-watchdog', 'running'],
    ['on-failure', 'running'],
    ['on-abnormal', 'running'],
    ['on-abort', 'failed'],
    ['on-success', 'failed'],
    ['never', 'failed'],
  ] as const)('is answered by the policy %s: %s', (when, state) => {
    const stage = up(watched({ restart: { when } }));
    stage.run(60_000);
    stage.serving('web').doing = 'hangs';
    stage.run(20_000);
    expect(stage.state('web').name).toBe(state);
  });

  it('is pulled by the service itself, also where none is configured (A13)', () => {
    const stage = up(watched({ watchdog: null }));
    stage.run(60_000);
    stage.say('web', { watchdog: 'trigger' });
    stage.run(10);
    expect(stage.happened('web', 'watchdogMissed')[0]?.what).toMatchObject({ how: 'trigger' });
    stage.run(5_000);
    expect(stage.service('web')).toMatchObject({ generation: 2, lastDeath: { cause: 'watchdog' } });
  });

  it('has the period that the service asks for, from then on (A13)', () => {
    const stage = up(watched(), program(readyAfter(50), pings(5_000)));
    stage.say('web', { watchdogPeriod: millis(6_000) });
    stage.run(60_000);
    expect(stage.service('web').generation).toBe(1);
    stage.say('web', { watchdogPeriod: millis(0) });
    stage.run(10);
    stage.serving('web').doing = 'hangs';
    stage.run(3_600_000);
    expect(stage.service('web').generation).toBe(1);
    expect(stage.service('web').watchdog).toBeNull();
  });

  it.each([
    ['in a message of its own before READY=1', [{ watchdogPeriod: millis(60_000) }, { ready: 'yes' }], 60_000],
    ['beside READY=1', [{ ready: 'yes', watchdogPeriod: millis(60_000) }], 60_000],
    ['beside READY=1: never', [{ ready: 'yes', watchdogPeriod: millis(0) }], null],
  ] as const)('has the period that the service asks for %s (A13)', (_, words, period) => {
    const stage = up(watched(), program(readyAfter(null)), 'starting');
    stage.run(100);
    for (const word of words) stage.say('web', word);
    stage.runUntilState('web', 'running');
    expect(stage.service('web').watchdog?.period ?? null).toBe(period);
    stage.kill(stage.serving('web'));
    stage.run(2_000);
    stage.say('web', { ready: 'yes' });
    stage.runUntilState('web', 'running');
    expect(stage.service('web').watchdog).toMatchObject({ period: 3_000 });
  });

  it('is armed anew for the next process, with the period of the configuration', () => {
    const stage = up();
    stage.say('web', { watchdogPeriod: millis(60_000) });
    stage.run(10);
    stage.kill(stage.serving('web'));
    stage.run(5_000);
    expect(stage.service('web').watchdog).toMatchObject({ period: 3_000 });
  });

  it('is armed only once it is ready', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(readyAfter(20_000)));
    stage.add(watched());
    stage.run(19_000);
    expect(stage.state('web').name).toBe('starting');
    expect(stage.service('web').watchdog).toBeNull();
  });

  it('waits as long as the service asks it to (A12)', () => {
    const stage = up();
    stage.run(10_000);
    stage.say('web', { extend: millis(30_000) });
    stage.serving('web').doing = 'hangs';
    stage.run(29_000);
    expect(stage.signals('web')).toEqual([]);
    stage.run(5_000);
    expect(stage.signals('web')).toContain('SIGABRT');
  });

  it('says nothing of one that has said that it stops', () => {
    const stage = up(watched(), program(readyAfter(50), pings(1_000), drains(8_000)));
    stage.say('web', { stopping: 'yes' });
    stage.serving('web').doing = 'hangs';
    stage.run(9_000);
    expect(stage.happened('web', 'watchdogMissed')).toEqual([]);
  });

  it('does not blame a service for time in which the keeper or the machine stood still', () => {
    const stage = up();
    stage.run(10_000);
    stage.stallWithFactsBehind(60_000);
    stage.run(10_000);
    expect(stage.service('web').generation).toBe(1);
    // Not even one whose words of that time were lost.
    stage.clock.stall(60_000);
    stage.run(2_900);
    expect(stage.signals('web')).toEqual([]);
  });

  it('begins anew under a keeper that comes back', () => {
    const stage = up();
    stage.run(10_000);
    stage.killKeeper();
    stage.run(60_000);
    stage.startKeeper();
    stage.run(2_000);
    expect(stage.service('web').generation).toBe(1);
    stage.serving('web').doing = 'hangs';
    stage.run(6_000);
    expect(stage.service('web').generation).toBe(2);
  });

  it('is nothing to act on under a hold', () => {
    const stage = up();
    stage.run(10_000);
    stage.ask('web', 'hold');
    stage.serving('web').doing = 'hangs';
    stage.say('web', { watchdog: 'trigger' });
    stage.run(60_000);
    expect(stage.signals('web')).toEqual([]);
  });
});
