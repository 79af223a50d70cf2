// Does somebody stop again and again what we start? Which ends speak for that, when they make a fight, how long we keep out
// of it and when it is over. Knows nothing of services, states and the restart rule.

import { type Death, describeStatus, isPolite } from './death.js';
import { personOf } from './person.js';
import type { Killer } from './process.js';
import {
  elapsed,
  type Instant,
  inWords,
  later,
  type Millis,
  minutes,
  type Now,
  seconds,
  type WallTime,
} from './time.js';

/** Who does it, as far as it is known. Its pid is another one each time, so the name and the person make it the same. */
export interface Opponent {
  readonly name: string | null;
  readonly uid: number | null;
  readonly user: string | null;
  readonly grade: Killer['grade'];
  /** `kill` says little, what runs it says more. */
  readonly parent: string | null;
}

/** One end, by another's hand, of what we had started. */
export interface Blow {
  readonly at: Instant;
  readonly time: WallTime;
  /** How long after our start. */
  readonly after: Millis;
  /** `SIGTERM`, `code 0`. */
  readonly how: string;
  readonly by: Opponent | null;
}

/** A fight that has been named and is not over. */
export interface Fight {
  /** The first blow. */
  readonly since: Instant;
  /** The last one. */
  readonly latest: Instant;
  readonly times: number;
  readonly how: string;
  readonly by: Opponent | null;
  /** How long after our starts the blows come. */
  readonly shortest: Millis;
  readonly longest: Millis;
  /** From blow to blow, where they keep time. `cron`: at the full minute. */
  readonly every: Millis | null;
  readonly clock: 'cron' | 'own';
  readonly pause: Millis;
  /** We start nothing before; null: the last end was no blow. */
  readonly until: Instant | null;
}

/** What is remembered of others who stop what we start. */
export interface Opposition {
  /** The last generation that we started; a watched daemon's may be of another's making. */
  readonly launched: number | null;
  /** The last few, oldest first. */
  readonly blows: readonly Blow[];
  readonly fight: Fight | null;
}

export const noOpposition: Opposition = { launched: null, blows: [], fight: null };

// An opponent that looks all the time or each minute: three times in a row, each time within 90 s of our start (a minute, and
// the time that its work and our settling take). Twice is an administrator who restarts a service by hand.
const quick = { times: 3, after: seconds(90), within: minutes(10) } as const;

// One that comes each 5 minutes (cf-agent, cron), each 30 (puppet, chef) or each hour: four times, and always after the same
// time. Without the second condition whoever restarts a service by `kill` four times a day would be an opponent; with it a
// person is one in a hundred times. 5 % of 5 minutes is what an agent's run takes now longer, now less long.
const regular = { times: 4, most: minutes(65), slack: 0.05, leastSlack: seconds(5) } as const;

/** How long we keep out of it: doubled at each further blow. */
const pauses = { first: minutes(5), most: minutes(60) } as const;

/** It is over when the service has been up for twice the longest time that the opponent ever left it; at least so long. */
const leastPeace: Millis = minutes(5);

/** cron starts its jobs in the first second of a minute; the job needs a moment to get there. */
const cronSlack: Millis = seconds(4);

/**
 * An end that speaks for an opponent: sent by somebody known, or a polite signal. A daemon that we watch may be stopped by a
 * protocol (its init script's), so that it exits with 0. Never a crash, an exit code, an OOM kill, what we did ourselves, or
 * what nobody saw; and not before it was ready, unless somebody is known: a start that fails may signal itself.
 */
export function isBlow(death: Death, kind: 'supervised' | 'watched'): boolean {
  const { cause, status, by } = death;
  if (death.oom === 'yes' || death.whileAway === 'yes' || death.process === null) return false;
  if (cause !== 'exit' && cause !== 'signal' && cause !== 'gone') return false;
  if (death.onRequest === 'yes') return false;
  if (by !== null) return true;
  if (death.served === null) return false;
  switch (status.type) {
    case 'signaled':
      return isPolite(status);
    case 'exited':
      return kind === 'watched' && status.code === 0;
    case 'unknown':
      return false;
  }
}

/** One blow more: remembered, and perhaps the one that makes it a fight, or makes the fight longer. */
export function strike(before: Opposition, death: Death, now: Now): Opposition {
  const blow = blowOf(death);
  const blows = [...before.blows.filter(({ by }) => mayBeSame(by, blow.by)), blow].slice(-regular.times);
  const fight = before.fight === null ? begun(blows, now) : goneOn(before.fight, blow, now);
  return { ...before, blows, fight };
}

/** An end of another kind: whatever comes next, it is not to wait for the opponent. */
export function pass(before: Opposition): Opposition {
  return before.fight?.until == null ? before : { ...before, fight: { ...before.fight, until: null } };
}

