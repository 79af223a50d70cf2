// The keeper put together with everything that it acts by: kernel, journal, logs, clock, and the configuration that it was
// given. The same for one that stays and for a single look. Nobody reaches it yet.

import { existsSync } from 'node:fs';
import { hostname, uptime } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Configuration } from '../config/load.js';
import type { SingleEvent } from '../core/event.js';
import { heldBackBy } from '../core/held-back.js';
import { planWithout } from '../core/notice-rules.js';
import type { ServiceName } from '../core/spec.js';
import { mainOf, type Service } from '../core/state.js';
import { viewOf } from '../core/world.js';
import { writeJob } from '../journal/job.js';
import { Words } from '../journal/words.js';
import { Keeper } from '../keeper/keeper.js';
import type { Clock, Journal, Report } from '../keeper/ports.js';
import { createClock } from '../kernel/clock.js';
import { hostPhase } from '../kernel/host-phase.js';
import { generationsAlive } from '../kernel/unrecorded.js';
import { printJob } from '../logs/job.js';
import type { Beginning } from './beginning.js';
import { Complaints } from './complaints.js';
import { CurrentConfiguration } from './configuration.js';
import { courierStarter } from './courier-process.js';
import { withFault } from './fault-point.js';
import { HostWatch } from './host-watch.js';
import { keepApplied, newestGeneration, servicesOf } from './memory.js';
import { Newsroom } from './newsroom.js';
import { composeOutside, type Outside } from './outside.js';

/** How long the disk may take to write the last words of an ending keeper. */
const flushPatience = 2000;

export interface Engine {
  readonly keeper: Keeper;
  readonly clock: Clock;
  readonly outside: Outside;
  readonly configuration: CurrentConfiguration;
  readonly newsroom: Newsroom;
  /** Every service as it was left. `leave`: this one is not for us. */
  begin(isForUs: (service: Service) => 'take' | 'leave'): void;
  /** Touches no process. `lastWord`: before the process ends at once, because a disk hangs. */
  close(exitCode: number, lastWord: () => void): Promise<void>;
}

export async function buildEngine({ options, uid, log, report, memory, decision }: Beginning): Promise<Engine> {
  const { places, command } = options;
  const clock = createClock();
  // What goes wrong while all this is put together has only the log to go to.
  let tell = report;
  const trouble: Report = (problem, error) => tell(problem, error);
  const complaints = new Complaints(
    (level, text) => log.say(level, text),
    () => clock.now().instant,
  );
  const outside = composeOutside({
    places,
    token: memory.journal.token,
    begunAt: (name) => memory.found.snapshots.get(name)?.begun ?? 0,
    report: trouble,
    post: (event) => keeper.post(event),
    services: () => keeper.services,
    complain: (service, text) => complaints.about(service, text),
    together: (work) => keeper.gather(work),
    clock,
  });
  log.printThrough((text) => outside.disk.send(printJob(text)));
  const words = new Words(join(places.state, 'words.json'), memory.words, (path, text) =>
    outside.disk.send(writeJob(path, text)),
  );
  const forget = (name: ServiceName): void => {
    outside.outputs.release(name);
    outside.stopListeningTo(name);
    complaints.release(name);
  };
  const journal: Journal = {
    record: (services, removed, changes) => {
      memory.journal.record(services, removed, newsroom.chronicle.number(services, changes));
      words.record(services, removed);
      for (const name of removed) forget(name);
    },
  };
  const silent = planWithout(existsSync('/dev/log') ? 'yes' : 'no');
  const newsroom: Newsroom = new Newsroom({
    state: places.state,
    host: hostname(),
    journal: memory.journal,
    clock,
    services: () => keeper.services,
    heldBackBy: (name) => heldBackBy(viewOf(keeper.world), name),
    plan: () => configuration.current.notices ?? silent,
    without: outside.without,
    lastLines: ({ spec, lastDeath }, callback) =>
      outside.outputs.lastLinesOf(spec, lastDeath?.served === null ? 'start' : 'main', callback),
    startCourier: courierStarter(join(places.state, 'outbox'), outside.startCompanion),
    say: (level, text) => log.say(level, text),
  });
  tell = newsroom.report;
  const hostWatch = new HostWatch({
    ask: hostPhase,
    turn: (to) => keeper.turnHost(to),
    bootGrace: decision.configuration.keeper.bootGrace,
    uptime: () => uptime() * 1000,
  });
  const host = await hostWatch.begin();
  const keeper: Keeper = new Keeper({
    ...withFault({ journal, kernel: outside.kernel }, process.env.UPKEEP_FAULT),
    clock,
    sinks: [log, hostWatch, newsroom.chronicle, outside.handovers],
    report: trouble,
    host,
    parallel: decision.configuration.keeper.limits.parallel,
  });
  const keep = (applied: Configuration): void => {
    keeper.parallel = applied.keeper.limits.parallel;
    outside.askers.limit = applied.keeper.limits.askers;
    // A command is no configuration that could be the last good one.
    if (command === null) keepApplied(places, applied, (job) => outside.disk.send(job));
  };
  const configuration = new CurrentConfiguration(
    {
      path: places.config,
      uid,
      post: keeper.post,
      services: () => keeper.services,
      now: () => clock.now().instant,
      keep,
    },
    decision.configuration,
    decision.from === 'applied' ? decision.problems : [],
  );
  keep(decision.configuration);

  return {
    keeper,
    clock,
    outside,
    configuration,
    newsroom,
    begin: (isForUs) => {
      const recorded = (name: string): number => {
        const snapshot = memory.found.snapshots.get(name);
        return snapshot === undefined ? 0 : newestGeneration(snapshot.service);
      };
      // Where no journal of this boot was found its token is a fresh one, which no process can carry.
      const unrecorded =
        memory.found.boot === 'same' ? generationsAlive(memory.journal.token, recorded) : new Map<string, number>();
      const together: SingleEvent[] = [];
      const names = new Set<string>();
      for (const { as: service, events } of servicesOf(
        decision.configuration,
        memory,
        clock.now().instant,
        unrecorded,
      )) {
        names.add(service.spec.name);
        if (isForUs(service) === 'leave') continue;
        // The output of adopted services is to be indexed and rotated from now on; that of the others from their start on.
        if (mainOf(service) !== null) outside.outputs.prepare(service.spec);
        outside.listenTo(service);
        together.push({ type: 'added', service: service.spec.name, as: service }, ...events);
      }
      outside.holdFor(names);
      keeper.post({ type: 'together', events: together });
    },
    close: async (exitCode, lastWord) => {
      hostWatch.close();
      await Promise.race([outside.tidied(), pause(flushPatience, undefined, { ref: false })]);
      keeper.close();
      await newsroom.close(flushPatience);
      memory.journal.close();
      log.flush();
      const isLate = (await outside.disk.flush(flushPatience)) === 'late';
      if (isLate) report('the disk does not answer; ending without its last word', null);
      if (isLate || outside.waitsForFiles() === 'yes') {
        lastWord();
        outside.endAtOnce(exitCode);
      }
      outside.close();
    },
  };
}
