// How soon the heartbeats of a service find out that it hangs, and by when what they say then is done. Numbers for `explain`.

import type { HeartbeatSpec } from '../core/heartbeat.js';
import type { ServiceSpec } from '../core/spec.js';
import { type Millis, millis } from '../core/time.js';
import { type BudgetStep, beforeStart, stopTime, sum, timeOf } from './budget-step.js';
import { durationText } from './quantity.js';

/** One step for each heartbeat. */
export const hangs = (spec: ServiceSpec): readonly BudgetStep[] =>
  spec.heartbeats.map((heartbeat) => {
    const noticed = noticedWithin(heartbeat);
    const ms = sum([noticed, ...answerTo(heartbeat, spec)]);
    return {
      step: 'hang',
      ms,
      text: `${whatIsNoticed(heartbeat)} is noticed ${noticedBy(heartbeat, noticed)}, and ${doneBy(heartbeat, ms)}`,
    };
  });

/**
 * It hangs right after it was asked. Questions come at a fixed pace and never overlap: one that hangs for longer than `every`
 * leaves out those that fall due meanwhile. The failures that count are in a row, for nothing answers. null: by the calendar.
 */
function noticedWithin({ every, timeout, fails }: HeartbeatSpec): Millis | null {
  if (every.type === 'cron') return null;
  const pace = every.every * (Math.floor(timeout / every.every) + 1);
  return millis(every.every + (fails.count - 1) * pace + timeout);
}

const whatIsNoticed = ({ question: { kind } }: HeartbeatSpec): string =>
  kind === 'file' || kind === 'process' ? 'what is wrong' : 'a hang';

function noticedBy({ name, every, fails }: HeartbeatSpec, noticed: Millis | null): string {
  if (noticed !== null) return `within ${durationText(noticed)} by heartbeat ${name}`;
  const questions = fails.count === 1 ? 'the next question' : `the next ${fails.count} questions`;
  return `by heartbeat ${name} with ${questions} of the calendar${every.type === 'cron' ? ` (${every.expression})` : ''}`;
}

/** What it takes to do what `then` says. A service that had been well comes back without a delay. */
function answerTo({ then }: HeartbeatSpec, spec: ServiceSpec): readonly (Millis | null)[] {
  const { kind, hooks } = spec;
  const down = [timeOf(hooks.beforeStop), stopTime(spec)];
  switch (then.type) {
    case 'notice':
    case 'exec':
      return [];
    case 'stop':
      return down;
    case 'restart': {
      const start = kind.type === 'watched' && kind.start !== null ? [kind.start.timeout] : [];
      const up = [timeOf(beforeStart(spec)), ...start, readyWithin(spec), timeOf(hooks.afterStart)];
      return [...down, timeOf(hooks.afterStop), ...up];
    }
  }
}

function doneBy({ every, then }: HeartbeatSpec, ms: Millis | null): string {
  const unlimited = every.type === 'cron' ? ' then' : ', but nothing limits when';
  const by = ms === null ? unlimited : ` within ${durationText(ms)}`;
  switch (then.type) {
    case 'notice':
      return 'somebody is told';
    case 'exec':
      return 'its command is run';
    case 'stop':
      return `it is stopped${by}`;
    case 'restart':
      return `it runs again${by}`;
  }
}

/** Whoever has only to live is ready when it has, and not later. */
const readyWithin = ({ ready: { probe, timeout } }: ServiceSpec): Millis | null =>
  probe.type === 'alive' ? probe.for : timeout;
