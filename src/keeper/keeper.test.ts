import { expect, it } from 'vitest';
import { supervised } from '../../test/support/builders.js';
import { Stage } from '../../test/support/stage.js';
import { stateDeadline } from '../core/deadline.js';
import { newService } from '../core/state.js';
import { instant, millis } from '../core/time.js';

it.each([
  ['web first', ['web', 'db']],
  ['db first', ['db', 'web']],
])('of two that ended at once, heard of as one, neither is started for nothing (%s)', (_order, names) => {
  const stage = Stage.with([supervised({ name: 'db' }), supervised({ name: 'web', needs: ['db'] })]);
  stage.runUntilState('web', 'running');
  stage.keeper.gather(() => {
    for (const name of names) stage.kill(stage.main(name));
    stage.run(5);
  });
  stage.runUntilState('web', 'running');
  expect(['db', 'web'].map((name) => stage.spawns(name))).toEqual([2, 2]);
});

it('those that ended at once are incidents of their own, and wait for delays of their own', () => {
  const names = Array.from({ length: 20 }, (_, index) => `web${index}`);
  const stage = Stage.with(names.map((name) => supervised({ name, restart: { delay: millis(5000) } })));
  stage.runUntil(() => names.every((name) => stage.state(name).name === 'running'));
  stage.keeper.gather(() => {
    for (const name of names) stage.kill(stage.main(name));
    stage.run(5);
  });
  expect(new Set(names.map((name) => stage.service(name).lastDeath?.incident)).size).toBe(20);
  expect(new Set(names.map((name) => stateDeadline(stage.service(name)))).size).toBe(20);
});

it('of facts that came together one that the core does not expect is dropped alone', () => {
  const stage = Stage.with([supervised({ name: 'db' })]);
  stage.runUntilState('db', 'running');
  const odd = supervised({ name: 'odd' });
  const broken = { ...newService(odd, instant(0)), state: { name: 'backwards' } } as never;
  stage.post({
    type: 'together',
    events: [
      { type: 'added', service: odd.name, as: broken },
      { type: 'keeperEnded', service: stage.service('db').spec.name },
    ],
  });
  stage.runUntilState('db', 'stopped');
  expect(stage.problems.map((problem) => problem.split(':', 2).join(':'))).toEqual([
    'a fact was dropped: 2 together',
    'a fact was dropped: added about odd',
  ]);
});
