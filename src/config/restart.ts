// `restart`: the policy, its back-off and its limit.

import type { RestartSpec } from '../core/spec.js';
import { millis } from '../core/time.js';
import { cron, duration, number, percent, rateOrNone } from './amounts.js';
import { durationText } from './quantity.js';
import { defaulted, optional, record } from './record.js';
import { below, complain, listOf, oneOf, type Reading, refine, type Shape } from './shape.js';
import { exitSelector } from './signal.js';
import { dictOf, type Tree, valueAt } from './tree.js';

const when = oneOf('always', 'on-failure', 'on-abnormal', 'on-abort', 'on-watchdog', 'on-success', 'never');

const backoff = record('a back-off like {factor: 2, max: 30s, jitter: 10%}', {
  factor: defaulted(number(1, 100), '2', 'What the delay is multiplied by from one restart to the next.'),
  max: defaulted(duration, '30s', 'The longest delay.'),
  jitter: defaulted(percent, '10%', 'How far a delay is moved by chance, so that many do not come at once.'),
});

const codes = listOf(exitSelector, 'single');

const fields = record(
  'always, on-failure, on-abnormal, on-abort, on-watchdog, on-success or never, or a map with `when` and more',
  {
    when: defaulted(when, 'always', "After which ends it is started again, with systemd's meanings."),
    delay: defaulted(
      duration,
      '100ms',
      'The first delay, counted from start to start: what has lived longer comes back at once.',
    ),
    backoff: defaulted(backoff, '{}', 'How the delay grows while it keeps failing.'),
    healthyAfter: defaulted(
      duration,
      '30s',
      "Alive and healthy that long: the delay begins anew (never the limit's window).",
    ),
    limit: defaulted(rateOrNone, '10 in 5m', 'So many restarts within that time are done, the next is not; or `none`.'),
    then: defaulted(
      oneOf('slow', 'give-up'),
      'slow',
      'At the limit: `slow`, state failed and one quiet try every `slowEvery`; or `give-up`, failed until told.',
    ),
    slowEvery: defaulted(duration, '1m', 'The time between quiet tries.'),
    successExit: defaulted(
      codes,
      '[]',
      'Codes and signals that are no failure, beside 0, SIGHUP, SIGINT, SIGTERM and SIGPIPE.',
    ),
    preventExit: defaulted(codes, '[]', 'Codes and signals after which it stays down.'),
    alwaysAfter: defaulted(
      codes,
      '[]',
      'Codes and signals after which it is started again whatever `when` says, uncounted: an agreed restart code.',
    ),
    at: optional(
      cron,
      'A planned graceful restart, as a cron expression in local time; "0 4 * * 0" is Sunday morning at four.',
    ),
    spread: defaulted(
      duration,
      '0s',
      'It comes so much later at most, by chance, so that many hosts do not go at once.',
    ),
  },
  { short: (tree) => (tree.type === 'leaf' ? dictOf(tree, { when: tree }) : tree), shortSchema: when.schema },
);

/** The longest delay is never below the first: ours gives way to a longer first one, an operator's is a mistake. */
export const restart: Shape<RestartSpec> = refine(fields, (spec, tree, reading) => {
  if (spec.at === null && spec.spread > 0 && reading.mode === 'whole') return unplanned(spec, tree, reading);
  const { delay, backoff: growing } = spec;
  if (reading.mode === 'partial' || delay <= growing.max) return spec;
  const max = valueAt(valueAt(tree, 'backoff'), 'max');
  if (max === undefined || max.layer.type === 'upkeep') return { ...spec, backoff: { ...growing, max: delay } };
  const found = `found a longest delay of ${durationText(growing.max)}, below the first of ${durationText(delay)}`;
  return complain(below(reading, 'backoff.max'), max.at, `${found}; write ${durationText(delay)} or more`);
});

/** A spread of nothing: skipped where it is a default, a mistake where the service says it. */
function unplanned(spec: RestartSpec, tree: Tree, reading: Reading): RestartSpec | undefined {
  const written = valueAt(tree, 'spread');
  if (written === undefined || written.layer.type === 'defaults') return { ...spec, spread: millis(0) };
  return complain(
    below(reading, 'spread'),
    written.at,
    'found a spread without `at`, the time that is spread; write `at: "0 4 * * 0"` too, or take it out',
  );
}
