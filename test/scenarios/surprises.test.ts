import { expect, it } from 'vitest';
import { newService } from '../../src/core/state.js';
import { instant } from '../../src/core/time.js';
import { supervised } from '../support/builders.js';
import { Stage } from '../support/stage.js';

const MINUTE = 60_000;

it('a sink that throws is reported, and keeping goes on (supervisors 35)', () => {
  const stage = Stage.with([supervised()]);
  stage.keeper.subscribe({
    tell: () => {
      throw new Error('the disk is full');
    },
  });
  stage.run(MINUTE);
  stage.kill(stage.main('web'));
  stage.run(2000);
  expect(stage.state('web').name).toBe('running');
  expect(stage.problems[0]).toContain('the disk is full');
});

it('an order that fails with an exception is reported, and the other services are served (supervisors 35)', () => {
  const stage = Stage.with([supervised({ name: 'one' }), supervised({ name: 'two' })]);
  stage.run(MINUTE);
  stage.onEffect = (effect) => {
    if (effect.type === 'spawn' && effect.spec.name === 'one') throw new Error('no such call on this kernel');
  };
  stage.kill(stage.main('one'));
  stage.kill(stage.main('two'));
  stage.run(2000);
  expect(stage.state('two').name).toBe('running');
  expect(stage.problems[0]).toContain('no such call on this kernel');
});

it('a fact that the core does not expect is reported and dropped, and the next one is taken', () => {
  const stage = Stage.with([supervised()]);
  stage.run(MINUTE);
  const broken = { ...newService(supervised({ name: 'odd' }), instant(0)), state: { name: 'backwards' } } as never;
  stage.post({ type: 'added', service: supervised({ name: 'odd' }).name, as: broken });
  expect(stage.problems).toHaveLength(1);
  stage.kill(stage.main('web'));
  stage.run(2000);
  expect(stage.state('web').name).toBe('running');
});

it('facts about a service that is not there (any more) are dropped without a word', () => {
  const stage = Stage.with([supervised()]);
  const { name } = supervised({ name: 'nobody' });
  stage.post({ type: 'resumed', service: name });
  stage.post({ type: 'deadlinePassed', service: name });
  stage.ask('nobody', 'start');
  expect(stage.problems).toEqual([]);
  expect(stage.keeper.services.size).toBe(1);
});

it('an idle keeper wakes for nothing', () => {
  const stage = Stage.with(Array.from({ length: 20 }, (_, index) => supervised({ name: `web${index}` })));
  stage.run(MINUTE);
  expect(stage.clock.wake).toBeNull();
});
