// The keeper is killed in the middle of a wave, of a boot, of a stop: the next one carries it to its end.

import { describe, expect, it } from 'vitest';
import { seconds } from '../../src/core/time.js';
import { supervised } from '../support/builders.js';
import { drains, lives, program, readyAfter } from '../support/program.js';
import { Stage } from '../support/stage.js';
import { endMain, rests, settle, standing } from '../support/troupe.js';

const byPort = { probe: { type: 'port', host: '127.0.0.1', port: 80 }, timeout: seconds(5) } as const;
const specs = [
  supervised({ name: 'witness', needs: ['agent'], ready: byPort }),
  supervised({ name: 'agent', needs: ['log'], restartWith: ['witness'], ready: byPort }),
  supervised({ name: 'log', ready: byPort }),
  supervised({ name: 'probe', needs: ['witness'], wants: ['log'], ready: byPort }),
];
const names = specs.map(({ name }) => name);
const draining = program(lives, drains(30), readyAfter(20));

function comeBack(stage: Stage): void {
  if (stage.keeperLives === 'no') stage.startKeeper();
  else stage.cutFuse();
}

const acts: readonly (readonly [string, (stage: Stage) => void])[] = [
  ['the death of the witness', (stage) => endMain(stage, 'witness', 'SIGKILL')],
  ['the death of what all need', (stage) => endMain(stage, 'log', 'SIGKILL')],
  ["an operator's restart of what all need", (stage) => stage.ask('log', 'restart')],
];

describe('a keeper that is killed in the middle of a wave', () => {
  for (const [what, act] of acts) {
    it(`after ${what}, at any call of its ports, is followed by one that carries the wave to its end (supervisors 32)`, () => {
      for (let calls = 1; calls <= 40; calls++) {
        const stage = standing(specs, {}, draining);
        stage.killKeeperAfter(calls);
        act(stage);
        stage.run(calls % 3 === 0 ? 500 : 5);
        comeBack(stage);
        rests(stage, names);
        // Each at most once more, whatever the two keepers each had known of it.
        for (const name of names) expect(stage.spawns(name)).toBeLessThanOrEqual(2);
        expect(stage.service('probe').restarts.total).toBe(0);
      }
    });

    it(`after ${what}, at any moment, is followed by one that carries the wave to its end`, () => {
      for (let moment = 0; moment < 160; moment += 4) {
        const stage = standing(specs, {}, draining);
        act(stage);
        stage.run(moment);
        stage.killKeeper();
        stage.run(moment % 3 === 0 ? 500 : 5);
        stage.startKeeper();
        rests(stage, names);
        for (const name of names) expect(stage.spawns(name)).toBeLessThanOrEqual(2);
      }
    });
  }

  it('keeps the patience of a service over its death', () => {
    const patient = [
      supervised({ name: 'db', ready: byPort }),
      supervised({ name: 'app', needs: [{ service: 'db', grace: seconds(5) }] }),
    ];
    const stage = new Stage();
    for (const name of ['db', 'app']) stage.host.install(`/srv/${name}`, program(lives, readyAfter(20)));
    stage.addAll(patient);
    settle(stage, ['db', 'app']);
    stage.run(60_000);
    stage.host.install('/srv/db', program(lives, readyAfter(null)));
    endMain(stage, 'db', 'SIGKILL');
    stage.run(1_000);
    stage.killKeeper();
    stage.run(1_000);
    stage.startKeeper();
    expect(stage.service('app').missing).toHaveLength(1);
    stage.run(5_000);
    expect(stage.state('app')).toMatchObject({ name: 'waiting', for: 'turn' });
  });

  it('in the middle of an end is followed by one that brings all up again, in order', () => {
    for (let moment = 0; moment < 160; moment += 4) {
      const stage = standing(specs, {}, draining);
      stage.end();
      stage.run(moment);
      stage.killKeeper();
      stage.run(5);
      stage.startKeeper();
      rests(stage, names);
    }
  });

  it('in the middle of a stop keeps what was stopped down, and those that need it wait', () => {
    for (let moment = 0; moment < 160; moment += 4) {
      const stage = standing(specs, {}, draining);
      stage.ask('agent', 'stop');
      stage.run(moment);
      stage.killKeeper();
      stage.run(5);
      stage.startKeeper();
      stage.run(60_000);
      expect(stage.state('agent').name).toBe('stopped');
      expect(stage.state('log').name).toBe('running');
      expect(stage.state('witness')).toMatchObject({ name: 'waiting', for: 'turn' });
      expect(stage.spawns('log')).toBe(1);
      stage.ask('agent', 'start');
      rests(stage, names);
    }
  });
});
