// The time budget of a service: how long each step from a death to being up again, and from a stop to being down, may
// take by its settings. Numbers for `explain`.

import type { HeartbeatSpec } from '../core/heartbeat.js';
import type { Command, ServiceSpec } from '../core/spec.js';
import { type Millis, millis } from '../core/time.js';
import { durationText } from './quantity.js';

export interface BudgetStep {
  /** Stable, for scripts. */
  readonly step:
    | 'notice'
    | 'grace'
    | 'settle'
    | 'first-delay'
    | 'longest-delay'
    | 'before-start'
    | 'start'
    | 'ready'
    | 'after-start'
    | 'before-stop'
    | 'stop'
    | 'after-stop'
    | 'worst-restart'
    | 'hang';
  /** The longest it takes; null: without end. */
  readonly ms: Millis | null;
  /** For people. */
  readonly text: string;
}

/** From top to bottom in the order of time. */
export function budgetOf(spec: ServiceSpec): readonly BudgetStep[] {
  const { hooks, ready } = spec;
  return [
    { step: 'notice', ms: millis(0), text: 'a death is noticed at once, by an event' },
    ...patience(spec),
    ...comingBack(spec),
    ...around('before-start', beforeStart(spec), 'for its condition and the hooks before a start'),
    ...startCommand(spec),
    { step: 'ready', ms: ready.timeout, text: within(ready.timeout, readyFor(spec)) },
    ...around('after-start', hooks.afterStart, 'for the hooks after a start'),
    ...around('before-stop', hooks.beforeStop, 'for the hooks before a stop'),
    { step: 'stop', ms: stopTime(spec), text: within(stopTime(spec), 'to stop by its ladder or command') },
    ...around('after-stop', hooks.afterStop, 'for the hooks after a stop'),
    ...worstRestart(spec),
    ...hangs(spec),
  ];
}

/** How long each of those that it needs may be away. */
function patience({ coupling }: ServiceSpec): readonly BudgetStep[] {
  return coupling.needs.map(({ service, grace }) => ({
    step: 'grace',
    ms: grace,
    text:
      grace === 0
        ? `it is stopped at once when ${service} ends`
        : `${durationText(grace)} may ${service} be away before it is stopped`,
  }));
}

function comingBack(spec: ServiceSpec): readonly BudgetStep[] {
  const { kind, restart } = spec;
  const settle: readonly BudgetStep[] =
    kind.type === 'watched' && hasStart(spec)
      ? [
          {
            step: 'settle',
            ms: kind.settle,
            text: `${durationText(kind.settle)} to come back by itself, after an end that somebody may have wanted`,
          },
        ]
      : [];
  if (!isRestarted(spec)) return settle;
  const longest = longestDelay(spec);
  return [
    ...settle,
    {
      step: 'first-delay',
      ms: restart.delay,
      text: `${durationText(restart.delay)} from start to start at first: what has lived longer comes back at once`,
    },
    {
      step: 'longest-delay',
      ms: longest,
      text: `${durationText(longest)} between starts at most, while it keeps failing`,
    },
  ];
}

function startCommand({ kind }: ServiceSpec): readonly BudgetStep[] {
  if (kind.type !== 'watched' || kind.start === null) return [];
  const { timeout } = kind.start;
  return [{ step: 'start', ms: timeout, text: within(timeout, 'for the start command') }];
}

const readyFor = ({ kind }: ServiceSpec): string =>
  kind.type === 'supervised' && kind.oneshot === 'yes' ? 'for its work' : 'until a start must count';

/** How soon each heartbeat finds out that it hangs, and what has been done about it by when. */
const hangs = (spec: ServiceSpec): readonly BudgetStep[] =>
  spec.heartbeats.map((heartbeat) => {
    const noticed = noticedWithin(heartbeat);
    const ms = sum([noticed, ...answerTo(heartbeat, spec)]);
    return {
      step: 'hang',
      ms,
      text: `a hang is noticed ${noticedBy(heartbeat, noticed)}, and ${doneBy(heartbeat, ms)}`,
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

/** Hooks run one after the other. */
function around(step: BudgetStep['step'], commands: readonly Command[], what: string): readonly BudgetStep[] {
  const ms = timeOf(commands);
  return commands.length === 0 ? [] : [{ step, ms, text: within(ms, what) }];
}

function worstRestart(spec: ServiceSpec): readonly BudgetStep[] {
  if (!isRestarted(spec)) return [];
  const { kind, hooks, ready } = spec;
  const ms = sum([
    timeOf(hooks.afterStop),
    ...(kind.type === 'watched' ? [kind.settle, kind.start?.timeout ?? null] : []),
    longestDelay(spec),
    timeOf(beforeStart(spec)),
    ready.timeout,
    timeOf(hooks.afterStart),
  ]);
  return [{ step: 'worst-restart', ms, text: within(ms, 'from a death until it is up or has failed once more') }];
}

const hasStart = ({ kind }: ServiceSpec): boolean => kind.type === 'supervised' || kind.start !== null;

const isRestarted = (spec: ServiceSpec): boolean => hasStart(spec) && spec.restart.when !== 'never';

const beforeStart = ({ hooks }: ServiceSpec): readonly Command[] =>
  hooks.condition === null ? hooks.beforeStart : [hooks.condition, ...hooks.beforeStart];

const timeOf = (commands: readonly Command[]): Millis | null => sum(commands.map(({ timeout }) => timeout));

const within = (ms: Millis | null, what: string): string =>
  `${ms === null ? 'no limit' : `${durationText(ms)} at most`} ${what}`;

const sum = (parts: readonly (Millis | null)[]): Millis | null =>
  parts.reduce<Millis | null>(
    (total, part) => (total === null || part === null ? null : millis(total + part)),
    millis(0),
  );

function longestDelay({ restart }: ServiceSpec): Millis {
  return millis(Math.max(restart.delay, restart.backoff.max) * (1 + restart.backoff.jitter));
}

function stopTime({ kind }: ServiceSpec): Millis | null {
  if (kind.stop.type === 'ladder') return sum(kind.stop.rungs.map((rung) => rung.wait));
  return kind.stop.command.timeout;
}
