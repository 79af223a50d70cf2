// Why a service is as it is now, what comes next by itself, and the commands that change that: for people, in whole
// sentences, the one that explains most first. Pure. Lengths of time only: what o'clock it is depends on who reads.

import { causesOf, chainInWords } from './cause.js';
import { describeDeath, describeStatus } from './death.js';
import { describeFight } from './fight.js';
import { couplingOf } from './graph.js';
import { phaseText } from './handover.js';
import { healthSentences } from './health-text.js';
import { statusSaid } from './last-words-of.js';
import { countOf, isOrAre, listOf } from './message.js';
import { outgoingSentences } from './outgoing-text.js';
import type { Outlook } from './outlook.js';
import { byWhom } from './person.js';
import { type Remedy, remediesFor } from './remedy.js';
import type { ReadyProbe, RestartSpec, ServiceName } from './spec.js';
import { leftUntil, nextFor } from './standing-next.js';
import {
  desiredOf,
  type Failed,
  type Hold,
  isInFight,
  type Override,
  originOf,
  type Reloading,
  type Service,
  type Starting,
  type Stopped,
  type Stopping,
  type Unknown,
  type Waiting,
} from './state.js';
import { type HeartbeatStatus, type ServiceStatus, standing } from './status.js';
import { elapsed, type Instant, inWords, type Now, type WallTime } from './time.js';

export type { Remedy };

export interface Standing {
  /** Never empty. */
  readonly sentences: readonly string[];
  /** What comes next by itself; null: nothing. */
  readonly next: string | null;
  readonly commands: readonly Remedy[];
}

export function standingOf(service: Service, now: Now, outlook: Outlook): Standing {
  const causes = causesOf(service, outlook);
  return {
    sentences: [
      ...sentencesFor(service, now, outlook),
      ...causes.flatMap((cause) => causeSentences(cause, now, outlook)),
    ],
    next: nextFor(service, now, outlook),
    commands: remediesFor(service, causes),
  };
}

/** Is there anything to explain? More than the exit code of `status` asks for: a hold that keeps it down, a fight, a heartbeat that fails or could not be asked, and what runs although nobody wants it. */
export function isAsWanted(service: ServiceStatus): boolean {
  const { state, desired, hold, fight, health } = service;
  const isUp = state === 'running' || state === 'handover';
  if (isUp && hold === null && health.heartbeats.some(isTroubled)) return false;
  if (fight !== null || (hold !== null && desired === 'up' && !isUp)) return false;
  return standing(service) === 'fine' && !(desired === 'down' && isUp && hold === null);
}

/** It fails, or it says nothing because it could not be asked. */
const isTroubled = ({ state, unaskedSince }: HeartbeatStatus): boolean => state === 'failing' || unaskedSince !== null;

function sentencesFor(service: Service, now: Now, outlook: Outlook): readonly string[] {
  const { fight } = service.opposition;
  const fought = fight === null ? [] : [`somebody stops it again and again: ${describeFight(fight)}`];
  return [
    ...mainSentences(service, now, outlook),
    ...tellingSentences(service, now),
    ...outgoingSentences(service, now),
    ...healthSentences(service, now),
    ...waveSentence(service),
    ...fought,
  ];
}

/** What it says of itself. */
function tellingSentences(service: Service, now: Now): readonly string[] {
  const { said, reloading, state } = service;
  const status = statusSaid(service);
  const ago = (since: Instant): string => inWords(elapsed(since, now.instant));
  return [
    ...(said.stopping === null || state.name !== 'running'
      ? []
      : [`it said ${ago(said.stopping)} ago that it is stopping`]),
    ...(reloading === null ? [] : [reloadingSentence(reloading, ago(reloading.since))]),
    ...(status === null ? [] : [`it says: ${status}`]),
  ];
}

const reloadingSentence = ({ phase }: Reloading, ago: string): string =>
  phase === 'signaled'
    ? `it was asked to reload ${ago} ago, and has not answered yet`
    : `it has been reloading for ${ago}, and is to say READY=1 when that is done`;

function mainSentences(service: Service, now: Now, outlook: Outlook): readonly string[] {
  const { hold } = service;
  const held = hold === null ? [] : [holdSentence(service, hold, now)];
  return [...held, stateSentence(service, now, outlook)];
}

/** How one is that others wait for, and what comes of it by itself. */
function causeSentences(cause: Service, now: Now, outlook: Outlook): readonly string[] {
  const sentences = mainSentences(cause, now, outlook);
  // Whoever waits for its end has no use for what comes after that.
  const next = cause.state.name === 'stopping' ? null : nextFor(cause, now, outlook);
  return next === null ? sentences : [...sentences.slice(0, -1), `${sentences.at(-1)}; ${next}`];
}

