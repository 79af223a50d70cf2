// Hand-overs among others: what is coupled to a service does not notice one, what moves the service ends one; pools roll by it,
// and the calendar restarts by it.

import { describe, expect, it } from 'vitest';
import { memberName, type ServiceSpec } from '../../src/core/spec.js';
import { seconds } from '../../src/core/time.js';
import { command, heartbeat, supervised } from '../support/builders.js';
import { drains, handsOver, program, readyAfter } from '../support/program.js';
import { Stage } from '../support/stage.js';
import {
  overlapping,
  phases,
  polite,
  progressSince,
  reach,
  serving,
  standingOf,
  thorough,
} from '../support/succession.js';

function among(...others: readonly ServiceSpec[]): Stage {
  const stage = new Stage();
  stage.host.install('/srv/web', polite);
  for (const name of ['pre', 'post'])
    stage.host.install(`/srv/${name}`, program({ life: { type: 'exits', after: 10, code: 0 } }));
  stage.addAll([thorough({ needs: others.some(({ name }) => name === 'db') ? ['db'] : [] }), ...others]);
  stage.run(60_000);
  return stage;
}

describe('others', () => {
  it('are untouched by a committed hand-over, whatever they have to do with it', () => {
    const stage = among(
      supervised({ name: 'needing', needs: ['web'] }),
      supervised({ name: 'partner', restartWith: ['web'] }),
      supervised({ name: 'later', after: ['web'] }),
      supervised({ name: 'wanting', wants: ['web'] }),
    );
    const names = ['needing', 'partner', 'later', 'wanting'];
    const before = names.map((name) => stage.service(name));
    stage.ask('web', 'restart');
    stage.run(10_000);
    expect(stage.service('web')).toMatchObject({ generation: 2, state: { name: 'running' }, wave: null });
    expect(names.map((name) => stage.service(name))).toEqual(before);
    expect(stage.changes.filter(({ what }) => what.type === 'waved')).toEqual([]);
  });

  it.each(phases)('that move it, in %s, end the hand-over first: the wave goes its way', (phase) => {
    const stage = among(supervised({ name: 'db' }));
    const was = standingOf(stage);
    reach(stage, phase);
    stage.kill(stage.main('db'));
    stage.run(20_000);
    expect(stage.state('web').name).toBe('running');
    expect(stage.mains('web')).toHaveLength(1);
    expect(was.main.life).toBe('gone');
    expect(stage.service('web').restarts.total).toBe(0);
    expect(stage.service('web')).toMatchObject({ draining: [], unborn: [], wave: null });
    expect(stage.problems).toEqual([]);
  });

  it('that are restarted in the same breath restart it with them: that is what was asked for', () => {
    const stage = among(supervised({ name: 'db' }));
    const was = standingOf(stage);
    stage.askAll(['web', 'db'], 'restart');
    stage.run(10);
    expect(progressSince(stage, was)).toMatchObject({ type: 'pending' });
    stage.run(20_000);
    expect(progressSince(stage, was)).toMatchObject({ type: 'done' });
    expect(stage.mains('web')).toHaveLength(1);
    expect(was.main.life).toBe('gone');
  });

  it('that come back within their grace do not end it', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(handsOver(), readyAfter(1_000)));
    stage.addAll([overlapping({ needs: [{ service: 'db', grace: seconds(5) }] }), supervised({ name: 'db' })]);
    stage.run(60_000);
    reach(stage, 'warming');
    stage.kill(stage.main('db'));
    stage.run(20_000);
    expect(stage.service('web')).toMatchObject({ generation: 2, state: { name: 'running' } });
  });

  it('that need it go down with it when the old generation dies before the new one is ready', () => {
    const stage = among(supervised({ name: 'needing', needs: ['web'] }));
    reach(stage, 'warming');
    stage.kill(stage.serving('web'));
    stage.run(20_000);
    expect(stage.service('needing')).toMatchObject({ generation: 2, state: { name: 'running' } });
    expect(stage.state('web').name).toBe('running');
  });
});

