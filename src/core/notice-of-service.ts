// What there is to tell of a service, in the notice's words for each kind of happening. Decides nothing: whether anybody is
// told, and who, is for others.

import type { Change, Next, What } from './change.js';
import { describeFight } from './fight.js';
import { countOf, nextInWords } from './message.js';
import type { NoticeKind } from './notice.js';
import { type Bulletin, bulletin, labelled } from './notice-bulletin.js';
import type { Case, Stop } from './notice-desk.js';
import {
  cleaned,
  downFor,
  headline,
  headlineOf,
  heldBackBy,
  helpFor,
  nextInBrief,
  nextSentence,
  openingOf,
  sentence,
  titleOf,
} from './notice-text.js';
import { postMortemOf } from './post-mortem-of.js';
import type { StateName } from './state.js';
import { elapsedOnWall, inWords, type WallTime } from './time.js';

type Of<T extends What['type']> = Extract<What, { type: T }>;

export function died(it: Case, { next }: Of<'died'>, at: WallTime): Bulletin {
  const story = [sentence(`${titleOf(it)} is not running`), nextSentence(next)];
  return bulletin(it, 'died', at, { headline: headlineOf(it, nextInBrief(next, 'restarting')), story });
}

export function startFailed(it: Case, { next }: Of<'startFailed'>, at: WallTime): Bulletin {
  const story = [
    sentence(`${titleOf(it)} is down: its start failed`),
    ...openingOf(it),
    ...heldBackBy(it),
    nextSentence(next),
    'Further attempts that fail are not told; when it is up again, that is.',
  ];
  return bulletin(it, 'start-failed', at, { headline: headlineOf(it, nextInBrief(next)), story });
}

export function failed(it: Case, { failure, next }: Of<'failed'>, at: WallTime): Bulletin {
  const down = sentence(`${titleOf(it)} is down`);
  switch (failure.type) {
    case 'limit': {
      const outcome = next.type === 'nothing' ? 'gave up' : nextInBrief(next);
      const helpless = sentence(`${countOf(failure.count, 'restart')} did not help`);
      const story = [down, ...openingOf(it), helpless, ...heldBackBy(it), nextSentence(next)];
      return bulletin(it, 'failed', at, { headline: headlineOf(it, outcome), story });
    }
    case 'prevented':
      return bulletin(it, 'failed', at, {
        headline: headlineOf(it, 'staying down'),
        story: [down, 'Its restart policy leaves it down after such an end.', ...heldBackBy(it), nextSentence(next)],
      });
    case 'unhealthy':
      return bulletin(it, 'failed', at, {
        headline: headlineOf(it, 'staying down'),
        story: [
          down,
          sentence(`Its heartbeat ${failure.heartbeat} failed, and says that it is to be stopped`),
          ...heldBackBy(it),
          nextSentence(next),
        ],
      });
    case 'nothing-matches':
      return bulletin(it, 'failed', at, {
        headline: 'its start command succeeded, and nothing matches its watch',
        story: [down, 'It is not started again: `upkeep match` shows what its watch finds, and why not the others.'],
      });
  }
}

/** It failed before, and the quiet tries fail too. */
export function failedStill(it: Case, next: Next, at: WallTime): Bulletin {
  const story = [sentence(`${titleOf(it)} is still down`), ...heldBackBy(it), nextSentence(next)];
  return bulletin(it, 'failed', at, { headline: headlineOf(it, nextInBrief(next)), story });
}

/** It ended, and the keeper has nothing to start it with. */
export function cannotStart(it: Case, at: WallTime): Bulletin {
  const story = [sentence(`${titleOf(it)} is down`), 'It has no `start` command, so nothing is done about it.'];
  return labelled(bulletin(it, 'failed', at, { headline: headlineOf(it, 'nothing to start it with'), story }), 'DOWN');
}

/** It neither came back nor failed. */
export function overdue(it: Case, at: WallTime): Bulletin {
  const length = inWords(downFor(it, at));
  const story = [sentence(`${titleOf(it)} has been down for ${length}, and is not back yet`)];
  return labelled(bulletin(it, 'failed', at, { headline: headlineOf(it, `not back after ${length}`), story }), 'DOWN');
}

/** A state that only a person can end, in the keeper's own line about it. */
export function stranded(it: Case, line: string, at: WallTime): Bulletin {
  const words = { headline: headline(line), story: [sentence(line)] };
  return { ...labelled(bulletin(it, 'failed', at, words), 'DOWN'), end: null };
}

/** Nothing is down where the old generation goes on; what else happens to it is told as that. */
export function refusedHandover(
  it: Case,
  { reason }: Of<'handoverRefused'>,
  { from, to }: Pick<Change, 'from' | 'to'>,
  at: WallTime,
): Bulletin {
  const goesOn = to === 'running';
  const [happened, meaning] = goesOn
    ? ['was not replaced', 'Nothing is down: the old generation serves as before, under its old definition.']
    : from === 'stopping'
      ? ['goes down without its state', 'The next generation begins without it.']
      : ['was not replaced', 'The old generation could not go on either.'];
  const told = bulletin(it, 'handover-refused', at, {
    headline: headline(goesOn ? `${reason}; the old one goes on` : `${happened}: ${reason}`),
    story: [sentence(`${titleOf(it)} ${happened}: ${reason}`), meaning],
  });
  const commands = [
    { command: `upkeep logs ${it.service}`, does: 'shows what both generations printed' },
    ...(goesOn ? [{ command: `upkeep restart ${it.service}`, does: 'tries again' }] : []),
  ];
  return { ...told, notice: { ...told.notice, incident: null, commands }, end: null };
}