/** Moved for another's sake; of one that waits it is said whom it waits for. */
function waveSentence({ spec, state, wave }: Service): readonly string[] {
  if (wave === null || wave.step === 'settled' || state.name === 'running' || state.name === 'waiting') return [];
  const origin = originOf(wave.id);
  return origin === spec.name ? [] : [`it is coupled with ${origin}, whose end or restart moves it too`];
}

function holdSentence({ spec }: Service, { by, since, until, reason }: Hold, now: Now): string {
  const why = reason === null ? '' : `: ${reason}`;
  return `${spec.name} has been on hold${byWhom(by)} for ${inWords(now.wall - since)}${forMore(until, now)}${why}; it is watched, but not started, stopped or told of`;
}

const forMore = (until: WallTime | null, now: Now): string =>
  until === null ? '' : `, and will be for ${inWords(until - now.wall)} more`;

function stateSentence(service: Service, now: Now, outlook: Outlook): string {
  const { state, spec, lastDeath } = service;
  const ago = inWords(elapsed(state.since, now.instant));
  switch (state.name) {
    case 'unknown':
      return unknownSentence(spec.name, state);
    case 'stopped':
      return stoppedSentence(service, state, now);
    case 'skipped':
      return `${spec.name} is skipped: its condition says no`;
    case 'done':
      return `${spec.name} did its work ${ago} ago`;
    case 'waiting':
      return waitingSentence(service, state, now, outlook);
    case 'starting':
      return startingSentence(service, state, ago);
    case 'handover':
      return `${spec.name} runs as process ${state.process.pid}, and has been handing over to ${state.successor === null ? 'a new generation' : `process ${state.successor.pid}`} for ${ago}: ${phaseText(state)}; nothing has changed until that is ready`;
    case 'running':
      return runningSentence(service, state.process.pid, ago) + uncalledText(service, outlook);
    case 'stopping':
      return stoppingSentence(service, state, ago, outlook);
    case 'backoff':
      return isInFight(service)
        ? `${spec.name} is left down for a while, out of a fight`
        : `${spec.name} ended, and waits for its next start (${triesText(spec.restart, service.restarts.streak)})`;
    case 'failed':
      return `${spec.name} ${failedClause(service, state)}${lastDeath === null ? '' : `; the last time it ${endText(describeDeath(lastDeath))}`}`;
  }
}

/** `killed by …` and `exited with …` after "it". */
const endText = (clause: string): string => (/^(?:killed|stopped) /.test(clause) ? `was ${clause}` : clause);

function unknownSentence(name: string, { why }: Unknown): string {
  switch (why.type) {
    case 'looking':
      return `${name} is being looked for`;
    case 'ambiguous':
      return `${name} could be each of the processes ${why.pids.join(', ')}; until one is left, or its watch is narrowed with pidFile or user, nothing is done`;
    case 'unseen':
      return `${name} cannot be seen: ${why.reason}`;
  }
}

function stoppedSentence({ spec, override, lastDeath, fate }: Service, { why }: Stopped, now: Now): string {
  switch (why) {
    case 'requested':
      if (fate !== 'stays')
        return `${spec.name} is down: ${fate === 'ending' ? 'its keeper ends' : 'it is configured no more'}`;
      if (override?.desired === 'down') return overrideSentence(spec.name, override, now);
      return `${spec.name} is not wanted up: its configuration says \`desired: down\``;
    case 'policy':
      return `${spec.name} stays down by its restart policy (${spec.restart.when})${lastDeath === null ? '' : ` after ${describeStatus(lastDeath.status)}`}`;
    case 'no-start':
      return `${spec.name} is down, and has no \`start\` command: it is watched and told of, not acted on`;
  }
}

function overrideSentence(name: string, { by, since, until, lasts, reason }: Override, now: Now): string {
  const end =
    lasts === 'boot' ? ', until the next boot' : until === null ? '' : `, for ${inWords(until - now.wall)} more`;
  return `${name} was stopped${byWhom(by)} ${inWords(now.wall - since)} ago${end}${reason === null ? '' : `: ${reason}`}`;
}

function waitingSentence(service: Service, state: Waiting, now: Now, outlook: Outlook): string {
  const { spec, lastDeath, rest } = service;
  const left = state.deadline === null ? '' : ` for ${leftUntil(state.deadline, now)}`;
  switch (state.for) {
    case 'turn':
      return chainInWords(service, outlook);
    case 'settle':
      return `${spec.name} ended in a way that somebody may have wanted${lastDeath === null ? '' : ` (${describeStatus(lastDeath.status)})`}; it is given time${left} to come back by itself`;
    case 'leftovers':
      return `${spec.name} waits for what is left of its last generation to end${rest === null ? '' : ` (the group of process ${rest.pid})`}`;
    case 'boot':
      return `${spec.name} waits for the host to finish booting`;
    case 'shutdown':
      return `${spec.name} is not started: the host goes down`;
    case 'connection':
      return `${spec.name} is not started yet: its sockets listen, and nobody has connected`;
    case 'hold':
      return `${spec.name} is down, and the hold keeps it so`;
  }
}

