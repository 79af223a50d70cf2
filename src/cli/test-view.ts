// What the heartbeats of a service answered just now, as people read it: the answer, and below it how each step went. Pure.

import { resultInWords, type TestAnswer, type TestDocument } from '../core/status.js';
import { wrap } from './block.js';
import type { Colour, Paint } from './paint.js';
import { padTo, printable, widthOf } from './text-width.js';
import { lengthText } from './time-text.js';

const colours: Readonly<Record<TestAnswer['result'], Colour>> = { good: 'green', failed: 'red', unasked: 'yellow' };

export function testLines(document: TestDocument, columns: number | null, paint: Paint): readonly string[] {
  const { service, state, notAsked, answers } = document;
  const head = `${paint('bold', service)}  ${state}`;
  const remark = {
    'not running': [`  ${service} does not run: what answers here is something else, or nothing`],
    'on hold': [`  ${service} is on hold: it is asked now, and not on its schedule`],
    none: [],
  }[notAsked ?? 'none'];
  return [head, ...remark, ...answers.flatMap((answer) => answerLines(answer, columns, paint))];
}

function answerLines(answer: TestAnswer, columns: number | null, paint: Paint): readonly string[] {
  const { heartbeat, asks, result, ms, detail, steps } = answer;
  const said = detail === '' ? '' : `: ${printable(detail)}`;
  const room = columns === null ? null : columns - 4;
  const [first = '', ...rest] = wrap(`${resultInWords[result]} after ${lengthText(ms)}${said}`, room);
  const times = steps.map((step) => lengthText(step.ms));
  const width = Math.max(0, ...times.map(widthOf));
  const names = Math.max(0, ...steps.map(({ name }) => widthOf(printable(name))));
  return [
    ...wrap(`${heartbeat}  ${printable(asks)}`, room).map((line, index) => `${index === 0 ? '  ' : '    '}${line}`),
    ...steps.map((step, index) => {
      const text = `${padTo(printable(step.name), names)}  ${printable(step.detail ?? '')}`;
      return `    ${(times[index] ?? '').padStart(width)}  ${text}`.trimEnd();
    }),
    `    ${paint(colours[result], first)}`,
    ...rest.map((line) => `    ${line}`),
  ];
}
