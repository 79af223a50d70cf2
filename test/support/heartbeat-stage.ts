// Services with a heartbeat on the stage of a scenario: asked every 5 s, in no grace, and two failures in a row are enough.

import type { Effect } from '../../src/core/effect.js';
import type { HeartbeatSpec } from '../../src/core/heartbeat.js';
import type { Answer } from '../../src/core/question.js';
import type { ServiceSpec } from '../../src/core/spec.js';
import { millis, seconds } from '../../src/core/time.js';
import { heartbeat, supervised } from './builders.js';
import { Stage, type StageOptions } from './stage.js';

export const EVERY = 5_000;

export const beat = (wish: Partial<HeartbeatSpec> = {}): HeartbeatSpec =>
  heartbeat({
    every: { type: 'interval', every: seconds(5) },
    timeout: seconds(2),
    grace: seconds(0),
    fails: { count: 2, of: 2 },
    ...wish,
  });

export const web = (wish: Partial<HeartbeatSpec> = {}, more: Parameters<typeof supervised>[0] = {}): ServiceSpec =>
  supervised({ heartbeats: [beat(wish)], ...more });

/** One that has been asked, and does its work, for two minutes. */
export function served(spec = web(), options: StageOptions = {}): Stage {
  const stage = Stage.with([spec], options);
  stage.runUntilState(spec.name, 'running');
  stage.run(120_000);
  return stage;
}

export const asksOf = (stage: Stage, name = 'web'): readonly Extract<Effect, { type: 'ask' }>[] =>
  stage.effects.flatMap((effect) => (effect.type === 'ask' && effect.spec.name === name ? [effect] : []));

export const beatOf = (stage: Stage, name = 'web') => {
  const [first] = stage.service(name).health;
  if (first === undefined) throw new Error(`${name} has no heartbeat`);
  return first;
};

/** What an answer to its last question would be. */
export function answerLate(stage: Stage, result: Answer['result'], name = 'web'): void {
  const last = asksOf(stage, name).at(-1);
  if (last === undefined) throw new Error('nothing was asked');
  const { spec, process, heartbeat: asked, question } = last;
  const answer: Answer = { result, ms: millis(1), detail: 'late' };
  stage.post({ type: 'answered', service: spec.name, process, heartbeat: asked.name, question, answer });
}
