// Sockets that are held for a service: open from before its first start until it is stopped, whatever happens between; and lazy
// ones, which start it at the first connection (acceptance cases B5 to B7).

import { describe, expect, it } from 'vitest';
import type { ServiceSpec } from '../../src/core/spec.js';
import { seconds } from '../../src/core/time.js';
import { members, supervised } from '../support/builders.js';
import { exitsAfter, program, readyAfter } from '../support/program.js';
import { Stage } from '../support/stage.js';
import { http, progressSince } from '../support/succession.js';

const listening = (wish: Parameters<typeof supervised>[0] = {}): ServiceSpec =>
  supervised({ sockets: [http], ...wish });
const lazy = (wish: Parameters<typeof supervised>[0] = {}): ServiceSpec =>
  listening({ sockets: [{ ...http, lazy: 'yes' }], ...wish });

const areOpen = (stage: Stage, name = 'web'): boolean => stage.kernel.keeping.areOpen(stage.service(name).spec);

describe('sockets', () => {
  it('are open before the first start, and over every restart and crash (B5)', () => {
    const stage = Stage.with([listening()]);
    expect(stage.spawns('web')).toBe(0);
    stage.run(5_000);
    expect(stage.state('web').name).toBe('running');
    const closed: string[] = [];
    stage.onEffect = ({ type }) => void (type === 'closeSockets' && closed.push(type));
    for (let n = 0; n < 20; n++) {
      if (n % 2 === 0) stage.kill(stage.serving('web'));
      else stage.ask('web', 'restart');
      stage.runUntilState('web', 'running');
      stage.run(2_000);
      expect(areOpen(stage)).toBe(true);
    }
    expect(closed).toEqual([]);
  });

  it('stay open while it crashes in a loop, and after its limit, until somebody stops it (B5)', () => {
    const stage = new Stage();
    stage.host.install('/srv/web', program(exitsAfter(5, 1)));
    stage.add(listening({ restart: { limit: { count: 3, within: seconds(300) }, then: 'give-up' } }));
    stage.runUntilState('web', 'failed');
    expect(areOpen(stage)).toBe(true);
    stage.ask('web', 'stop');
    stage.run(1_000);
    expect(areOpen(stage)).toBe(false);
  });

  it('are closed by a stop, by the removal of the service and by the end of the keeper (B6)', () => {
    for (const end of ['stop', 'remove', 'end'] as const) {
      const stage = Stage.with([listening()]);
      stage.runUntilState('web', 'running');
      const { spec } = stage.service('web');
      if (end === 'stop') stage.ask('web', 'stop');
      if (end === 'remove') stage.apply([]);
      if (end === 'end') stage.end();
      stage.run(5_000);
      expect([end, stage.kernel.keeping.areOpen(spec)]).toEqual([end, false]);
    }
  });

  it('are kept over the death of the keeper', () => {
    const stage = Stage.with([listening()]);
    stage.runUntilState('web', 'running');
    stage.killKeeper();
    stage.run(1_000);
    stage.startKeeper();
    stage.run(1_000);
    expect(areOpen(stage)).toBe(true);
    expect(stage.service('web').generation).toBe(1);
  });

  it('of a pool are closed when its last member is stopped', () => {
    const pool = members('web', 3, { sockets: [http] });
    const stage = Stage.with(pool);
    stage.run(10_000);
    stage.askAll(['web@1', 'web@2'], 'stop');
    stage.run(10_000);
    expect(areOpen(stage, 'web@3')).toBe(true);
    stage.ask('web@3', 'stop');
    stage.run(10_000);
    expect(areOpen(stage, 'web@3')).toBe(false);
  });

  it('that cannot be opened are a failed start', () => {
    const stage = new Stage();
    stage.host.files.set('/run/x', { type: 'file', uid: 0, holder: null });
    stage.add(listening({ directories: [{ path: '/run/x', mode: 0o755 }] }));
    stage.run(1_000);
    expect(stage.happened('web', 'startFailed').length).toBeGreaterThan(0);
  });
});

