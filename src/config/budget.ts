// The time budget of a service: how long each step from a death to being up again, and from a stop to being down, may
// take by its settings. Numbers for `explain`.

import type { Command, ServiceSpec } from '../core/spec.js';
import { type Millis, millis } from '../core/time.js';
import { type BudgetStep, beforeStart, stopTime, sum, timeOf, within } from './budget-step.js';
import { hangs } from './hang-budget.js';
import { durationText } from './quantity.js';

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
    ...replacing(spec),
    ...silence(spec),
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

/** What the old generation is given beside the new one. */
function replacing({ handover: { mode, transfer, drain } }: ServiceSpec): readonly BudgetStep[] {
  if (mode === 'replace') return [];
  return [
    { step: 'transfer', ms: transfer, text: within(transfer, 'for the state to go over to a new generation') },
    { step: 'drain', ms: drain, text: within(drain, 'for an old generation to finish what it has begun') },
  ];
}

function silence({ watchdog }: ServiceSpec): readonly BudgetStep[] {
  if (watchdog === null) return [];
  const text = `a hang is noticed within ${durationText(watchdog)} by the watchdog, and it is ended with SIGABRT`;
  return [{ step: 'watchdog', ms: watchdog, text }];
}

const hasStart = ({ kind }: ServiceSpec): boolean => kind.type === 'supervised' || kind.start !== null;

const isRestarted = (spec: ServiceSpec): boolean => hasStart(spec) && spec.restart.when !== 'never';

function longestDelay({ restart }: ServiceSpec): Millis {
  return millis(Math.max(restart.delay, restart.backoff.max) * (1 + restart.backoff.jitter));
}
