// A change → the line that the keeper writes about it: what died, why, what is done and when the next try is.
// Seed 001 asks for two of them: "OpenSSH is not running, restarting" and "OpenSSH failed to start".

import type { Change, Next, What } from './change.js';
import { describeDeath, describeFailedStart, mayBeWanted } from './death.js';
import { describeFight } from './fight.js';
import { failsInWords, type Reaction } from './heartbeat.js';
import { byWhom } from './person.js';
import { sizeInWords } from './size.js';
import type { Service, StateName, StopReason } from './state.js';
import { inFineWords, inWords } from './time.js';

export type Level = 'error' | 'warning' | 'notice' | 'info' | 'debug';

export interface Message {
  readonly level: Level;
  /** One line: `NAME: sentence`. */
  readonly text: string;
}

/** The line for a change; null where another line has said it already. `service`: as it is after the change, null when it is gone. */
export function messageOf(change: Change, service: Service | null): Message | null {
  const title = service?.spec.description ?? change.service;
  const line = lineOf(change, title, service);
  return line === null ? null : { level: line.level, text: `${change.service}: ${line.text}` };
}

function lineOf(change: Change, title: string, service: Service | null): Message | null {
  const { what } = change;
  switch (what.type) {
    case 'adopted':
    case 'found':
      return info(`${title} is running (pid ${what.process.pid})`);
    case 'launched':
      return debug(`launched as pid ${what.process.pid}`);
    case 'starting':
      return startingLine(change, what, title, service);
    case 'ready':
      return info(`${title} is running (pid ${what.process.pid}), ready after ${inWords(what.took)}`);
    case 'died':
      return {
        level: 'warning',
        text: `${title} is not running, ${nextInWords(what.next, 'restarting')}: ${describeDeath(what.death)}`,
      };
    case 'startFailed':
      return {
        level: 'error',
        text: `${title} failed to start: ${describeFailedStart(what.death)}; ${nextInWords(what.next, 'trying again')}`,
      };
    case 'failed':
      return failedLine(what, title);
    case 'fight':
      return fightLine(what, title);
    case 'fightEnded':
      return {
        level: 'notice',
        text: `nobody stops ${title} any more, up for ${inWords(what.peace)}; it had been stopped ${what.fight.times} times`,
      };
    case 'handedOver':
      return info(`${title} handed over from pid ${what.from.pid} to pid ${what.to.pid}`);
    case 'waved':
      return wavedLine(what, title);
    case 'waits':
      return info(`${title} waits for ${listOf(what.for)}`);
    case 'skipped':
      return info(`${title} is skipped: ${what.reason}`);
    case 'done':
      return info(`${title} is done after ${inWords(what.took)}`);
    case 'hookFailed':
      return { level: 'warning', text: `${what.reason}; ${title} goes on all the same` };
    case 'rollEnded':
      return { level: 'error', text: `${title} is not restarted: ${what.reason}` };
    case 'unhealthy':
      return unhealthyLine(what, title);
    case 'healthy':
      return {
        level: 'notice',
        text: `${title} does its work again: heartbeat ${what.heartbeat} is good after ${inWords(what.after)}`,
      };
    case 'unasked':
      return {
        level: 'warning',
        text: `heartbeat ${what.heartbeat} of ${title} could not be asked, and nothing is done about that${what.reason === null ? '' : `: ${what.reason}`}`,
      };
    case 'askable':
      return info(`heartbeat ${what.heartbeat} of ${title} could be asked again, after ${inWords(what.after)}`);
    case 'reacted':
      return what.problem === null
        ? info(`the command for heartbeat ${what.heartbeat} of ${title} has run`)
        : { level: 'error', text: `the command for heartbeat ${what.heartbeat} of ${title} ${what.problem}` };
    case 'cameBack':
      return { level: 'notice', text: `${title} came back by another's hand (pid ${what.process.pid})` };
    case 'ambiguous':
      return { level: 'error', text: `ambiguous: ${what.pids.join(', ')}; narrow with pidFile or user` };
    case 'unseen':
      return { level: 'error', text: `${title} cannot be seen: ${what.reason}` };
    case 'stopping':
      return info(stoppingText(what.why, title));
    case 'escalated':
      return { level: 'warning', text: `${title} did not end in time, sent ${what.signal}` };
    case 'stuck':
      return { level: 'error', text: `${title} does not end: ${what.reason}` };
    case 'stopped':
      return info(`${title} is stopped`);
    case 'asked':
      return {
        level: 'notice',
        text: `${what.verb}${byWhom(what.by)}${what.reason === null ? '' : `: ${what.reason}`}`,
      };
    case 'refused':
      return { level: 'warning', text: `${what.verb} refused: ${what.reason}` };
    case 'overrideEnded':
      return { level: 'notice', text: 'the time of the operator’s word is over; as configured again' };
    case 'holdEnded':
      return { level: 'notice', text: `the hold has ended; it is ${change.to}` };
    case 'reloaded':
      return info(isMereSignal(service) ? `${title} was told to reload` : `${title} has reloaded`);
    case 'reloadFailed':
      return { level: 'error', text: `${title} was not reloaded: ${what.reason}` };
    case 'signaled':
      return { level: 'notice', text: `sent ${what.signal}` };
    case 'specChanged':
      return info(`new definition: ${effectInWords(what.effect)}`);
    case 'removed':
      return info(`${title} is no longer configured`);
    case 'pidFileRefused':
      return { level: 'warning', text: `its pid file is not believed: ${what.reason}` };
    case 'handingOver':
      return info(`handing over: generation ${what.generation} of ${title} is started beside the old one`);
    case 'handoverPhase':
      return phaseLine(what, change.to, title);
    case 'committed':
      return info(
        `${title} is running (pid ${what.to.pid}), was pid ${what.from.pid}; handed over in ${inFineWords(what.took)}, and pid ${what.from.pid} finishes what it has begun`,
      );
    case 'handoverRefused':
      return { level: 'warning', text: refusedText(what, change, title) };
    case 'drained':
      return what.cut === 'yes'
        ? {
            level: 'warning',
            text: `the old generation of ${title} (pid ${what.process.pid}) was ended after ${inWords(what.took)}: its time to finish was over`,
          }
        : info(`the old generation of ${title} (pid ${what.process.pid}) has finished after ${inFineWords(what.took)}`);
    case 'watchdogMissed':
      return {
        level: 'error',
        text:
          what.how === 'trigger'
            ? `${title} says that it hangs, ending it`
            : `${title} has not said for ${inWords(what.period)} that it lives, ending it`,
      };
    case 'mainChanged':
      return info(`${title} names pid ${what.to.pid} as its main process, after pid ${what.from.pid}`);
    case 'connected':
      return info(`somebody has connected to ${title}, starting it`);
  }
}

