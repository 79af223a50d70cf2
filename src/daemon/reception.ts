// Where a keeper that stays is reached: the control socket, the status, signals, upgrades; and what shows that it lives: the
// pulse, the watch over its directory. Decides nothing about services.

import { hostname } from 'node:os';
import { ControlServer } from '../control/server.js';
import type { Sender } from '../core/death.js';
import { outlookOf } from '../core/outlook.js';
import { serviceName } from '../core/spec.js';
import { SdNotify, watchdogPeriod } from '../kernel/sd-notify.js';
import type { Beginning } from './beginning.js';
import type { PlanAnswer } from './configuration.js';
import { ControlSocket } from './control-socket.js';
import type { Engine } from './engine.js';
import type { Farewell } from './farewell.js';
import type { Guard } from './guard.js';
import { heartbeatTester } from './heartbeat-test.js';
import type { KeeperRecord } from './keeper-record.js';
import { watchLoop } from './loop-delay.js';
import { directory } from './outside.js';
import { describePeer, judgesFor } from './peers.js';
import { Progress } from './progress.js';
import { Pulse } from './pulse.js';
import { acknowledge, fileIn, listen, textIn, wants } from './requests.js';
import { RuntimeWatch } from './runtime-watch.js';
import { successorOf } from './successor.js';
import { Upgrade } from './upgrade.js';
import { detailView, keeperView, statusView, type ViewParts } from './view.js';

export interface ReceptionParts {
  readonly beginning: Beginning;
  readonly engine: Engine;
  readonly version: string;
  /** Descriptors by name that were handed on to us, the best first. */
  readonly inherited: readonly ReadonlyMap<string, number>[];
  readonly guard: Guard;
  readonly farewell: Farewell;
  readonly record: KeeperRecord;
  readonly end: (how: 'leave' | 'stop') => void;
}

export interface Reception {
  /** The services are there: from now on it says that it keeps them. */
  begin(): void;
  /** It was asked to end; nothing is replaced any more. */
  ending(): void;
  /** Resolves at the second request to end. */
  readonly second: Promise<void>;
  close(how: 'leave' | 'stop'): void;
}