function stoppingSentence(service: Service, { phase, process }: Stopping, ago: string, outlook: Outlook): string {
  const { name } = service.spec;
  if (phase === 'stuck')
    return `${name} does not end: nothing that may be done ends process ${process?.pid ?? '?'}; the log of the keeper has the reason`;
  const again = desiredOf(service) === 'up' ? ', to be started again' : '';
  const others = outlook.waitsFor(service);
  if (others.length > 0) return `${name} is to be stopped${again}, and waits for ${listOf(others)} to stop first`;
  return `${name} has been on its way down for ${ago}${again}`;
}

function startingSentence({ spec }: Service, { phase, process }: Starting, ago: string): string {
  switch (phase) {
    case 'condition':
      return `${spec.name} is asked whether it is to be started`;
    case 'preparing':
    case 'before':
      return `${spec.name} is being prepared for its start, for ${ago}`;
    case 'working':
      return `${spec.name} has been at its work for ${ago} (process ${process?.pid ?? '?'})`;
    case 'after':
      return `${spec.name} is ready as process ${process?.pid ?? '?'}, and its commands after a start run`;
    case 'launching':
      return spec.kind.type === 'watched'
        ? `${spec.name} is being started by its start command, for ${ago}`
        : `${spec.name} is being started, for ${ago}`;
    case 'finding':
      return `the start command of ${spec.name} was run, and what came of it is looked for`;
    case 'readying':
      return `${spec.name} has been running as process ${process?.pid ?? '?'} for ${ago}, and is not ready yet: ${probeText(spec.ready.probe, spec.name)}`;
  }
}

function probeText(probe: ReadyProbe, service: ServiceName): string {
  switch (probe.type) {
    case 'alive':
      return `it has to live for ${inWords(probe.for)}`;
    case 'notify':
      return 'it has to say READY=1 by sd_notify';
    case 'fd':
      return `it has to write a newline to descriptor ${probe.fd}`;
    case 'port':
      return `it has to accept connections at ${probe.host}:${probe.port}`;
    case 'socket':
      return `it has to accept connections at ${probe.path}`;
    case 'http':
      return `it has to answer at ${probe.url}`;
    case 'exec':
      return 'its readiness command has to succeed';
    case 'heartbeat': {
      const which = probe.name === null ? '' : ` ${probe.name}`;
      return `its heartbeat${which} has to be good (\`upkeep test ${service}${which}\` asks it now)`;
    }
    case 'log':
      return `its log has to show /${probe.regex}/`;
  }
}

function runningSentence(service: Service, pid: number, ago: string): string {
  const { spec, restarts } = service;
  const total = restarts.total === 0 ? '' : `; it was restarted ${times(restarts.total)}`;
  const unwanted =
    desiredOf(service) === 'down'
      ? ', although it is not wanted up: somebody else started it, and that is left alone'
      : '';
  const missing = service.missing.map((one) => one.service);
  const lacking = missing.length === 0 ? '' : `; ${listOf(missing)}, which it needs, ${isOrAre(missing)} away`;
  return `${spec.name} has been running for ${ago} (process ${pid})${unwanted}${total}${lacking}`;
}

/** What it needs and nobody has called for yet: that is good enough, and looks odd. */
function uncalledText(service: Service, outlook: Outlook): string {
  const uncalled = couplingOf(service).needs.filter(({ service: name }) => {
    const state = outlook.get(name)?.state;
    return state?.name === 'waiting' && state.for === 'connection';
  });
  const names = uncalled.map((need) => need.service);
  return names.length === 0
    ? ''
    : `; ${listOf(names)}, which it needs, ${isOrAre(names)} started at the first connection`;
}

function failedClause({ spec, lastDeath }: Service, { failure }: Failed): string {
  switch (failure.type) {
    case 'limit': {
      const { limit } = spec.restart;
      return `has failed: ${countOf(failure.count, 'restart')}${limit === null ? '' : ` within ${inWords(limit.within)}`} did not help`;
    }
    case 'unhealthy':
      return `was stopped by its heartbeat ${failure.heartbeat}`;
    case 'nothing-matches':
      return 'has failed: its start command succeeded, and nothing matches its watch';
    case 'prevented':
      return `stays down by its restart policy${lastDeath === null ? '' : ` after ${describeStatus(lastDeath.status)}`}`;
  }
}

function triesText({ limit }: RestartSpec, streak: number): string {
  const most = limit === null ? '' : `; ${limit.count} are done within ${inWords(limit.within)}`;
  return `try ${streak} in a row${most}`;
}

const times = (count: number): string => (count === 1 ? 'once' : count === 2 ? 'twice' : `${count} times`);
