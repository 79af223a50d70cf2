import { describe, expect, it } from 'vitest';
import { supervised } from '../../test/support/builders.js';
import { openKeeper } from '../../test/support/command-line.js';
import { processRef, running } from '../../test/support/fake-keeper.js';
import type { Change, What } from '../core/change.js';
import { serviceName } from '../core/spec.js';
import { newService } from '../core/state.js';
import { instant, millis, seconds, wallTime } from '../core/time.js';
import { metricsText } from './metrics.js';
import { Tally } from './tally.js';

const spec = supervised({ name: 'web' });
const web = new Map([['web', newService(spec, instant(0))]]);

const change = (what: What): Change => ({
  ...{ service: serviceName('web'), time: wallTime(0), generation: 1, from: 'handover', to: 'running', wave: null },
  what,
});

const refused = change({ type: 'handoverRefused', reason: 'no', process: null });
const committed = change({ type: 'committed', from: processRef(1), to: processRef(2), took: millis(84) });
const missed = change({ type: 'watchdogMissed', period: seconds(30), how: 'silence' });

describe('the counters that no status remembers', () => {
  it('count hand-overs, those that came to nothing, and silent watchdogs', () => {
    const tally = new Tally();
    tally.tell([committed, refused], web);
    tally.tell([refused, missed, change({ type: 'reloaded' })], web);
    expect(tally.of('web')).toEqual({ committed: 1, refused: 2, missed: 1 });
    expect(tally.of('db')).toEqual({ committed: 0, refused: 0, missed: 0 });
  });

  it('forget a service that is configured no more', () => {
    const tally = new Tally();
    tally.tell([committed], web);
    tally.tell([committed], new Map());
    expect(tally.of('web')).toEqual({ committed: 0, refused: 0, missed: 0 });
  });

  it('stand in the metrics beside what drains now', async () => {
    const keeper = await openKeeper();
    const outgoing = { since: instant(0), why: 'drained', phase: 'asked', cut: 'no', deadline: null } as const;
    keeper.put(spec, running(2), { draining: [{ ...outgoing, process: processRef(1), generation: 1 }] });
    const text = metricsText(keeper.status(), () => ({ committed: 3, refused: 1, missed: 2 }));
    const labels = '{service="web",kind="supervised"}';
    for (const line of [
      '# TYPE upkeep_service_draining gauge',
      `upkeep_service_draining${labels} 1`,
      '# TYPE upkeep_service_handovers_total counter',
      `upkeep_service_handovers_total${labels} 3`,
      `upkeep_service_handovers_refused_total${labels} 1`,
      `upkeep_service_watchdog_misses_total${labels} 2`,
      `upkeep_service_up${labels} 1`,
    ])
      expect(text.split('\n')).toContain(line);
  });
});
