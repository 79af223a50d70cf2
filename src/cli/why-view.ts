// Why services are as they are, as cards for people: first how it is and what changes that, then the post-mortem of its
// last end. Pure. Whatever a program printed or is called has no power over the terminal.

import { inWords } from '../core/status.js';
import type { Finding, Mark, PostMortem, Why, WhyDocument } from '../core/why.js';
import { blockOf, type Labelled, wrap } from './block.js';
import type { Paint } from './paint.js';
import { colourOf } from './service-text.js';
import { cutTo, padTo, printable, widthOf } from './text-width.js';
import { lengthText, sinceText, stampText } from './time-text.js';

export interface WhyView {
  readonly document: WhyDocument;
  /** By the keeper's clock, in milliseconds since 1970. */
  readonly now: number;
  /** null: no terminal, nothing is wrapped or cut. */
  readonly columns: number | null;
  readonly paint: Paint;
}

export function whyLines(view: WhyView): readonly string[] {
  const cards = [
    ...view.document.services.map((one) => cardOf(one, view)),
    ...view.document.elsewhere.map((one) => elsewhereCard(one, view)),
  ];
  return cards.flatMap((card, index) => (index === 0 ? card : ['', ...card]));
}

function cardOf(why: Why, view: WhyView): readonly string[] {
  const { columns, paint } = view;
  return [
    titleOf(why, paint),
    ...blockOf(standingBlock(why), columns, paint),
    ...why.postMortems.flatMap((postMortem) => ['', ...postMortemLines(postMortem, view)]),
  ];
}

function titleOf({ service }: Why, paint: Paint): string {
  const { name, state, description } = service;
  const title = description === null ? '' : `  ${printable(description)}`;
  return `${paint('bold', name)}  ${paint(colourOf(service), state)}${title}`;
}

function standingBlock({ standing, next, commands, service, postMortems }: Why): readonly Labelled[] {
  return [
    ...labelled('why', standing.sentences.map(printable)),
    ['next', next === null ? null : printable(next)],
    ...labelled('to change it', commandTexts(commands)),
    ['last end', postMortems.length === 0 && service.lastDeath === null ? 'none is known' : null],
  ];
}

function commandTexts(commands: Why['commands']): readonly string[] {
  const width = Math.max(0, ...commands.map(({ command }) => widthOf(command)));
  return commands.map(({ command, does }) => `${padTo(printable(command), width)}  ${printable(does)}`);
}

function elsewhereCard(one: WhyDocument['elsewhere'][number], { columns, paint }: WhyView): readonly string[] {
  const lines: readonly Labelled[] = [
    ['why', printable(`${one.name} is not for this host: ${one.reason}`)],
    ['see', 'upkeep classes  shows what this host is'],
  ];
  return [`${paint('bold', one.name)}  ${paint('dim', 'elsewhere')}`, ...blockOf(lines, columns, paint)];
}

function postMortemLines(postMortem: PostMortem, view: WhyView): readonly string[] {
  const { columns, paint } = view;
  const { sentence, timeline, evidence, neighbours } = postMortem;
  const block: readonly Labelled[] = [
    ['when', whenText(postMortem, view.now)],
    ...labelled('what happened', timelineTexts(timeline)),
    ...labelled('evidence', evidenceTexts(evidence)),
    ...labelled('last output', outputTexts(postMortem, view)),
    ...labelled('neighbours', neighbours.map(neighbourText)),
    ['incident', postMortem.incident],
  ];
  const heading = wrap(printable(sentence), columns === null ? null : columns - 2);
  return [...heading.map((line) => `  ${paint('bold', line)}`), ...blockOf(block, columns, paint)];
}

/** The label stands at the first of several lines. */
const labelled = (label: string, texts: readonly string[]): readonly Labelled[] =>
  texts.map((text, index): Labelled => [index === 0 ? label : '', text]);

function whenText({ time, generation }: PostMortem, now: number): string {
  const at = Date.parse(time);
  const fraction = String(at % 1000).padStart(3, '0');
  return `${stampText(at)}.${fraction}, ${sinceText(time, now)} ago, generation ${generation}`;
}

function timelineTexts(timeline: readonly Mark[]): readonly string[] {
  const distances = timeline.map(
    ({ after }) => `+${after < 100 ? `${after} ms` : after < 10_000 ? `${Math.round(after)} ms` : inWords(after)}`,
  );
  const width = Math.max(0, ...distances.map(widthOf));
  return timeline.map(({ text }, index) => `${(distances[index] ?? '').padStart(width)}  ${printable(text)}`);
}

const evidenceTexts = (evidence: readonly Finding[]): readonly string[] =>
  evidence.map(({ grade, text, source }) => `${padTo(grade, 8)}  ${printable(text)} [${printable(source)}]`);

/** Cut, not wrapped: a line of its own is a line here. */
function outputTexts({ output }: PostMortem, { document, columns }: WhyView): readonly string[] {
  if (output === null)
    return [
      document.details === 'withheld'
        ? 'only for root, the user of the keeper and group upkeep'
        : 'not known: it could not be read, or the history does not have it',
    ];
  if (output.length === 0) return ['none'];
  const room = columns === null ? null : Math.max(24, columns - LABELS);
  return output.map((line) => {
    const text = `| ${printable(line)}`.trimEnd();
    return room === null ? text : cutTo(text, room);
  });
}

/** Columns that the widest label takes, with what is around it: see blockOf. */
const LABELS = 'what happened'.length + 4;

function neighbourText({ service, text, after }: PostMortem['neighbours'][number]): string {
  const when = after === 0 ? 'at the same moment' : `${lengthText(Math.abs(after))} ${after < 0 ? 'before' : 'after'}`;
  return printable(`${service}: ${text}, ${when}`);
}
