// What there is to tell of a service that runs and does not do its work, or could not be asked whether it does, in the notice's
// words. Decides nothing: whether anybody is told, and who, is for others.

import type { What } from './change.js';
import { failsInWords, type Reaction } from './heartbeat.js';
import { isOrAre, listOf } from './message.js';
import type { Notice } from './notice.js';
import { type Bulletin, bulletin, labelled } from './notice-bulletin.js';
import type { Case } from './notice-desk.js';
import { downFor, headline, sentence, titleOf } from './notice-text.js';
import { inWords, type WallTime } from './time.js';

type Of<T extends What['type']> = Extract<What, { type: T }>;

/** `before`: it is known to fail since before its last restart, or this is the first that is known. */
export function unhealthy(it: Case, what: Of<'unhealthy'>, before: 'first' | 'still', at: WallTime): Bulletin {
  const { heartbeat, detail, then } = what;
  const failed = `heartbeat ${heartbeat} failed ${failsInWords(what.fails)}`;
  const outcome = before === 'still' ? 'a restart did not help, ' : '';
  const story = [
    sentence(`${titleOf(it)} runs, but it does not do its work: its ${failed}`),
    ...askedSentence(what.asked.text),
    ...(detail === null ? [] : [sentence(`The last answer: ${detail}`)]),
    ...(before === 'still' ? ['It was restarted for that, and that did not help.'] : []),
    doneSentence[then],
    'When it is good again, that is told.',
  ];
  const said = detail === null || detail === '' ? '' : `: ${detail}`;
  const words = { headline: headline(`${failed}${said}; ${outcome}${doneInBrief[then]}`), story };
  return withHelp(bulletin(it, 'unhealthy', at, words), it, it.incidents[0] ?? null);
}

const doneInBrief: Readonly<Record<Reaction['type'], string>> = {
  restart: 'restarting it again',
  notice: 'nothing is done about it',
  stop: 'stopping it',
  exec: 'its command is run',
};

const doneSentence: Readonly<Record<Reaction['type'], string>> = {
  restart: 'It is restarted again.',
  notice: 'Nothing is done about it but telling you, as `then: notice` says.',
  stop: 'It is stopped, as `then: stop` says.',
  exec: 'The command is run that its `then` names.',
};

/** It is good again, and the process had never been down. `to`: who was told. */
export function wellAgain(it: Case, at: WallTime, to: readonly string[]): Bulletin {
  const length = inWords(downFor(it, it.since));
  const told = bulletin(it, 'recovered', at, {
    headline: `does its work again, after ${length}`,
    story: [
      sentence(`${titleOf(it)} does its work again, and has done so for ${inWords(at - it.since)}`),
      sentence(`The trouble had lasted ${length}`),
    ],
  });
  const commands = told.notice.commands.slice(0, 1);
  return { ...told, notice: { ...told.notice, outage: it.since - it.began, commands }, end: null, to };
}

/** Whoever was told of it and wants to be reminded. */
export function stillIll(it: Case, count: number, at: WallTime, to: readonly string[]): Bulletin {
  const length = inWords(downFor(it, at));
  const ill = it.sick ?? [];
  const names = listOf(ill.map(({ heartbeat }) => heartbeat));
  const said = ill.length === 1 && ill[0]?.detail != null ? `: ${ill[0].detail}` : '';
  const told = bulletin(it, 'unhealthy', at, {
    headline: headline(`heartbeat ${names} still fails after ${length}${said}`),
    story: [sentence(`${titleOf(it)} still does not do its work after ${length}; this is reminder ${count}`)],
  });
  const notice = { ...told.notice, id: `${told.notice.id}-r${count}`, reminder: count };
  return { ...withHelp({ ...told, notice }, it, it.incidents[0] ?? null), to };
}

/** `others`: all that cannot be asked now, this one among them. */
export function couldNotAsk(it: Case, what: Of<'unasked'>, others: readonly string[], at: WallTime): Bulletin {
  const names = others.includes(what.heartbeat) ? others : [what.heartbeat];
  const which = `${names.length === 1 ? 'heartbeat' : 'heartbeats'} ${listOf(names)}`;
  const reason = what.reason === null ? '' : `: ${what.reason}`;
  const told = bulletin(it, 'heartbeat-error', at, {
    headline: headline(`${which} could not be asked${reason}`),
    story: [
      sentence(`Whether ${titleOf(it)} does its work is not known: its ${which} could not be asked`),
      ...askedSentence(what.asked.text),
      ...(what.reason === null ? [] : [sentence(`The reason: ${what.reason}`)]),
      'That says nothing about the service, so nothing is done to it. When it can be asked again, that is told.',
    ],
  });
  return apart(told, it);
}

export function canAsk(
  it: Case,
  { heartbeat, after }: Of<'askable'>,
  others: readonly string[],
  at: WallTime,
): Bulletin {
  const rest = others.length === 0 ? '' : `; ${listOf(others)} still ${isOrAre(others)} not`;
  const told = bulletin(it, 'heartbeat-error', at, {
    headline: headline(
      `heartbeat ${heartbeat} is answered again, after ${inWords(after)} in which it could not be asked${rest}`,
    ),
    story: [sentence(`Heartbeat ${heartbeat} of ${titleOf(it)} could be asked again, after ${inWords(after)}${rest}`)],
  });
  return apart(labelled(told, 'UP'), it);
}

/** It is no matter of the service: of no incident, and not urgent. */
function apart(told: Bulletin, it: Case): Bulletin {
  return { ...withHelp({ ...told, notice: { ...told.notice, incident: null } }, it, null), pace: 'digest' };
}

const askedSentence = (text: string | null): readonly string[] =>
  text === null ? [] : [sentence(`It was asked: ${text}`)];

/** There is no end whose post-mortem could help. */
function withHelp(told: Bulletin, { service }: Case, incident: string | null): Bulletin {
  const commands: Notice['commands'] = [
    { command: `upkeep test ${service}`, does: 'asks it now, and shows each step' },
    { command: `upkeep why ${service}`, does: 'says how it is, and what it printed' },
    ...(incident === null ? [] : [{ command: `upkeep ack ${incident}`, does: 'ends the reminders of this incident' }]),
    { command: `upkeep hold ${service} --for 2h`, does: 'neither asks it nor acts on it for so long' },
  ];
  return { ...told, notice: { ...told.notice, commands }, end: null };
}