describe('a pool', () => {
  const pool = (of: number, wish: Parameters<typeof supervised>[0] = {}): readonly ServiceSpec[] =>
    Array.from({ length: of }, (_, at) =>
      overlapping({
        ...wish,
        name: memberName('web', at + 1),
        run: '/srv/web',
        pool: { name: 'web', index: at + 1, of },
      }),
    );
  const names = ['web@1', 'web@2', 'web@3'];

  function up(specs = pool(3), programs = [polite]): Stage {
    const stage = new Stage();
    stage.host.install('/srv/web', ...programs);
    stage.addAll(specs);
    stage.run(60_000);
    return stage;
  }

  it('rolls by hand-overs, one member at a time, and none is ever away', () => {
    const stage = up();
    const busy: string[] = [];
    stage.clock.afterEach = () => {
      const states = names.map((name) => stage.state(name).name);
      expect(states.every((state) => state === 'running' || state === 'handover')).toBe(true);
      busy.push(String(states.filter((state) => state === 'handover').length));
    };
    stage.askAll(names, 'restart');
    stage.run(20_000);
    expect(names.map((name) => stage.service(name).generation)).toEqual([2, 2, 2]);
    expect(Math.max(...busy.map(Number))).toBe(1);
  });

  it('stops its roll at the first that refuses, and says so to those that were to follow', () => {
    const picky = program(handsOver({ verdict: 'refused' }), readyAfter(50));
    const stage = up(pool(3), [polite, polite, polite, polite, picky]);
    const was = standingOf(stage, 'web@3');
    stage.askAll(names, 'restart');
    stage.run(20_000);
    expect(names.map((name) => stage.service(name).generation)).toEqual([2, 1, 1]);
    expect(progressSince(stage, was, 'restart', 'web@3')).toMatchObject({ type: 'failed' });
    expect(progressSince(stage, was, 'restart', 'web@3').text).toMatch(
      /web@2 was not replaced: the new generation refused/,
    );
    expect(names.map((name) => stage.service(name).enrolled)).toEqual([null, null, null]);
  });

  it('waits with a member whose old generation still drains', () => {
    const stage = up(pool(3), [program(handsOver(), readyAfter(50), drains(10_000))]);
    stage.askAll(names, 'restart');
    stage.run(5_000);
    expect(names.map((name) => stage.service(name).generation)).toEqual([2, 2, 2]);
    stage.apply(pool(3, { fdStore: 1, notifyAccess: 'all' }).map((spec) => withArgument(spec, 'new')));
    stage.run(2_000);
    expect(names.map((name) => stage.service(name).generation)).toEqual([2, 2, 2]);
    stage.run(30_000);
    expect(names.map((name) => stage.service(name).generation)).toEqual([3, 3, 3]);
  });
});

const withArgument = (spec: ServiceSpec, argument: string): ServiceSpec =>
  spec.kind.type === 'supervised' ? { ...spec, kind: { ...spec.kind, run: command(`/srv/web ${argument}`) } } : spec;

describe('the calendar', () => {
  it('restarts it by a hand-over; one that is refused is tried the next time', () => {
    const picky = program(handsOver({ verdict: 'refused' }), readyAfter(50));
    const stage = serving(overlapping({ restart: { at: '0 * * * *' } }), polite, [picky, polite]);
    stage.run(3_600_000);
    expect(stage.happened('web', 'handoverRefused')).toHaveLength(1);
    expect(stage.service('web')).toMatchObject({ generation: 1, state: { name: 'running' } });
    stage.run(3_600_000);
    expect(stage.service('web')).toMatchObject({ generation: 2, state: { name: 'running' }, restarts: { total: 0 } });
  });
});

describe('heartbeats', () => {
  it('are not asked in a hand-over, and go on where they were when it came to nothing', () => {
    const picky = program(handsOver({ verdict: 'refused' }), readyAfter(3_000));
    const beats = [heartbeat({ every: { type: 'interval', every: seconds(1) }, grace: seconds(0) })];
    const stage = serving(overlapping({ heartbeats: beats }), polite, [picky]);
    const was = stage.service('web').health;
    const asked = stage.questions('web').length;
    stage.ask('web', 'restart');
    stage.run(5_000);
    expect(stage.questions('web')).toHaveLength(asked);
    stage.run(5_000);
    expect(stage.happened('web', 'handoverRefused')).toHaveLength(1);
    expect(stage.questions('web').length).toBeGreaterThan(asked);
    expect(stage.service('web').health.map(({ verdict, begun }) => [verdict, begun])).toEqual(
      was.map(({ verdict, begun }) => [verdict, begun]),
    );
  });
});
