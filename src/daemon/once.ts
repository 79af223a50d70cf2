// `upkeep once` without a keeper: a look at everything, repair, report, end; for cron. The same keeper with the same
// memory, which ends when nothing of its watched services is on its way any more. Supervised services are not started.

import type { OnceOptions } from '../cli/ports.js';
import { untilAtRest } from './at-rest.js';
import { begin } from './beginning.js';
import { buildEngine } from './engine.js';
import { OnceReport } from './once-report.js';
import { listen, surviveSurprises } from './requests.js';
import { servicesView } from './view.js';

/** What nobody takes within this time stays in the outbox for the next look. */
const noticePatience = 20_000;

/** Resolves to the exit code: 0 all is as wanted, 3 something that should be up is not, 1 it could not look. */
export async function lookOnce(options: OnceOptions, version: string): Promise<number> {
  const begun = begin({ ...options, leave: 'yes', strict: 'no', exitWith: null, command: null }, 'once', null);
  if (begun.type === 'refused') return begun.code;
  const { beginning } = begun;
  const { log, report, premises } = beginning;
  try {
    const engine = await buildEngine(beginning);
    const { keeper, outside, clock } = engine;
    const unguard = surviveSurprises(report);
    let end: () => void = () => {};
    const asked = new Promise<void>((resolve) => {
      end = resolve;
    });
    const onSignal = listen({ end, apply: () => {}, upgrade: () => {}, echo: 0 });
    const onceReport = new OnceReport();
    keeper.subscribe(onceReport);
    log.say('info', `upkeep ${version} looks at the services of ${beginning.options.places.config}`);
    engine.begin((service) => {
      if (service.spec.kind.type === 'watched') return 'take';
      onceReport.leave(service);
      return 'leave';
    });
    engine.newsroom.begin(null);
    await Promise.race([asked, untilAtRest(keeper)]);
    await Promise.race([asked, engine.newsroom.settle(noticePatience)]);
    const statuses = servicesView({ world: () => keeper.world, clock, notEnforced: outside.notEnforced });
    const { lines, exitCode } = onceReport.end(statuses);
    for (const line of lines) log.say('error', line);
    onSignal.close();
    unguard();
    await engine.close(exitCode, () => {});
    return exitCode;
  } finally {
    premises.leave();
  }
}
