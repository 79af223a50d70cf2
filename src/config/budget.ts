// The time budget of a service: how long each step from a death to being up again, and from a stop to being down, may
// take by its settings. Numbers for `explain`.

import type { ServiceSpec } from '../core/spec.js';
import { type Millis, millis } from '../core/time.js';
import { durationText } from './quantity.js';

export interface BudgetStep {
  /** Stable, for scripts. */
  readonly step: 'notice' | 'settle' | 'first-delay' | 'longest-delay' | 'start' | 'ready' | 'stop' | 'worst-restart';
  /** The longest it takes; null: without end. */
  readonly ms: Millis | null;
  /** For people. */
  readonly text: string;
}

/** From top to bottom in the order of time. */
export function budgetOf(spec: ServiceSpec): readonly BudgetStep[] {
  const { kind, ready, restart } = spec;
  const longest = longestDelay(spec);
  const settle = kind.type === 'watched' ? kind.settle : millis(0);
  const start = kind.type === 'watched' ? (kind.start?.timeout ?? null) : millis(0);
  const hasStart = kind.type === 'supervised' || kind.start !== null;
  const stop = stopTime(spec);
  const steps: (BudgetStep | null)[] = [
    { step: 'notice', ms: millis(0), text: 'a death is noticed at once, by an event' },
    kind.type === 'watched' && hasStart
      ? {
          step: 'settle',
          ms: settle,
          text: `${durationText(settle)} to come back by itself, after an end that somebody may have wanted`,
        }
      : null,
    hasStart && restart.when !== 'never'
      ? {
          step: 'first-delay',
          ms: restart.delay,
          text: `${durationText(restart.delay)} from start to start at first: what has lived longer comes back at once`,
        }
      : null,
    hasStart && restart.when !== 'never'
      ? {
          step: 'longest-delay',
          ms: longest,
          text: `${durationText(longest)} between starts at most, while it keeps failing`,
        }
      : null,
    kind.type === 'watched' && hasStart
      ? { step: 'start', ms: start, text: within(start, 'for the start command') }
      : null,
    { step: 'ready', ms: ready.timeout, text: within(ready.timeout, 'until a start must count') },
    { step: 'stop', ms: stop, text: within(stop, 'to stop by its ladder or command') },
    hasStart && restart.when !== 'never'
      ? {
          step: 'worst-restart',
          ms: sum([settle, longest, start, ready.timeout]),
          text: worst([settle, longest, start, ready.timeout]),
        }
      : null,
  ];
  return steps.filter((step) => step !== null);
}

const within = (ms: Millis | null, what: string): string =>
  `${ms === null ? 'no limit' : `${durationText(ms)} at most`} ${what}`;

function worst(parts: readonly (Millis | null)[]): string {
  const total = sum(parts);
  return `${total === null ? 'no limit' : `${durationText(total)} at most`} from a death until it is up or has failed once more`;
}

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
