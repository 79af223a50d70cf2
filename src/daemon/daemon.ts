// The keeper as a process, from its first line to its exit code: begins, takes charge of the services, is reached, and ends
// when it is asked to. Decides nothing about services.

import type { RunOptions } from '../cli/ports.js';
import { countOf } from '../core/message.js';
import { takeStored } from '../kernel/fd-store.js';
import { hostPhase } from '../kernel/host-phase.js';
import { takeInheritance } from '../kernel/inheritance.js';
import { type Beginning, begin } from './beginning.js';
import { Ending } from './end.js';
import { buildEngine } from './engine.js';
import { ExitWith } from './exit-with.js';
import { Farewell, howToEnd, ownerOf } from './farewell.js';
import { becomeGuard, Guard } from './guard.js';
import { KeeperRecord } from './keeper-record.js';
import { openReception } from './reception.js';
import { surviveSurprises } from './requests.js';
import { successorOf } from './successor.js';

type Inherited = readonly ReadonlyMap<string, number>[];

/** Runs the keeper until it is asked to end; resolves to the exit code. */
export async function runDaemon(options: RunOptions, version: string): Promise<number> {
  const guard = new Guard({
    env: process.env,
    ppid: () => process.ppid,
    kill: (pid, signal) => process.kill(pid, signal),
  });
  const handedOn = takeInheritance(process.env);
  const inherited = [handedOn, takeStored(process.env)];
  try {
    const begun = begin(options, 'keep', handedOn.get('lock') ?? null);
    if (begun.type === 'refused') return begun.code;
    const { beginning } = begun;
    try {
      return await keep(beginning, version, guard, inherited);
    } finally {
      beginning.premises.leave();
    }
  } finally {
    guard.farewell();
  }
}

async function keep(beginning: Beginning, version: string, guard: Guard, inherited: Inherited): Promise<number> {
  const { options, log, report, decision } = beginning;
  const { places, exitWith } = options;
  const { configuration } = decision;
  if (configuration.keeper.guard === 'yes' && guard.state.type === 'none') {
    log.flush();
    report('the guard cannot be started, going on without it', becomeGuard(successorOf(process, places)));
  }

  const record = new KeeperRecord(places.runtime, version, process.env, report);
  if (record.before !== null) log.say('warning', record.before.text);

  const engine = await buildEngine(beginning);
  const { keeper, outside } = engine;
  let end: (how: 'leave' | 'stop', code?: number) => void = () => {};
  const asked = new Promise<{ readonly wish: 'leave' | 'stop'; readonly code: number | null }>((resolve) => {
    end = (wish, code) => resolve({ wish, code: code ?? null });
  });
  const ending = new Ending(keeper.post, () => keeper.services);
  keeper.subscribe(ending);
  if (exitWith !== null) keeper.subscribe(new ExitWith(exitWith, (code) => end('stop', code)));
  const farewell = new Farewell(places.state, ownerOf(process.env), (job) => outside.disk.send(job));
  const unguard = surviveSurprises(report);
  const reception = await openReception({ beginning, engine, version, inherited, guard, farewell, record, end });

  const services = countOf(configuration.specs.length, 'service');
  log.say('notice', `upkeep ${version} keeps ${services} of ${places.config} (pid ${process.pid})`);
  for (const { name, effect } of outside.without) log.say('info', `without ${name}: ${effect}`);
  engine.begin(() => 'take');
  engine.newsroom.begin({ version, before: record.before?.text ?? null });
  guard.keeps();
  reception.begin();

  const { wish, code } = await asked;
  const how = await howToEnd(wish, hostPhase);
  guard.meant();
  reception.ending();
  engine.newsroom.note({ type: 'ended', how, by: farewell.by });
  log.say('notice', how === 'leave' ? 'ending; the services go on' : 'ending; stopping the supervised services');
  if (how === 'stop') await Promise.race([ending.stopAll(), reception.second]);
  // Also those of a service that was not up: nobody is left who would serve.
  if (how === 'stop') outside.holdFor(new Set());
  const exitCode = code ?? farewell.exitCode;
  reception.close(how);
  unguard();
  await engine.close(exitCode, () => guard.farewell());
  return exitCode;
}
