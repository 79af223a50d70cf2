import { describe, expect, it } from 'vitest';
import { describeDeath } from '../../src/core/death.js';
import type { ServiceSpec } from '../../src/core/spec.js';
import { command, supervised } from '../support/builders.js';
import { binds, exitsAfter, lives, program } from '../support/program.js';
import { Stage } from '../support/stage.js';

const MINUTE = 60_000;
const SOCKET = '/run/web/agent.sock';

/** A service that does not start where its socket is, having run for a minute. */
function withSocket(spec: ServiceSpec): Stage {
  const stage = new Stage();
  stage.host.install('/srv/web', program(lives, binds(SOCKET)));
  stage.add(spec);
  stage.run(MINUTE);
  expect(stage.state('web').name).toBe('running');
  return stage;
}

describe('a socket that a killed process left (graceful 8)', () => {
  it('hinders its next start where nobody says that it may be removed', () => {
    const stage = withSocket(supervised());
    stage.kill(stage.main('web'));
    stage.run(MINUTE);
    expect(stage.state('web').name).not.toBe('running');
    expect(stage.service('web').lastDeath?.status).toEqual({ type: 'exited', code: 1 });
  });

  it('is removed before the next start, as often as that takes', () => {
    const stage = withSocket(supervised({ clean: [SOCKET] }));
    for (let round = 0; round < 3; round++) {
      stage.kill(stage.main('web'));
      stage.run(MINUTE);
      expect(stage.state('web').name).toBe('running');
    }
    expect(stage.spawns('web')).toBe(4);
  });

  it('is removed also where the keeper dies at any call on the way to the next start', () => {
    for (let calls = 1; calls <= 12; calls++) {
      const stage = withSocket(supervised({ clean: [SOCKET], directories: [{ path: '/run/web', mode: 0o755 }] }));
      stage.killKeeperAfter(calls);
      stage.kill(stage.main('web'));
      stage.run(1000);
      stage.cutFuse();
      stage.killKeeper();
      stage.startKeeper();
      stage.run(MINUTE);
      expect(stage.state('web').name).toBe('running');
      expect(stage.mains('web')).toHaveLength(1);
      expect(stage.problems).toEqual([]);
    }
  });
});

describe('what cannot be prepared', () => {
  it('is a failed start that says why, and is tried again until it can', () => {
    const stage = withSocket(supervised({ directories: [{ path: '/run/web', mode: 0o755 }], clean: [SOCKET] }));
    stage.host.files.set('/run/web', { type: 'file', uid: 0, holder: null });
    stage.kill(stage.main('web'));
    stage.run(MINUTE);
    const { lastDeath, generation } = stage.service('web');
    expect(lastDeath === null ? '' : describeDeath(lastDeath)).toContain('/run/web is there and is no directory');
    expect([stage.spawns('web'), generation > 2]).toEqual([1, true]);
    stage.host.files.delete('/run/web');
    stage.runUntilState('web', 'running');
    expect(stage.spawns('web')).toBe(2);
  });
});

it('may take longer to make ready than its condition may: the keeper waits, and turns no wheel', () => {
  const stage = new Stage({ latency: (event) => (event === 'prepared' ? 20_000 : 1) });
  stage.host.install('/bin/condition', program(exitsAfter(10, 0)));
  stage.add(
    supervised({
      hooks: { condition: command('/bin/condition', 1_000) },
      directories: [{ path: '/run/web', mode: 0o755 }],
    }),
  );
  stage.run(10_000);
  expect(stage.state('web')).toMatchObject({ name: 'starting', phase: 'preparing', deadline: null });
  stage.run(MINUTE);
  expect(stage.state('web').name).toBe('running');
});
