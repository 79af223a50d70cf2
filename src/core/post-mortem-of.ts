// An end and the entries around it → its post-mortem: the sentence, what happened when, what is known and how surely, and
// who else ended at that time. Pure. It must not know where the entries come from, nor how a card or a mail looks.

import type { Change, Next, What } from './change.js';
import { type Death, describeDeath, describeFailedStart } from './death.js';
import type { Entry, News } from './entry.js';
import type { Mark, Neighbour, PostMortem } from './post-mortem.js';
import { evidenceOf, type Lack } from './post-mortem-evidence.js';
import type { ServiceName } from './spec.js';
import { inFineWords, iso, tenths } from './time.js';

export type { Lack };

type End = Extract<What, { readonly type: 'died' | 'startFailed' }>;
type ServiceNews = Extract<News, { readonly of: 'service' }>;

/** The entry of an end: of a generation, or of an attempt to start one. */
export type EndEntry = Entry & { readonly news: ServiceNews & { readonly change: Change & { readonly what: End } } };

export const isEnd = (entry: Entry): entry is EndEntry =>
  entry.news.of === 'service' &&
  (entry.news.change.what.type === 'died' || entry.news.change.what.type === 'startFailed');

/** How far apart two ends may be, so that one may have to do with the other. */
export const neighbourhood = 1000;

/**
 * `followed`: later entries, oldest first; those of other services and what belongs to the next end are passed over.
 * `neighbours`: entries from around that time. `without`: what the keeper could not have seen.
 */
export function postMortemOf(
  end: EndEntry,
  followed: readonly Entry[],
  neighbours: readonly Entry[],
  without: readonly Lack[],
): PostMortem {
  const { change } = end.news;
  const { death } = change.what;
  const moments = [...beforeEnd(end), endMoment(end), ...afterEnd(end, followed)];
  return {
    incident: death.incident,
    service: change.service,
    generation: endedGeneration(change),
    time: iso(death.time),
    sentence: sentenceOf(change.service, change.what.type, death) + outcomeOf(moments),
    timeline: timelineOf(moments),
    evidence: evidenceOf(death, without),
    output: end.output,
    neighbours: neighboursOf(end, neighbours),
  };
}

/** What a service itself remembers of its last end: the same, without what the entries tell. */
export function rememberedPostMortem(
  service: ServiceName,
  generation: number,
  death: Death,
  without: readonly Lack[],
): PostMortem {
  const type = death.served === null && death.cause !== 'requested' ? 'startFailed' : 'died';
  return {
    incident: death.incident,
    service,
    generation,
    time: iso(death.time),
    sentence: sentenceOf(service, type, death),
    timeline: timelineOf([...momentsBefore(death), { ...lastMoment(type, death), after: 0 }]),
    evidence: evidenceOf(death, without),
    output: null,
    neighbours: [],
  };
}

/** A change carries the generation that is there after it; where the next start is begun in the same step, that is the next one. */
export function endedGeneration({ to, generation }: Change): number {
  return to === 'starting' ? generation - 1 : generation;
}

/** `web was killed by SIGKILL from bash (pid 4711, alice), after 3 min`. How long it lived is not known where nobody was there at its end. */
function sentenceOf(service: string, type: End['type'], death: Death): string {
  const age = death.uptime === null || death.whileAway === 'yes' ? '' : `, after ${inFineWords(death.uptime)}`;
  if (type === 'startFailed') return `${service} failed to start: ${describeFailedStart(death)}${age}`;
  const clause = describeDeath(death);
  if (/^(?:killed|stopped) /.test(clause)) return `${service} was ${clause}${age}`;
  return /^(?:exited|ended|failed|did not|said)\b/.test(clause)
    ? `${service} ${clause}${age}`
    : `${service}: ${clause}${age}`;
}

function outcomeOf(moments: readonly Moment[]): string {
  const back = moments.find(({ what }) => what === 'ready');
  return back === undefined ? '' : `, and was ready again ${inFineWords(back.after)} later`;
}

/** A mark, with its distance in milliseconds from the end. */
interface Moment {
  readonly what: Mark['what'];
  readonly after: number;
  readonly time: number;
  readonly text: string;
}

const beforeEnd = ({ news }: EndEntry): readonly Moment[] => momentsBefore(news.change.what.death);

const momentsBefore = (death: Death): readonly Moment[] => [...unhealthyMoment(death), ...sentMoment(death)];

/** The answer for which it was stopped. */
function unhealthyMoment({ ailment, time }: Death): readonly Moment[] {
  const last = ailment?.answers.at(-1);
  if (ailment === undefined || last === undefined || last.time > time) return [];
  const text = `its heartbeat ${ailment.heartbeat} failed once too often, and it was stopped for that`;
  return [{ what: 'unhealthy', after: last.time - time, time: last.time, text }];
}

function sentMoment({ findings, at, time, by, status }: Death): readonly Moment[] {
  const sentAt = findings?.sentAt ?? null;
  if (sentAt === null || sentAt > at) return [];
  const signal = by?.signal ?? (status.type === 'signaled' ? status.signal : 'the signal');
  return [{ what: 'sent', after: sentAt - at, time: time - (at - sentAt), text: `${signal} was sent` }];
}