/** An operator's hand: what others did before it counts no more. */
export function forgive(before: Opposition): Opposition {
  return { ...before, blows: [], fight: null };
}

/** When a service that has been up since then is left in peace. */
export function peaceAt({ longest }: Fight, since: Instant): Instant {
  return later(since, Math.max(leastPeace, Math.min(2 * longest, 2 * regular.most)) as Millis);
}

function blowOf({ at, time, uptime, status, by }: Death): Blow {
  const how = by !== null && status.type !== 'signaled' ? by.signal : describeStatus(status);
  return { at, time, after: uptime ?? (0 as Millis), how, by: by === null ? null : opponentOf(by) };
}

function opponentOf({ name, uid, user, grade, parent }: Killer): Opponent {
  return { name, uid, user, grade, parent: parent?.name ?? null };
}

/** Nothing says that they are two. */
function mayBeSame(a: Opponent | null, b: Opponent | null): boolean {
  return a === null || b === null || (a.name === b.name && a.uid === b.uid);
}

function begun(blows: readonly Blow[], now: Now): Fight | null {
  const lately = blows.slice(-quick.times);
  const isQuick =
    lately.length === quick.times &&
    lately.every(({ after }) => after <= quick.after) &&
    elapsed(lately[0]?.at ?? now.instant, now.instant) <= quick.within;
  const every = periodOf(blows.slice(-quick.times));
  const isRegular = blows.length === regular.times && periodOf(blows) !== null;
  if (!isQuick && !isRegular) return null;
  return named(isRegular ? blows : lately, every, now);
}

function named(blows: readonly Blow[], every: Millis | null, now: Now): Fight {
  // The first of all may have come after a year; how long the opponent leaves it alone shows from the second on.
  const afters = blows.slice(1).map(({ after }) => after);
  const last = blows.at(-1);
  return {
    since: blows[0]?.at ?? now.instant,
    latest: last?.at ?? now.instant,
    times: blows.length,
    how: last?.how ?? '',
    by: blows.findLast(({ by }) => by !== null)?.by ?? null,
    shortest: Math.min(...afters) as Millis,
    longest: Math.max(...afters) as Millis,
    every,
    clock: every !== null && blows.every(isAtFullMinute) ? 'cron' : 'own',
    pause: pauses.first,
    until: later(now.instant, pauses.first),
  };
}

function goneOn(fight: Fight, blow: Blow, now: Now): Fight {
  const pause = Math.min(2 * fight.pause, pauses.most) as Millis;
  return {
    ...fight,
    latest: blow.at,
    times: fight.times + 1,
    how: blow.how,
    by: blow.by ?? fight.by,
    shortest: Math.min(fight.shortest, blow.after) as Millis,
    longest: Math.max(fight.longest, blow.after) as Millis,
    clock: fight.clock === 'cron' && isAtFullMinute(blow) ? 'cron' : 'own',
    pause,
    until: later(now.instant, pause),
  };
}

/** The time from blow to blow, where it is always the same. */
function periodOf(blows: readonly Blow[]): Millis | null {
  const gaps = blows.slice(1).map(({ at }, index) => elapsed(blows[index]?.at ?? at, at));
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const slack = Math.max(regular.leastSlack, mean * regular.slack);
  return gaps.every((gap) => gap <= regular.most && Math.abs(gap - mean) <= slack) ? (mean as Millis) : null;
}

const isAtFullMinute = ({ time }: Blow): boolean => time % minutes(1) <= cronSlack;

/** `SIGTERM 4 times in 15 min, each 5 min after we started it, every 5 min at the full minute (looks like cron), from pkill run by cf-agent (root)` */
export function describeFight(fight: Fight): string {
  const { how, times, since, latest, clock, every } = fight;
  const parts = [
    `${how} ${times} times in ${inWords(elapsed(since, latest))}`,
    `each ${distanceOf(fight)} after we started it`,
  ];
  // The mean of what comes each few seconds is a number without a meaning.
  if (every !== null && every >= seconds(55))
    parts.push(`every ${inWords(every)}${clock === 'cron' ? ' at the full minute (looks like cron)' : ''}`);
  parts.push(fight.by === null ? 'by whom is not known' : `from ${describeOpponent(fight.by)}`);
  return parts.join(', ');
}

function distanceOf({ shortest, longest }: Fight): string {
  const [from, to] = [inWords(shortest), inWords(longest)];
  return from === to ? from : `${from} to ${to}`;
}

function describeOpponent({ name, parent, ...person }: Opponent): string {
  const who = personOf(person);
  if (name === null) return who ?? 'an unknown process';
  return `${name}${parent === null ? '' : ` run by ${parent}`}${who === null ? '' : ` (${who})`}`;
}