/** It hears the signal, and says nothing of what it does. */
const isMereSignal = (service: Service | null): boolean => service?.spec.kind.reload?.type === 'signal';

function phaseLine(
  { phase, process, bytes }: Extract<What, { type: 'handoverPhase' }>,
  state: StateName,
  title: string,
): Message {
  switch (phase) {
    case 'launched':
      return debug(`the new generation of ${title} is started as pid ${process?.pid ?? '?'}`);
    case 'transfer':
      return debug(`the state of ${title} goes over`);
    case 'received': {
      const size = sizeInWords(bytes ?? 0);
      return debug(
        state === 'stopping'
          ? `${title} has kept ${size} of state for its next generation`
          : `${size} of state of ${title} went over`,
      );
    }
    case 'ready':
      return debug(`the new generation of ${title} is ready`);
  }
}

/** The old one goes on, has ended too, or was on its way down and goes without its state. */
function refusedText({ reason }: Extract<What, { type: 'handoverRefused' }>, { from, to }: Change, title: string) {
  if (to === 'running') return `${title} was not replaced, and goes on as it was: ${reason}`;
  return from === 'stopping' ? `${title} goes down all the same: ${reason}` : `${title} was not replaced: ${reason}`;
}

function stoppingText(why: StopReason, title: string): string {
  switch (why) {
    case 'start-timeout':
      return `${title} was not ready in time, stopping it`;
    case 'hook':
      return `a command after the start of ${title} failed, stopping it`;
    case 'planned':
      return `stopping ${title}: a restart by the calendar`;
    case 'requested':
    case 'changed':
    case 'restart-command':
    case 'coupling':
    case 'heartbeat':
    case 'heartbeat-stop':
    case 'watchdog':
    case 'ended':
    case 'done':
      return `stopping ${title}`;
  }
}

