// The ring of seed 000: litewitness needs its agent, and the agent is restarted gracefully whenever litewitness ends.

import { describe, expect, it } from 'vitest';
import { seconds } from '../../src/core/time.js';
import { supervised } from '../support/builders.js';
import { diesAfter, drains, exitsAfter, lives, program, readyAfter, refused } from '../support/program.js';
import type { Stage, StageOptions } from '../support/stage.js';
import { actsSince, endMain, rests, standing, tally, waveIds, waves } from '../support/troupe.js';

const bySocket = { probe: { type: 'socket', path: '/run/witness/agent.sock' }, timeout: seconds(5) } as const;

const witness = (wish: Parameters<typeof supervised>[0] = {}) =>
  supervised({ name: 'witness', needs: ['agent'], ready: bySocket, ...wish });
const agent = (wish: Parameters<typeof supervised>[0] = {}) =>
  supervised({ name: 'agent', restartWith: ['witness'], ready: bySocket, ...wish });

const both = ['agent', 'witness'];

const ring = (options: StageOptions = {}, specs = [witness(), agent()]): Stage => standing(specs, options);

describe('the ring of seed 000', () => {
  it('comes up in its order', () => {
    const stage = ring();
    expect(actsSince(stage, 0)).toEqual(['start agent', 'start witness']);
    rests(stage, both);
  });

  const ends: readonly (readonly [string, (stage: Stage) => void, number])[] = [
    ['is killed', (stage) => endMain(stage, 'witness', 'SIGKILL'), 1],
    ['exits with 0', (stage) => endMain(stage, 'witness', 0), 1],
    ['crashes', (stage) => endMain(stage, 'witness', 'SIGSEGV'), 1],
    ['is restarted by an operator', (stage) => stage.ask('witness', 'restart'), 0],
  ];
  for (const [how, end, charged] of ends) {
    it(`restarts the agent gracefully, once, and then the witness, when the witness ${how} (supervisors 26) (monitors 22)`, () => {
      const stage = ring();
      const [effects, changes] = [stage.effects.length, stage.changes.length];
      end(stage);
      rests(stage, both);
      expect(actsSince(stage, effects, ['agent'])).toEqual(['SIGTERM agent', 'start agent']);
      expect(actsSince(stage, effects).at(-1)).toBe('start witness');
      expect(tally(stage, both)).toEqual({
        agent: '2 starts, 0 charged',
        witness: `2 starts, ${charged} charged`,
      });
      expect(waves(stage, changes)).toEqual(['witness moves agent']);
      expect(waveIds(stage, changes)).toHaveLength(1);
    });
  }

  it('restarts the agent at once when an operator stops the witness, and leaves the witness down until it is started (supervisors 29)', () => {
    const stage = ring();
    stage.ask('witness', 'stop');
    stage.run(60_000);
    expect(stage.state('witness').name).toBe('stopped');
    expect(stage.state('agent').name).toBe('running');
    expect(stage.service('agent').wave).toBeNull();
    expect(tally(stage, both)).toEqual({ agent: '2 starts, 0 charged', witness: '1 starts, 0 charged' });
    stage.ask('witness', 'start');
    rests(stage, both);
    expect(tally(stage, both)).toEqual({ agent: '2 starts, 0 charged', witness: '2 starts, 0 charged' });
  });

  it('restarts each once when the agent dies, and charges the agent alone (supervisors 25)', () => {
    const stage = ring();
    const effects = stage.effects.length;
    endMain(stage, 'agent', 'SIGKILL');
    rests(stage, both);
    expect(actsSince(stage, effects, ['witness'])).toEqual(['SIGTERM witness', 'start witness']);
    expect(tally(stage, both)).toEqual({ agent: '2 starts, 1 charged', witness: '2 starts, 0 charged' });
    expect(waves(stage)).toEqual(['agent moves witness']);
  });

  it('takes the witness down before the agent gets its signal when an operator restarts the agent (supervisors 25)', () => {
    const stage = ring();
    stage.host.install('/srv/witness', program(drains(300), readyAfter(20)));
    stage.ask('witness', 'restart');
    rests(stage, both);
    const effects = stage.effects.length;
    stage.ask('agent', 'restart');
    rests(stage, both);
    expect(actsSince(stage, effects)).toEqual(['SIGTERM witness', 'SIGTERM agent', 'start agent', 'start witness']);
    expect(tally(stage, both)).toEqual({ agent: '3 starts, 0 charged', witness: '3 starts, 0 charged' });
  });

  for (const moment of [0, 1, 2, 3, 5, 10, 15, 19, 20, 21, 22, 25, 40]) {
    it(`is one wave, charged once, when the agent is killed and the witness ends by itself ${moment} ms later`, () => {
      // The witness does not obey its signal at once: it has its own reason to end.
      const stage = ring();
      stage.host.install('/srv/witness', program(drains(200), readyAfter(20)));
      stage.ask('witness', 'restart');
      rests(stage, both);
      const changes = stage.changes.length;
      endMain(stage, 'agent', 'SIGKILL');
      stage.run(moment);
      endMain(stage, 'witness', 1);
      rests(stage, both);
      const charged = moment === 0 ? stage.service('witness').restarts.total : 0;
      expect(stage.spawns('agent')).toBe(3);
      expect(stage.spawns('witness')).toBe(3);
      expect(stage.service('agent').restarts.total + charged).toBe(1);
      expect(waveIds(stage, changes)).toHaveLength(1);
    });
  }

  for (const [first, second] of [both, [...both].reverse()] as [string, string][]) {
    for (const apart of ['one after the other', 'at once'] as const) {
      it(`moves each once when ${first} and ${second} die in the same millisecond, told ${apart}`, () => {
        let latency = 1;
        const stage = ring({ latency: () => latency });
        const changes = stage.changes.length;
        const end = (): void => {
          endMain(stage, first, 'SIGKILL');
          endMain(stage, second, 'SIGKILL');
        };
        if (apart === 'at once') {
          latency = -1;
          stage.keeper.gather(end);
          latency = 1;
        } else end();
        rests(stage, both);
        expect(tally(stage, both)).toEqual({
          [first]: '2 starts, 1 charged',
          [second]: '2 starts, 0 charged',
        });
        expect(waveIds(stage, changes)).toHaveLength(1);
      });
    }
  }

  it('charges a failed start of the agent inside the wave to the agent, and the witness waits for it (supervisors 31)', () => {
    const stage = ring();
    stage.host.install('/srv/agent', program(refused('ENOENT')));
    endMain(stage, 'witness', 1);
    stage.run(5_000);
    expect(stage.state('witness')).toMatchObject({ name: 'waiting', for: 'turn' });
    expect(stage.service('witness').restarts.total).toBe(1);
    expect(stage.service('agent').restarts.total).toBeGreaterThan(1);
    stage.host.install('/srv/agent', program(lives, readyAfter(20)));
    rests(stage, both);
    expect(stage.spawns('witness')).toBe(2);
    expect(stage.service('witness').restarts.total).toBe(1);
  });

  it('charges a failed start of the witness inside the wave to the witness, and the agent is not restarted for it in that wave', () => {
    const stage = ring();
    stage.host.install('/srv/witness', program(exitsAfter(5, 1), readyAfter(null)));
    endMain(stage, 'witness', 'SIGKILL');
    stage.runUntil(() => stage.happened('witness', 'startFailed').length === 1);
    expect(stage.spawns('agent')).toBe(2);
    expect(stage.service('agent').wave).toBeNull();
    expect(stage.service('witness').restarts.total).toBe(2);
  });

  it('restarts the agent once for each failed start that begins anew: a hung agent is not waited out', () => {
    const stage = ring();
    stage.host.install('/srv/witness', program(exitsAfter(5, 1), readyAfter(null)));
    endMain(stage, 'witness', 'SIGKILL');
    stage.runUntilState('witness', 'failed');
    // At first, in the wave of the first end, and for the eight failed starts between that wave and the one that led to failed.
    expect(stage.spawns('witness')).toBe(11);
    expect(stage.spawns('agent')).toBe(10);
    expect(stage.service('agent').restarts.total).toBe(0);
    const agents = stage.spawns('agent');
    stage.run(200_000);
    expect(stage.spawns('witness')).toBeGreaterThan(12);
    expect(stage.spawns('agent')).toBe(agents);
    expect(stage.state('agent').name).toBe('running');
  });

  it('does not move the witness by the wave that its own failed start began', () => {
    // Without needs nothing holds the witness back: it starts again at once, while the agent is still on its way down.
    const stage = ring({}, [
      supervised({ name: 'witness', restartWith: ['agent'], ready: bySocket }),
      supervised({ name: 'agent', needs: ['witness'], restartWith: ['witness'], ready: bySocket }),
    ]);
    stage.host.install('/srv/agent', program(drains(300), readyAfter(20)));
    stage.ask('agent', 'restart');
    stage.run(60_000);
    stage.ask('agent', 'hold');
    stage.host.install('/srv/witness', program(diesAfter(200, 'SIGSEGV'), readyAfter(null)));
    stage.ask('witness', 'restart');
    stage.run(150);
    stage.ask('agent', 'unhold');
    stage.runUntil(() => stage.happened('witness', 'startFailed').length === 1);
    stage.host.install('/srv/witness', program(lives, readyAfter(20)));
    const changes = stage.changes.length;
    rests(stage, both);
    const moved = stage.changes
      .slice(changes)
      .filter(({ what }) => what.type === 'stopping' && what.why === 'coupling');
    expect(moved.map(({ service }) => service)).not.toContain('witness');
  });

  it('starts the agent that died itself when the witness that goes with it has ended, not beside it', () => {
    const stage = ring();
    stage.host.install('/srv/witness', program(drains(2_000), readyAfter(20)));
    stage.ask('witness', 'restart');
    rests(stage, both);
    const effects = stage.effects.length;
    endMain(stage, 'agent', 'SIGKILL');
    stage.run(1_900);
    expect(actsSince(stage, effects)).toEqual(['SIGTERM witness']);
    expect(stage.happened('agent', 'waits').at(-1)?.what).toMatchObject({ for: ['witness'] });
    rests(stage, both);
    expect(actsSince(stage, effects)).toEqual(['SIGTERM witness', 'start agent', 'start witness']);
  });

  it('goes on with a wave in whose middle the agent dies again: that death begins a new one', () => {
    const stage = ring();
    const changes = stage.changes.length;
    stage.host.install('/srv/agent', program(diesAfter(30, 'SIGSEGV'), readyAfter(20)));
    endMain(stage, 'witness', 'SIGKILL');
    stage.runUntil(() => stage.happened('agent', 'died').length === 1);
    stage.host.install('/srv/agent', program(lives, readyAfter(20)));
    rests(stage, both);
    expect(waveIds(stage, changes)).toHaveLength(2);
    expect(stage.spawns('agent')).toBe(3);
    expect(stage.service('agent').restarts.total).toBe(1);
    expect(stage.service('witness').restarts.total).toBe(1);
  });

  it('holds when either is asked for again in the middle of a wave', () => {
    for (const asked of both)
      for (const verb of ['start', 'restart'] as const)
        for (let moment = 0; moment < 60; moment += 3) {
          const stage = ring();
          endMain(stage, 'witness', 'SIGKILL');
          stage.run(moment);
          stage.ask(asked, verb);
          rests(stage, both);
          expect(stage.spawns('agent')).toBeLessThanOrEqual(3);
          expect(stage.spawns('witness')).toBeLessThanOrEqual(3);
        }
  });
});

