// GET /v1/why and /v1/services/NAME/why: why services are as they are, and the post-mortems of their ends. Asks the history,
// and does without it where there is none: what a service remembers of its last end is always there.

import type { Death } from '../core/death.js';
import { type Answer, anything, type Question } from '../core/history.js';
import { attemptsOn, refusedSentence } from '../core/last-attempt.js';
import { beginningOf, movedSentence, waveAmong, wavesBefore } from '../core/moved-by.js';
import type { Outlook } from '../core/outlook.js';
import { namedBy } from '../core/pool.js';
import { type PostMortem, withoutDetails } from '../core/post-mortem.js';
import {
  type EndEntry,
  isEnd,
  type Lack,
  neighbourhood,
  postMortemOf,
  rememberedPostMortem,
} from '../core/post-mortem-of.js';
import { isAsWanted, standingOf } from '../core/standing.js';
import type { Service, ServiceSet } from '../core/state.js';
import { type ServiceStatus, type Status, statusForAll } from '../core/status.js';
import { type Now, wallTime } from '../core/time.js';
import type { Why, WhyDocument } from '../core/why.js';

export interface WhyParts {
  readonly services: () => ServiceSet;
  /** Each among the others, as it is now. */
  readonly outlook: () => Outlook;
  readonly status: () => Status;
  readonly now: () => Now;
  /** What this host does not let us see. */
  readonly without: readonly Lack[];
  /** Services of the configuration that are not for this host. */
  readonly elsewhere: () => WhyDocument['elsewhere'];
  /** Never rejects. */
  readonly history: (question: Question) => Promise<Answer>;
}

export interface WhyQuestion {
  /** A service or a pool; null: all that are not as wanted. */
  readonly name: string | null;
  /** `last`: of its last end. `all`: as far back as the history goes, within reason. */
  readonly ends: 'last' | 'all';
  /** Whether whoever asks may see output and command lines. */
  readonly details: 'yes' | 'no';
}

/** So many ends of one service; whoever wants more asks the history itself. */
const mostEnds = 20;
/** Between an end and what came of it: some starts that failed, some words of operators. */
const mostFollowing = 24;
/** A host on which more ends in a second has one trouble, and no list of them would show it. */
const mostNeighbours = 50;

const ends = ['died', 'startFailed'];

/** null: there is no service of this name. */
export async function answerWhy(question: WhyQuestion, parts: WhyParts): Promise<WhyDocument | null> {
  const status = parts.status();
  const { host, time, services } = question.details === 'yes' ? status : statusForAll(status);
  const named: readonly string[] = question.name === null ? [] : namedBy(parts.services(), question.name);
  const meant = services.filter((one) => (question.name === null ? !isAsWanted(one) : named.includes(one.name)));
  const elsewhere = parts.elsewhere().filter(({ name }) => name === question.name);
  if (question.name !== null && meant.length + elsewhere.length === 0) return null;
  const found = await Promise.all(meant.map((status) => whyOf(status, question, parts)));
  return {
    version: 1,
    host,
    time,
    services: found.flatMap(({ why }) => (why === null ? [] : [why])),
    elsewhere,
    details: question.details === 'yes' ? 'shown' : 'withheld',
    historyProblem: found.find(({ problem }) => problem !== null)?.problem ?? null,
  };
}

interface Found {
  /** null: it was removed meanwhile. */
  readonly why: Why | null;
  readonly problem: string | null;
}

async function whyOf(status: ServiceStatus, question: WhyQuestion, parts: WhyParts): Promise<Found> {
  const service = parts.services().get(status.name);
  if (service === undefined) return { why: null, problem: null };
  const { sentences, next, commands } = standingOf(service, parts.now(), parts.outlook());
  const [{ postMortems, problem }, moved, refused] = await Promise.all([
    postMortemsOf(service, question.ends, parts),
    movedBy(service, parts),
    refusedLately(service, parts),
  ]);
  const why: Why = {
    service: status,
    standing: { asWanted: isAsWanted(status) ? 'yes' : 'no', sentences: [...sentences, ...refused, ...moved] },
    next,
    commands,
    postMortems: question.details === 'yes' ? postMortems : postMortems.map(withoutDetails),
  };
  return { why, problem };
}

async function postMortemsOf(
  service: Service,
  which: WhyQuestion['ends'],
  parts: WhyParts,
): Promise<{ readonly postMortems: readonly PostMortem[]; readonly problem: string | null }> {
  const most = which === 'all' ? mostEnds : 1;
  const answer = await parts.history({ ...anything, services: [service.spec.name], what: ends, most });
  const known = answer.type === 'found' ? answer.entries.filter(isEnd).reverse() : [];
  const remembered = newerThan(known[0], service.lastDeath);
  const told = await Promise.all(known.map((end) => postMortemWithHistory(end, parts)));
  const own =
    remembered === null
      ? []
      : [rememberedPostMortem(service.spec.name, generationOf(service), remembered, parts.without)];
  return {
    postMortems: [...own, ...told].slice(0, most),
    problem: answer.type === 'found' ? null : answer.problem,
  };
}

/** Its last end, where the history does not have it: an end that was asked for is none that is told, and the latest may still be on its way. */
function newerThan(newest: EndEntry | undefined, lastDeath: Death | null): Death | null {
  if (lastDeath === null || newest === undefined) return lastDeath;
  return lastDeath.time > newest.news.change.what.death.time ? lastDeath : null;
}

/** Of the one that ended: the next is begun with its start. */
const generationOf = ({ generation, state }: Service): number =>
  state.name === 'starting' || state.name === 'running' || state.name === 'handover' ? generation - 1 : generation;

async function postMortemWithHistory(end: EndEntry, { history, without }: WhyParts): Promise<PostMortem> {
  const { origin, number, time, news } = end;
  const after = { origin, number };
  const around = { since: wallTime(time - neighbourhood), until: wallTime(time + neighbourhood + 1) };
  const [followed, neighbours] = await Promise.all([
    history({ ...anything, services: [news.change.service], after, most: mostFollowing }),
    history({ ...anything, ...around, what: ends, most: mostNeighbours }),
  ]);
  return postMortemOf(end, entriesIn(followed), entriesIn(neighbours), without);
}

/** Where its last end was for another's sake: whose, and what had happened there. */
async function movedBy(service: Service, { history, now }: WhyParts): Promise<readonly string[]> {
  const waves = wavesBefore(service);
  const wave = waves === null ? null : waveAmong(service, entriesIn(await history(waves)));
  return wave === null ? [] : [movedSentence(wave, entriesIn(await history(beginningOf(wave))), now())];
}

/** Why the last attempt to replace it came to nothing, where that is still how things stand. */
async function refusedLately(service: Service, { history, now }: WhyParts): Promise<readonly string[]> {
  const attempts = attemptsOn(service, now());
  const sentence = attempts === null ? null : refusedSentence(entriesIn(await history(attempts)), now());
  return sentence === null ? [] : [sentence];
}

const entriesIn = (answer: Answer) => (answer.type === 'found' ? answer.entries : []);