export function fought(it: Case, { fight, next }: Of<'fight'>, at: WallTime): Bulletin {
  const doing = nextInWords(next, 'starting it');
  const story = [
    sentence(`Somebody stops ${titleOf(it)} again and again: ${describeFight(fight)}`),
    'It is left alone for ever longer, so that the two do not wear each other out.',
    nextSentence(next),
  ];
  return bulletin(it, 'fight', at, { headline: headline(`${describeFight(fight)}, ${doing}`), story });
}

export function flapping(it: Case, at: WallTime): Bulletin {
  const story = [
    sentence(`${titleOf(it)} runs again, but it had to be restarted ${it.restarts.length} times in 10 min`),
    ...openingOf(it),
    'Its restarts are not told until it has been up for 10 min.',
  ];
  const words = { headline: headlineOf(it, 'restarted each time'), story };
  return bulletin(it, 'flapping', at, words);
}

/** It healed by itself. */
export function restarted(it: Case, at: WallTime): Bulletin {
  const outage = elapsedOnWall(it.began, at);
  const again = it.end === null ? 'was not running, and was started' : `is running again, ${inWords(outage)} later`;
  const words = {
    headline: headlineOf(it, it.end === null ? 'started' : `back after ${inWords(outage)}`),
    story: [sentence(`${titleOf(it)} ${again}`)],
  };
  const told = bulletin(it, 'restarted', at, words);
  const postMortem = it.end === null ? null : cleaned(postMortemOf(it.end, it.followed, [], []));
  const commands = helpFor(it.service, null).slice(0, 1);
  return { ...told, pace: 'digest', notice: { ...told.notice, outage, postMortem, commands }, end: null };
}

/** Its trouble is over, although it does not run. `to`: who was told that something was wrong. */
export function settled(it: Case, what: Of<'done' | 'skipped'>, at: WallTime, to: readonly string[]): Bulletin {
  const outage = elapsedOnWall(it.began, at);
  const [words, story] =
    what.type === 'done' ? ['done', 'has done its work'] : ['skipped', `is not to run now: ${what.reason}`];
  const told = bulletin(it, 'recovered', at, {
    headline: `${words} after ${inWords(outage)}`,
    story: [sentence(`${titleOf(it)} ${story}`), sentence(`The trouble had lasted ${inWords(outage)}`)],
  });
  const commands = helpFor(it.service, null).slice(0, 1);
  return { ...told, notice: { ...told.notice, outage, commands }, end: null, to };
}

/** `to`: who was told that something was wrong. */
export function recovered(it: Case, at: WallTime, to: readonly string[]): Bulletin {
  const outage = elapsedOnWall(it.began, it.since);
  const times = it.restarted === 1 ? 'once' : `${it.restarted} times`;
  const restarts = it.restarted === 0 ? '' : `, restarted ${times}`;
  const told = bulletin(it, 'recovered', at, {
    headline: `up again after ${inWords(outage)}${restarts}`,
    story: [
      sentence(`${titleOf(it)} is up again, and has been so for ${inWords(elapsedOnWall(it.since, at))}`),
      sentence(`The trouble had lasted ${inWords(outage)}${restarts}`),
    ],
  });
  const commands = helpFor(it.service, null).slice(0, 1);
  return { ...told, notice: { ...told.notice, outage, commands }, end: null, to };
}

export function reminded(it: Case, kind: NoticeKind, count: number, at: WallTime, to: readonly string[]): Bulletin {
  const length = inWords(downFor(it, at));
  const still = it.phase === 'down' ? 'still down' : 'still in trouble';
  const told = bulletin(it, kind, at, {
    headline: headlineOf(it, `${still} after ${length}`),
    story: [sentence(`${titleOf(it)} is ${still} after ${length}; this is reminder ${count}`)],
  });
  return { ...told, notice: { ...told.notice, id: `${told.notice.id}-r${count}`, reminder: count }, to };
}

/** `finds`: its state. */
export function holdEnded(it: Case, finds: StateName, how: 'fine' | 'wanted' | 'wrong', at: WallTime): Bulletin {
  const isComing = finds === 'starting' || finds === 'waiting' || finds === 'backoff';
  const down = it.began < at ? `down for ${inWords(downFor(it, at))}, now ` : '';
  const found = how === 'wrong' ? down + (isComing ? 'being started' : finds) : `it is ${finds}`;
  const words = {
    headline: headline(`the hold has ended; ${found}${how === 'wanted' ? ', as wanted' : ''}`),
    story: [sentence(`The hold of ${titleOf(it)} has ended`), sentence(`It found it ${found.replace(/^it is /, '')}`)],
  };
  const told = bulletin(it, 'hold-ended', at, words);
  return how === 'wrong' ? told : { ...told, notice: { ...told.notice, commands: [] }, end: null };
}

export function stopped(it: Case, { by, reason }: Stop, at: WallTime): Bulletin {
  const whom = `${by === null ? 'by an operator' : `by ${by}`}${reason === null ? '' : `: ${reason}`}`;
  const told = bulletin(it, 'stopped', at, {
    headline: headline(whom),
    story: [sentence(`${titleOf(it)} was stopped ${whom}`)],
  });
  const start = { command: `upkeep start ${it.service}`, does: 'starts it again' };
  return { ...told, notice: { ...told.notice, incident: null, commands: [start] }, end: null };
}
