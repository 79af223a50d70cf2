// The keeper as a process: takes the lock, finds out which configuration counts, puts the parts together, and runs until
// it is asked to end. Decides nothing about services.

import { hostname, uptime } from 'node:os';
import { join } from 'node:path';
import type { RunOptions } from '../cli/ports.js';
import type { Configuration } from '../config/load.js';
import { ControlServer } from '../control/server.js';
import { mainOf } from '../core/state.js';
import { writeJob } from '../journal/job.js';
import { Words } from '../journal/words.js';
import { Keeper } from '../keeper/keeper.js';
import type { Journal, Report } from '../keeper/ports.js';
import { createClock } from '../kernel/clock.js';
import { takeStored } from '../kernel/fd-store.js';
import { hostPhase } from '../kernel/host-phase.js';
import { takeInheritance } from '../kernel/inheritance.js';
import { SdNotify, watchdogPeriod } from '../kernel/sd-notify.js';
import { generationsAlive } from '../kernel/unrecorded.js';
import { printJob } from '../logs/job.js';
import type { KeeperLog } from '../logs/keeper-log.js';
import { untilAtRest } from './at-rest.js';
import { decideCommand, placesOfCommand } from './command.js';
import { CurrentConfiguration, type Decision, decideAt, type PlanAnswer } from './configuration.js';
import { ControlSocket } from './control-socket.js';
import { Ending } from './end.js';
import { ExitWith } from './exit-with.js';
import { Farewell, howToEnd, ownerOf } from './farewell.js';
import { withFault } from './fault-point.js';
import { becomeGuard, Guard } from './guard.js';
import { HostWatch } from './host-watch.js';
import { KeeperRecord } from './keeper-record.js';
import { type Mode, openLog } from './log.js';
import { watchLoop } from './loop-delay.js';
import { keepApplied, type Memory, remember, servicesOf } from './memory.js';
import { OnceReport } from './once-report.js';
import { composeOutside, directory } from './outside.js';
import { describePeer, judgesFor } from './peers.js';
import { enter, type Premises } from './premises.js';
import { Progress } from './progress.js';
import { Pulse } from './pulse.js';
import { fileIn, listen, sentence, surviveSurprises, wants } from './requests.js';
import { RuntimeWatch } from './runtime-watch.js';
import { successorOf } from './successor.js';
import { Upgrade } from './upgrade.js';
import { detailView, keeperView, statusView, type ViewParts } from './view.js';

/** How long the disk may take to write the last words of an ending keeper. */
const flushPatience = 2000;

/** Runs the keeper until it is asked to end; resolves to the exit code. */
export async function runDaemon(options: RunOptions, version: string, mode: Mode = 'keep'): Promise<number> {
  const guard = new Guard({
    env: process.env,
    ppid: () => process.ppid,
    kill: (pid, signal) => process.kill(pid, signal),
  });
  try {
    return await enterAndKeep(options, version, mode, guard);
  } finally {
    guard.farewell();
  }
}

async function enterAndKeep(given: RunOptions, version: string, mode: Mode, guard: Guard): Promise<number> {
  const places = given.command === null ? given.places : placesOfCommand(given.places, given.command, process.env);
  const options: RunOptions = { ...given, places };
  const uid = process.getuid?.() ?? 0;
  const inherited = [takeInheritance(process.env), takeStored(process.env)] as const;
  // Nothing of where and how it was started clings to it: no mount stays busy, no file is looser than meant.
  process.chdir('/');
  process.umask(0o022);
  const log = openLog(mode);
  const report: Report = (problem, error) =>
    log.say('error', error == null ? problem : `${problem}: ${sentence(error)}`);

  let premises: Premises;
  try {
    premises = enter(places, uid, inherited[0].get('lock') ?? null);
  } catch (error) {
    log.say('error', sentence(error));
    return 1;
  }
  try {
    return await keep(options, version, mode, uid, log, report, premises, inherited, guard);
  } finally {
    premises.leave();
  }
}