describe('a ring of two that restart with each other', () => {
  it('comes up again, each once, whichever ends', () => {
    for (const name of both) {
      const stage = ring({}, [
        supervised({ name: 'witness', restartWith: ['agent'] }),
        supervised({ name: 'agent', restartWith: ['witness'] }),
      ]);
      endMain(stage, name, 'SIGKILL');
      rests(stage, both);
      expect(stage.spawns('agent')).toBe(2);
      expect(stage.spawns('witness')).toBe(2);
      expect(waves(stage)).toHaveLength(1);
    }
  });
});

describe("the article's own unit, translated literally: the agent needs the witness and restarts with it", () => {
  const literal = [
    supervised({ name: 'witness', ready: bySocket }),
    supervised({ name: 'agent', needs: ['witness'], restartWith: ['witness'], ready: bySocket }),
  ];

  it('restarts each once, the witness first, for every end of the witness', () => {
    for (const end of ['SIGKILL', 'SIGSEGV', 0, 1] as const) {
      const stage = ring({}, literal);
      const effects = stage.effects.length;
      endMain(stage, 'witness', end);
      rests(stage, both);
      expect(actsSince(stage, effects).filter((act) => act.startsWith('start'))).toEqual([
        'start witness',
        'start agent',
      ]);
      expect(tally(stage, both)).toEqual({ agent: '2 starts, 0 charged', witness: '2 starts, 1 charged' });
    }
  });

  it('stops the agent before the witness, and starts it after, at a restart; a stop keeps both down (supervisors 29)', () => {
    const stage = ring({}, literal);
    const effects = stage.effects.length;
    stage.ask('witness', 'restart');
    rests(stage, both);
    expect(actsSince(stage, effects)).toEqual(['SIGTERM agent', 'SIGTERM witness', 'start witness', 'start agent']);
    stage.ask('witness', 'stop');
    stage.run(60_000);
    expect(stage.state('witness').name).toBe('stopped');
    expect(stage.state('agent')).toMatchObject({ name: 'waiting', for: 'turn' });
    stage.ask('witness', 'start');
    rests(stage, both);
  });
});