function startingLine(
  change: Change,
  what: Extract<What, { type: 'starting' }>,
  title: string,
  service: Service | null,
): Message {
  const isWatched = service?.spec.kind.type === 'watched';
  switch (what.why) {
    case 'first':
      return isWatched ? { level: 'warning', text: `${title} is not running, starting` } : info(`starting ${title}`);
    case 'restart':
      if (isWatched && change.from === 'waiting' && service?.lastDeath != null && mayBeWanted(service.lastDeath))
        return { level: 'warning', text: `${title} is not running, restarting: it did not come back by itself` };
      return debug(`starting ${title} again`);
    case 'requested':
      return info(`starting ${title}`);
    case 'retry':
      return debug(`trying ${title} again`);
    case 'coupling':
      return info(`starting ${title} again`);
    case 'condition':
      return info(`starting ${title}: its condition says yes now`);
    case 'connection':
      return debug(`starting ${title} for its first connection`);
  }
}

/** What a wave does, in the line of the service whose end or request began it. */
function wavedLine({ moves, spares }: Extract<What, { type: 'waved' }>, title: string): Message | null {
  const moved = moves.length === 0 ? [] : [`takes ${listOf(moves)} with it`];
  const spared = spares.map(({ service, why }) => `leaves ${service} alone, which is ${sparedInWords[why]}`);
  const parts = [...moved, ...spared];
  return parts.length === 0 ? null : info(`${title} ${parts.join(', ')}`);
}

const sparedInWords = { hold: 'on hold', down: 'not wanted up' } as const;

/** `a, b and c`. */
export const listOf = (names: readonly string[]): string =>
  names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${names.at(-1)}` : (names[0] ?? 'nothing');

export const isOrAre = (things: readonly unknown[]): string => (things.length === 1 ? 'is' : 'are');

/** `1 restart`, `2 restarts`. */
export const countOf = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** What comes next, as the end of a sentence. */
export function nextInWords(next: Next, doing: string): string {
  switch (next.type) {
    case 'start':
      return doing;
    case 'wait':
      // "in 0.0 s" says nothing to anybody.
      return next.for < 50 ? `${doing} at once` : `${doing} in ${inWords(next.for)}`;
    case 'slow':
      return `next quiet try in ${inWords(next.in)}`;
    case 'settle':
      return `${doing} unless it comes back within ${inWords(next.for)}`;
    case 'hooks':
      return `${doing} when its afterStop commands have ended`;
    case 'others':
      return `${doing} when ${listOf(next.names)} ${isOrAre(next.names)} ready`;
    case 'nothing':
      return `staying down, ${next.why}`;
  }
}

function failedLine({ failure, next }: Extract<What, { type: 'failed' }>, title: string): Message | null {
  switch (failure.type) {
    case 'limit':
      return {
        level: 'error',
        text: `${title} has failed: ${countOf(failure.count, 'restart')} did not help; ${nextInWords(next, 'trying again')}`,
      };
    case 'prevented':
      return { level: 'error', text: `${title} has failed: its restart policy leaves it down` };
    case 'unhealthy':
      return { level: 'error', text: `${title} is down: its heartbeat says stop` };
    case 'nothing-matches':
      // The line of the failed start has said it.
      return null;
  }
}

function unhealthyLine(
  { heartbeat, detail, fails, then }: Extract<What, { type: 'unhealthy' }>,
  title: string,
): Message {
  return {
    level: then === 'notice' ? 'error' : 'warning',
    text: `${title} does not do its work: heartbeat ${heartbeat} failed ${failsInWords(fails)}${detail === null ? '' : `: ${detail}`}; ${thenInWords[then]}`,
  };
}

const thenInWords: Readonly<Record<Reaction['type'], string>> = {
  restart: 'restarting it',
  stop: 'stopping it',
  notice: 'nothing is done about it',
  exec: 'its command is run',
};

function fightLine({ fight, told, next }: Extract<What, { type: 'fight' }>, title: string): Message {
  const again = told === 'first' ? 'again and again' : 'still';
  return {
    level: told === 'first' ? 'error' : 'warning',
    text: `somebody stops ${title} ${again}: ${describeFight(fight)}; ${nextInWords(next, 'starting it')}`,
  };
}

function effectInWords(effect: Extract<What, { type: 'specChanged' }>['effect']): string {
  switch (effect) {
    case 'none':
      return 'nothing changes';
    case 'live':
      return 'takes effect at once';
    case 'restart':
      return 'needs a restart';
    case 'start':
      return 'starts it';
    case 'stop':
      return 'stops it';
  }
}

const info = (text: string): Message => ({ level: 'info', text });
const debug = (text: string): Message => ({ level: 'debug', text });
