// The part of the report that is about heartbeats (report.mjs). Measures nothing.
import { shareOf } from './heartbeats.mjs';
import { quantile } from './latency.mjs';
import { table } from './table.mjs';

const UPKEEP = {
  alone: 'upkeep, the services alone',
  asked: 'upkeep, with their heartbeats',
  hanging: 'upkeep, one in twenty hangs',
};

const fixed = (value, digits) => (Number.isFinite(value) ? value.toFixed(digits) : '–');

export function heartbeatsText({ size, every, rows, frozen, load }) {
  const base = rows.find(({ name }) => name === 'asked');
  return [
    `${size} URLs of one server, each asked every ${every / 1000} s. Upkeep has ${size} services with a heartbeat each; the others have the URLs. Processor time of all that asks, of one core. The load was ${load.map((one) => fixed(one, 1)).join(' at the beginning and ')} at the end.`,
    '',
    table(
      ['who asks', 'of one core', 'µs a question', '×', 'questions a second', 'load', 'remarks'],
      rows.map((row) => costRow(row, base)),
    ),
    '',
    table(
      ['start delay: planned to the arrival at the server', 'questions', 'p50 ms', 'p99 ms', 'longest ms'],
      rows
        .filter(({ delay }) => delay)
        .flatMap(({ name, delay, idle }) => [
          delayRow(UPKEEP[name], delay),
          delayRow('meanwhile: a timer of a process that does nothing, of the same priority', idle),
        ]),
    ),
    '',
    table(
      ['what is held, before and after the questions', 'questions', 'descriptors', 'then', 'MiB', 'then'],
      rows.filter(({ questions, holds }) => questions > 0 && holds).flatMap(holdRows),
    ),
    '',
    frozen === null ? 'Nothing was stopped to hang.' : frozenText(frozen),
  ];
}

function costRow(row, base) {
  const { name, what, problem, processor, ofKeeper, questions, seconds, load } = row;
  if (problem) return [UPKEEP[name] ?? name, '–', '–', '–', '–', '–', problem];
  const each = (one) => one.processor / 1e3 / one.questions;
  const remarks = ofKeeper === undefined ? what : `${fixed(ofKeeper / 1e7 / seconds, 2)} % the keeper's`;
  return [
    UPKEEP[name] ?? name,
    `${fixed(shareOf({ processor, seconds }) * 100, 2)} %`,
    questions === 0 ? '–' : fixed(each(row), 0),
    questions === 0 || base === undefined ? '–' : fixed(each(row) / each(base), 2),
    fixed(questions / seconds, 1),
    fixed(load, 1),
    remarks,
  ];
}

const delayRow = (what, { count, p50, p99, max }) => [what, count, fixed(p50, 1), fixed(p99, 1), fixed(max, 1)];

function holdRows({ name, questions, holds: [before, after] }) {
  return ['keeper', 'askers'].map((who) => [
    `${UPKEEP[name]}: ${who}`,
    questions,
    before[who].descriptors,
    after[who].descriptors,
    fixed(before[who].memory / 1024, 1),
    fixed(after[who].memory / 1024, 1),
  ]);
}

function frozenText({ problem, samples, lost, promised }) {
  if (problem !== null) return `Nothing was stopped to hang: ${problem}`;
  const [median, worst] = [quantile(samples, 0.5), Math.max(...samples)].map((value) => fixed(value, 1));
  const missing = lost.length === 0 ? '' : ` ${lost.length} lost: ${lost[0]}.`;
  return `Services that answer, stopped with SIGSTOP (\`every: 5s, timeout: 2s, fails: 2 in a row, stop: {wait: 1s}\`), ${samples.length} times: they listen again after ${median} s (median), ${worst} s at the worst.${missing} What \`upkeep explain\` had said: ${promised}.`;
}