const endMoment = ({ news }: EndEntry): Moment => ({
  ...lastMoment(news.change.what.type, news.change.what.death),
  after: 0,
});

function lastMoment(type: End['type'], { whileAway, time }: Death): Omit<Moment, 'after'> {
  if (whileAway === 'yes') return { what: 'noticed', time, text: 'the next keeper found that it had ended' };
  return type === 'died'
    ? { what: 'died', time, text: 'it ended, and the keeper saw it' }
    : { what: 'failed', time, text: 'the start failed' };
}

/** As many as a card has room for: what comes later is another story. */
const mostMoments = 8;

function afterEnd(end: EndEntry, followed: readonly Entry[]): readonly Moment[] {
  const moments: Moment[] = [];
  for (const entry of followed) {
    if (!isLater(entry, end) || entry.news.of === 'keeper' || entry.news.change.service !== end.news.change.service)
      continue;
    const { change, about } = entry.news;
    const mark = markOf(change, about.kind, end.news.change);
    if (mark !== null) moments.push({ ...mark, after: distance(end, entry), time: change.time });
    const isOver = isEnd(entry) || mark?.what === 'ready';
    if (isOver || moments.length === mostMoments) break;
  }
  return moments;
}

/** From an end to a later entry. Entries of another boot count their instants anew. */
const distance = ({ origin, news }: EndEntry, to: Entry): number => {
  const { at, time } = news.change.what.death;
  if (origin !== to.origin) return to.time - time;
  // An end is told a little after it was seen.
  return (isEnd(to) ? to.news.change.what.death.at : to.at) - at;
};

const isLater = (entry: Entry, end: Entry): boolean =>
  entry.origin === end.origin ? entry.number > end.number : entry.time >= end.time;

function markOf(
  change: Change,
  kind: 'supervised' | 'watched',
  end: EndEntry['news']['change'],
): Pick<Mark, 'what' | 'text'> | null {
  const { what, from } = change;
  switch (what.type) {
    case 'starting':
      if (kind === 'watched') return { what: 'started', text: 'its start command was run' };
      // The reason why it waited is the end's: what was left of it.
      return from === 'waiting' && isAnsweredAtOnce(end.what.next)
        ? { what: 'stopped', text: 'what was left of it had ended' }
        : null;
    case 'launched':
      return { what: 'started', text: `started again as process ${what.process.pid}` };
    case 'ready':
      return { what: 'ready', text: `ready, ${inFineWords(what.took)} after its start` };
    case 'cameBack':
    case 'found':
      return { what: 'ready', text: `came back by another's hand (pid ${what.process.pid})` };
    case 'stopped':
      return { what: 'stopped', text: 'stopped' };
    case 'committed':
      return { what: 'ready', text: `replaced by process ${what.to.pid}` };
    case 'died':
      return { what: 'died', text: 'it ended again' };
    case 'startFailed':
      return { what: 'failed', text: `the start failed: ${describeFailedStart(what.death)}` };
    case 'failed':
      return { what: 'failed', text: 'given up for now: its restart limit was reached, or its policy says so' };
    case 'asked':
    case 'adopted':
    case 'ambiguous':
    case 'escalated':
    case 'fight':
    case 'fightEnded':
    case 'handedOver':
    case 'holdEnded':
    case 'overrideEnded':
    case 'pidFileRefused':
    case 'refused':
    case 'reloadFailed':
    case 'reloaded':
    case 'removed':
    case 'signaled':
    case 'specChanged':
    case 'stopping':
    case 'stuck':
    case 'unseen':
    case 'waved':
    case 'waits':
    case 'skipped':
    case 'done':
    case 'hookFailed':
    case 'rollEnded':
    case 'handingOver':
    case 'handoverPhase':
    case 'handoverRefused':
    case 'drained':
    case 'watchdogMissed':
    case 'mainChanged':
    case 'connected':
    case 'unhealthy':
    case 'healthy':
    case 'unasked':
    case 'askable':
    case 'reacted':
      return null;
  }
}

const isAnsweredAtOnce = ({ type }: Next): boolean => type === 'start' || type === 'wait' || type === 'slow';

function timelineOf(moments: readonly Moment[]): readonly Mark[] {
  const first = moments[0]?.after ?? 0;
  return moments.map(({ what, after, time, text }) => ({ what, time: iso(time), after: tenths(after - first), text }));
}

function neighboursOf(end: EndEntry, others: readonly Entry[]): readonly Neighbour[] {
  return others
    .filter(isEnd)
    .filter(({ news }) => news.change.service !== end.news.change.service)
    .map((entry) => ({ entry, after: distance(end, entry) }))
    .filter(({ after }) => Math.abs(after) <= neighbourhood)
    .map(({ entry: { news }, after }) => ({
      service: news.change.service,
      text: describeDeath(news.change.what.death),
      after: tenths(after),
    }));
}