export async function openReception(parts: ReceptionParts): Promise<Reception> {
  const { beginning, engine, version, inherited, guard, farewell, record, end } = parts;
  const { options, uid, log, report, premises, memory } = beginning;
  const { keeper, outside, clock, configuration, newsroom } = engine;
  const { places, command } = options;

  farewell.begin();

  const loop = watchLoop((text) => log.say('warning', text));
  const view: ViewParts = {
    host: hostname(),
    version,
    since: new Date(),
    places,
    clock,
    world: () => keeper.world,
    configuration: () => configuration.current,
    pending: () => command === null && configuration.pending,
    problems: () => [
      ...configuration.problems,
      ...guard.problems,
      ...newsroom.problems(),
      ...(memory.journal.health === 'broken'
        ? ['the journal cannot be written: a keeper that is killed now forgets what happened']
        : []),
    ],
    before: record.before,
    without: outside.without,
    notEnforced: outside.notEnforced,
    lossesOf: (service) => outside.outputs.lossesOf(service.spec.name),
    diskLate: () => outside.disk.late,
    counters: () => ({
      ...loop.counters(),
      diskJobsDropped: outside.disk.dropped,
      logLinesDropped: log.dropped,
      eventReadersDropped: control.events.dropped,
    }),
  };

  const apply = (by: Sender | null): PlanAnswer => {
    if (command !== null) return { type: 'bad', problems: ['this keeper keeps a command and has no file to apply'] };
    const answer = configuration.apply();
    if (answer.type === 'ok') {
      log.say('notice', `applied ${places.config}`);
      newsroom.configure();
      newsroom.note({ type: 'applied', config: places.config, by });
    } else {
      for (const problem of answer.problems) log.say('error', `not applied: ${problem}`);
      newsroom.note({ type: 'rejected', config: places.config, problems: answer.problems, by });
    }
    return answer;
  };
  const control: ControlServer = new ControlServer({
    post: keeper.post,
    services: () => keeper.services,
    outlook: () => outlookOf(keeper.world),
    status: () => statusView(view),
    keeper: () => keeperView(view),
    channels: (details) => {
      const channels = newsroom.channels();
      // Where somebody may not see what programs print, their words are none of his business either.
      return {
        version: 1,
        channels: details === 'yes' ? channels : channels.map((one) => ({ ...one, lastError: null })),
      };
    },
    now: () => clock.now(),
    without: outside.without,
    elsewhere: () => configuration.current.elsewhere,
    history: newsroom.ask,
    test: heartbeatTester(outside.askers),
    judges: judgesFor(() => keeper.services, uid, directory),
    peerOf: outside.peerOf,
    handover: outside.handoverDoor,
    describe: (peer) => describePeer(peer, directory),
    detail: (name) => detailView(name, view),
    fds: (name) => outside.fdsOf(serviceName(name)),
    report,
    govern: {
      plan: (body) => Promise.resolve(configuration.plan(fileIn(body))),
      apply: (_body, peer) => Promise.resolve(apply(describePeer(peer, directory))),
      shutdown: (body, peer) => {
        farewell.shutDown(describePeer(peer, directory));
        end(wants(body, 'leave') || options.leave === 'yes' ? 'leave' : 'stop');
        return Promise.resolve({ ending: true });
      },
      once: () => Promise.resolve({ services: statusView(view).services }),
      upgrade: () => upgrade.ask(),
      ack: (body, peer) =>
        Promise.resolve(acknowledge(body, describePeer(peer, directory), (...words) => newsroom.ack(...words))),
      'notices/test': (body) => newsroom.test(textIn(body, 'channel') ?? ''),
    },
  });
  newsroom.whenRecorded(() => control.history.recorded());
  keeper.subscribe(control.operations);
  keeper.subscribe(control.events);
  keeper.subscribe(control.tally);
  const manager = process.env.NOTIFY_SOCKET ?? null;
  const socket = new ControlSocket({ path: places.socket, server: control, inherited, manager });
  const pulse = new Pulse({
    sdNotify: new SdNotify(process.env),
    progress: new Progress(places.runtime),
    watchdog: watchdogPeriod(process.env, process.pid),
    services: () => keeper.services,
    onBeat: (late) => {
      outside.lookForSleep();
      if (loop.late(late) === 'stood still') keeper.stoodStill();
    },
  });
  const upgrade = new Upgrade({
    version,
    successor: () => successorOf(process, places),
    lock: premises.lockFd,
    control: socket,
    flush: async (within) => {
      const threads = await Promise.all([outside.disk.flush(within), newsroom.flush(within)]);
      return threads.includes('late') ? 'late' : 'done';
    },
    say: (level, text) => log.say(level, text),
    beforeReplacing: () => {
      pulse.reloading();
      log.flush();
    },
  });
  try {
    await socket.open();
  } catch (error) {
    // Without a socket it keeps all the same: services come first.
    report(`the control socket ${places.socket} cannot be opened; commands will not reach this keeper`, error);
  }

  const runtimeWatch = new RuntimeWatch({
    path: places.runtime,
    makeDirectory: premises.makeRuntime,
    pieces: [...premises.pieces, memory.journal, socket, record.piece, outside.heldRecord],
    say: (text) => log.say('warning', text),
    report,
  });
  runtimeWatch.begin();
  const onSignal = listen({
    end: () => end(options.leave === 'yes' ? 'leave' : 'stop'),
    apply: () => void apply(null),
    // Why not stands in the log.
    upgrade: () => void upgrade.ask().catch(() => {}),
    echo: guard.state.type === 'there' ? 300 : 0,
  });

  return {
    begin: () => {
      pulse.begin();
      keeper.subscribe(pulse);
    },
    ending: () => {
      upgrade.close();
      pulse.stopping();
    },
    second: onSignal.second,
    close: (how) => {
      record.end(how);
      onSignal.close();
      runtimeWatch.close();
      socket.close();
      loop.close();
      pulse.close();
    },
  };
}