describe('a lazy service', () => {
  it('waits for a connection with its sockets open, and is started at the first (B7)', () => {
    const stage = Stage.with([lazy()]);
    stage.run(60_000);
    expect(stage.state('web')).toMatchObject({ name: 'waiting', for: 'connection' });
    expect(stage.spawns('web')).toBe(0);
    expect(stage.service('web').generation).toBe(0);
    expect(areOpen(stage)).toBe(true);
    stage.connect('web');
    stage.run(5_000);
    expect(stage.service('web')).toMatchObject({ generation: 1, state: { name: 'running' } });
    expect(stage.happened('web', 'connected')).toHaveLength(1);
  });

  it('is started by whoever asks for it', () => {
    const stage = Stage.with([lazy()]);
    stage.run(1_000);
    stage.ask('web', 'start');
    stage.run(5_000);
    expect(stage.state('web').name).toBe('running');
  });

  it('is stopped while it waits, and then nobody is waited for', () => {
    const stage = Stage.with([lazy()]);
    stage.run(1_000);
    stage.ask('web', 'stop');
    stage.run(100);
    expect(stage.state('web').name).toBe('stopped');
    expect(areOpen(stage)).toBe(false);
    expect(stage.effects.filter(({ type }) => type === 'stopAwaitingConnection')).toHaveLength(1);
    stage.connect('web');
    stage.run(5_000);
    expect(stage.spawns('web')).toBe(0);
  });

  it('waits again under a keeper that comes back, also for who connected meanwhile', () => {
    const stage = Stage.with([lazy()]);
    stage.run(1_000);
    stage.killKeeper();
    stage.startKeeper();
    stage.run(1_000);
    expect(stage.state('web')).toMatchObject({ name: 'waiting', for: 'connection' });
    const { spec } = stage.service('web');
    stage.killKeeper();
    stage.kernel.keeping.connect(spec);
    stage.run(100);
    stage.startKeeper();
    stage.run(5_000);
    expect(stage.state('web').name).toBe('running');
  });

  it('that dies waits for the next connection; one that does not accept is stopped by its limit', () => {
    const stage = Stage.with([lazy({ restart: { limit: { count: 3, within: seconds(300) }, then: 'give-up' } })]);
    stage.run(1_000);
    stage.connect('web');
    stage.run(60_000);
    stage.kill(stage.serving('web'));
    stage.run(5_000);
    expect(stage.state('web')).toMatchObject({ name: 'waiting', for: 'connection' });
    expect(stage.service('web').restarts.total).toBe(1);
    stage.host.install('/srv/web', program(exitsAfter(5, 1)));
    for (let n = 0; n < 10; n++) {
      stage.connect('web');
      stage.run(5_000);
    }
    expect(stage.state('web').name).toBe('failed');
  });

  it('is restarted where it runs, and comes back at once', () => {
    const stage = Stage.with([lazy()]);
    stage.run(1_000);
    stage.connect('web');
    stage.run(60_000);
    stage.ask('web', 'restart');
    stage.run(5_000);
    expect(stage.service('web')).toMatchObject({ generation: 2, state: { name: 'running' } });
  });

  it('keeps nobody waiting: what needs it starts, and is not moved when it does', () => {
    const stage = new Stage();
    stage.host.install('/srv/app', program(readyAfter(20)));
    stage.addAll([lazy(), supervised({ name: 'app', needs: ['web'] }), supervised({ name: 'late', after: ['web'] })]);
    stage.run(5_000);
    expect([stage.state('app').name, stage.state('late').name]).toEqual(['running', 'running']);
    stage.connect('web');
    stage.run(5_000);
    expect(stage.state('web').name).toBe('running');
    expect(stage.service('app').generation).toBe(1);
    expect(stage.problems).toEqual([]);
  });

  it('says to whoever starts what needs it that its sockets listen', () => {
    const stage = Stage.with([lazy()]);
    stage.run(1_000);
    const { services } = stage.keeper;
    expect(services.get('web')?.state).toMatchObject({ for: 'connection' });
    const standing = {
      service: stage.service('web'),
      main: stage.bear('/x', program()),
      stored: [],
      changes: 0,
      received: 0,
    };
    expect(progressSince(stage, standing, 'start')).toMatchObject({ type: 'done' });
  });
});

describe('the fd store', () => {
  const storing = (wish: Parameters<typeof supervised>[0] = {}): ServiceSpec =>
    supervised({ ready: { probe: { type: 'notify' } }, notifyAccess: 'main', fdStore: 2, ...wish });

  function up(spec = storing()): Stage {
    const stage = new Stage();
    stage.host.install('/srv/web', program(readyAfter(50)));
    stage.add(spec);
    stage.runUntilState('web', 'running');
    stage.say('web', { store: { type: 'store', name: 'a', poll: 'yes' } }, undefined, 1);
    stage.run(60_000);
    return stage;
  }
  const stored = (stage: Stage): readonly string[] => stage.kernel.keeping.stored('web');

  it('is kept over a crash, a restart and the death of the keeper, and emptied by a stop (C1)', () => {
    const stage = up();
    stage.kill(stage.serving('web'));
    stage.run(5_000);
    stage.ask('web', 'restart');
    stage.run(5_000);
    stage.killKeeper();
    stage.startKeeper();
    stage.run(5_000);
    expect(stored(stage)).toEqual(['a']);
    stage.ask('web', 'stop');
    stage.run(5_000);
    expect(stored(stage)).toEqual([]);
  });

  it('is emptied where it has failed for good (C1)', () => {
    const stage = up(storing({ restart: { when: 'never' } }));
    stage.kill(stage.serving('web'));
    stage.run(5_000);
    expect(stage.state('web').name).toBe('failed');
    expect(stored(stage)).toEqual([]);
  });

  it('loses what has that name when the service says so, and only that (C2)', () => {
    const stage = up();
    stage.say('web', { store: { type: 'store', name: 'b', poll: 'yes' } }, undefined, 2);
    stage.say('web', { store: { type: 'remove', name: 'a' } });
    stage.run(10);
    expect(stored(stage)).toEqual(['b']);
  });

  it('takes nothing of who may not store, or sends nothing along (C6)', () => {
    const none = up(storing({ fdStore: 0 }));
    expect(stored(none)).toEqual([]);
    const stage = up();
    stage.say('web', { store: { type: 'store', name: 'b', poll: 'yes' } });
    stage.run(10);
    expect(stored(stage)).toEqual(['a']);
    expect(stage.effects.filter(({ type }) => type === 'keep')).toHaveLength(1);
  });
});