async function keep(
  options: RunOptions,
  version: string,
  mode: Mode,
  uid: number,
  log: KeeperLog,
  report: Report,
  premises: Premises,
  inherited: readonly ReadonlyMap<string, number>[],
  guard: Guard,
): Promise<number> {
  const { places } = options;
  const since = new Date();
  const host = hostname();
  let memory: Memory;
  try {
    memory = remember(places, host, uid, report);
  } catch (error) {
    log.say('error', sentence(error));
    return 1;
  }
  if (memory.journal.found.loss !== null) log.say('warning', memory.journal.found.loss);

  const decision = beginWith(options, memory, mode, uid);
  if (decision.type === 'refuse') {
    for (const problem of decision.problems) log.say('error', problem);
    log.say('error', 'there is no configuration to run by; nothing was started');
    return 1;
  }
  for (const problem of decision.problems) log.say('error', problem);
  const { exitWith, command } = options;
  if (exitWith !== null && !decision.configuration.specs.some(({ name }) => name === exitWith)) {
    log.say('error', `--exit-with ${exitWith}: there is no such service on this host; nothing was started`);
    return 2;
  }
  if (decision.configuration.keeper.guard === 'yes' && mode === 'keep' && guard.state.type === 'none') {
    log.flush();
    report('the guard cannot be started, going on without it', becomeGuard(successorOf(process, places)));
  }

  const record = mode === 'keep' ? new KeeperRecord(places.runtime, version, process.env, report) : null;
  if (record?.before != null) log.say('warning', record.before.text);

  const clock = createClock();
  const outside = composeOutside({
    places,
    token: memory.journal.token,
    begunAt: (name) => memory.found.snapshots.get(name)?.begun ?? 0,
    report,
    post: (event) => keeper.post(event),
  });
  log.printThrough((text) => outside.disk.send(printJob(text)));
  const words = new Words(join(places.state, 'words.json'), memory.words, (path, text) =>
    outside.disk.send(writeJob(path, text)),
  );
  const journal: Journal = {
    record: (services, removed) => {
      memory.journal.record(services, removed);
      words.record(services, removed);
      for (const name of removed) outside.outputs.release(name);
    },
  };
  const hostWatch = new HostWatch({
    ask: hostPhase,
    turn: (to) => keeper.turnHost(to),
    bootGrace: decision.configuration.keeper.bootGrace,
    uptime: () => uptime() * 1000,
  });
  const phase = await hostWatch.begin();
  const keeper: Keeper = new Keeper({
    ...withFault({ journal, kernel: outside.kernel }, process.env.UPKEEP_FAULT),
    clock,
    sinks: [log, hostWatch],
    report,
    host: phase,
  });

  const keep = (applied: Configuration): void => {
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

  const loop = watchLoop((text) => log.say('warning', text));
  const view: ViewParts = {
    host,
    version,
    since,
    places,
    clock,
    services: () => keeper.services,
    configuration: () => configuration.current,
    pending: () => command === null && configuration.pending,
    problems: () => [
      ...configuration.problems,
      ...guard.problems,
      ...(memory.journal.health === 'broken'
        ? ['the journal cannot be written: a keeper that is killed now forgets what happened']
        : []),
    ],
    before: record?.before ?? null,
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

  const apply = (): PlanAnswer => {
    if (command !== null) return { type: 'bad', problems: ['this keeper keeps a command and has no file to apply'] };
    const answer = configuration.apply();
    if (answer.type === 'ok') log.say('notice', `applied ${places.config}`);
    else for (const problem of answer.problems) log.say('error', `not applied: ${problem}`);
    return answer;
  };
  const farewell = new Farewell(places.state, ownerOf(process.env), (job) => outside.disk.send(job));
  if (mode === 'keep') farewell.begin();
  const ending = new Ending(keeper.post, () => keeper.services);
  keeper.subscribe(ending);
  let end: (how: 'leave' | 'stop', code?: number) => void = () => {};
  const asked = new Promise<{ readonly how: 'leave' | 'stop'; readonly code: number | null }>((resolve) => {
    end = (how, code) => resolve({ how, code: code ?? null });
  });
  if (exitWith !== null) keeper.subscribe(new ExitWith(exitWith, (code) => end('stop', code)));
  const control: ControlServer = new ControlServer({
    post: keeper.post,
    services: () => keeper.services,
    status: () => statusView(view),
    keeper: () => keeperView(view),
    judges: judgesFor(() => keeper.services, uid, directory),
    peerOf: outside.peerOf,
    describe: (peer) => describePeer(peer, directory),
    detail: (name) => detailView(name, view),
    report,
    govern: {
      plan: (body) => Promise.resolve(configuration.plan(fileIn(body))),
      apply: () => Promise.resolve(apply()),
      shutdown: (body, peer) => {
        farewell.shutDown(describePeer(peer, directory));
        end(wants(body, 'leave') || options.leave === 'yes' ? 'leave' : 'stop');
        return Promise.resolve({ ending: true });
      },
      once: () => Promise.resolve({ services: statusView(view).services }),
      upgrade: () => upgrade.ask(),
    },
  });
  const manager = process.env.NOTIFY_SOCKET ?? null;
  const socket = new ControlSocket({ path: places.socket, server: control, inherited, manager });
  const pulse = new Pulse({
    notify: new SdNotify(process.env),
    progress: new Progress(places.runtime),
    watchdog: watchdogPeriod(process.env, process.pid),
    services: () => keeper.services,
    onBeat: (late) => loop.late(late),
  });
  const upgrade = new Upgrade({
    version,
    successor: () => successorOf(process, places),
    lock: premises.lockFd,
    control: socket,
    flush: (within) => outside.disk.flush(within),
    say: (level, text) => log.say(level, text),
    beforeReplacing: () => {
      pulse.reloading();
      log.flush();
    },
  });
  keeper.subscribe(control.operations);
  keeper.subscribe(control.events);
  try {
    if (mode === 'keep') await socket.open();
  } catch (error) {
    // Without a socket it keeps all the same: services come first.
    report(`the control socket ${places.socket} cannot be opened; commands will not reach this keeper`, error);
  }

  const runtimeWatch = new RuntimeWatch({
    path: places.runtime,
    makeDirectory: premises.makeRuntime,
    pieces: [...premises.pieces, memory.journal, socket, ...(record === null ? [] : [record.piece])],
    say: (text) => log.say('warning', text),
    report,
  });
  if (mode === 'keep') runtimeWatch.begin();
  const unguard = surviveSurprises(report);
  const onSignal = listen({
    end: () => end(options.leave === 'yes' ? 'leave' : 'stop'),
    apply,
    // Why not stands in the log.
    upgrade: () => void (mode === 'keep' ? upgrade.ask() : Promise.resolve()).catch(() => {}),
  });
  const { length } = decision.configuration.specs;
  log.say(
    'notice',
    `upkeep ${version} keeps ${length === 1 ? '1 service' : `${length} services`} of ${places.config} (pid ${process.pid})`,
  );
  for (const { name, effect } of outside.without) log.say('info', `without ${name}: ${effect}`);
  const onceReport = new OnceReport();
  if (mode === 'once') keeper.subscribe(onceReport);
  const recorded = (name: string): number => memory.found.snapshots.get(name)?.service.generation ?? 0;
  const unrecorded = generationsAlive(memory.journal.token, recorded);
  for (const { as: service, events } of servicesOf(decision.configuration, memory, clock.now().instant, unrecorded)) {
    if (mode === 'once' && service.spec.kind.type !== 'watched') {
      onceReport.leave(service);
      continue;
    }
    // The output of adopted services is to be indexed and rotated from now on; that of the others from their start on.
    if (mainOf(service) !== null) outside.outputs.prepare(service.spec);
    keeper.post({ type: 'added', service: service.spec.name, as: service });
    for (const event of events) keeper.post(event);
  }
  guard.keeps();
  if (mode === 'keep') {
    pulse.begin();
    keeper.subscribe(pulse);
  }

  const { how: wish, code } = await (mode === 'once' ? Promise.race([asked, untilAtRest(keeper)]) : asked);
  const how = mode === 'once' ? wish : await howToEnd(wish, hostPhase);
  guard.meant();
  const { lines, exitCode } =
    mode === 'once' ? onceReport.end(statusView(view).services) : { lines: [], exitCode: code ?? farewell.exitCode };
  for (const line of lines) log.say('error', line);
  upgrade.close();
  if (mode === 'keep') pulse.stopping();
  log.say('notice', how === 'leave' ? 'ending; the services go on' : 'ending; stopping the supervised services');
  if (how === 'stop') await Promise.race([ending.stopAll(), onSignal.second]);
  record?.end(how);
  onSignal.close();
  unguard();
  hostWatch.close();
  runtimeWatch.close();
  socket.close();
  keeper.close();
  memory.journal.close();
  loop.close();
  pulse.close();
  log.flush();
  if ((await outside.disk.flush(flushPatience)) === 'late') {
    report('the disk does not answer; ending without its last word', null);
    guard.farewell();
    outside.endAtOnce(exitCode);
  }
  outside.close();
  return exitCode;
}

function beginWith(options: RunOptions, { journal, applied }: Memory, mode: Mode, uid: number): Decision {
  // A look from cron has nobody who could `apply`: the file counts whenever it is right.
  const boot = mode === 'once' ? 'other' : journal.found.boot;
  if (options.command !== null) return decideCommand(options.places.config, options.command, uid, journal.found);
  return decideAt(options.places.config, uid, { applied, boot, strict: options.strict });
}