describe('an end of the agent alone', () => {
  it('does not touch a witness that does not need it', () => {
    const stage = ring({}, [supervised({ name: 'witness' }), agent({ ready: {} })]);
    endMain(stage, 'agent', 'SIGKILL');
    rests(stage, both);
    expect(tally(stage, both)).toEqual({ agent: '2 starts, 1 charged', witness: '1 starts, 0 charged' });
    expect(waves(stage)).toEqual([]);
  });

  it('lets the partner start first, and the other when the partner is ready', () => {
    const stage = ring({}, [supervised({ name: 'witness', ready: bySocket }), agent()]);
    stage.host.install('/srv/agent', program(lives, readyAfter(700)));
    const effects = stage.effects.length;
    endMain(stage, 'witness', 'SIGKILL');
    stage.run(600);
    expect(actsSince(stage, effects)).toEqual(['SIGTERM agent', 'start agent']);
    expect(stage.state('witness')).toMatchObject({ name: 'waiting', for: 'turn' });
    rests(stage, both);
    expect(actsSince(stage, effects).at(-1)).toBe('start witness');
  });

  it('does not keep the other down when the start of the partner fails or times out', () => {
    for (const broken of [
      program(refused('ENOENT')),
      program(exitsAfter(5, 1), readyAfter(null)),
      program(lives, readyAfter(null)),
    ]) {
      const stage = ring({}, [supervised({ name: 'witness', ready: bySocket }), agent()]);
      stage.host.install('/srv/agent', broken);
      endMain(stage, 'witness', 'SIGKILL');
      stage.run(10_000);
      expect(stage.state('witness').name).toBe('running');
      expect(stage.spawns('witness')).toBe(2);
      expect(stage.state('agent').name).not.toBe('running');
      stage.host.install('/srv/agent', program(lives, readyAfter(20)));
      rests(stage, both);
      expect(stage.spawns('witness')).toBe(2);
    }
  });
});
