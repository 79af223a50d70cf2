// The part of the report that is about the replacement of a running web (report.mjs). Measures nothing.
import { quantile } from './latency.mjs';
import { table } from './table.mjs';

const fixed = (value, digits) => (Number.isFinite(value) ? value.toFixed(digits) : '–');
const millis = (nanoseconds) => fixed(nanoseconds / 1e6, 2);
const loads = (load) => (load === undefined ? '–' : load.map((one) => fixed(one, 1)).join(' to '));
const mebibytes = (kibibytes) => fixed(kibibytes / 1024, 1);

const KINDS = {
  plain: 'neither',
  notify: '`ready: notify`',
  socket: 'a held socket without a path',
  path: 'a held socket with a path',
  held: 'the latter and `ready: notify`',
};

export function gracefulText(found) {
  const { kept, fresh, pause, every, restarts, commits, states, refused, flooded, struck, resting } = found;
  const text = [
    `${kept} clients that keep their connection and ${fresh} that open one for each request; each asks again ${pause} ms after its answer, and again after 10 ms where it was refused or cut off. The time of a request is that from its first attempt to its answer. A restart is begun every ${every / 1000} s, or when the one before is over. They are all up at once and take turns, in an order shuffled each time; the load is the least and the most at the beginning of a turn.`,
    '',
    table(
      [
        'who restarts',
        'restarts',
        'median ms of one',
        'answered',
        'lost',
        'refused',
        'p50 ms',
        'p99 ms',
        'longest ms',
        'p99 ×',
        'load',
        'how',
      ],
      restarts.map((row) => restartRow(row, restarts)),
    ),
  ];
  if (commits === undefined) return text;
  return [
    ...text,
    '',
    table(
      ['READY=1 to `accept`', 'rounds', 'median ms', 'p99 ms', 'longest ms', 'load', 'remarks'],
      commits.flatMap(commitRows),
    ),
    '',
    table(
      ['a state that goes over, with its digest', 'rounds', 'median ms', 'MB/s, median', 'least', 'load', 'remarks'],
      states.map(stateRow),
    ),
    '',
    refusedText(refused),
    '',
    ...floodText(flooded, found.flood),
    '',
    ...struckText(struck),
    '',
    ...restText(resting, found.rest),
  ];
}

function restartRow(
  { name, what, problem, rounds, failed, restart, answered, lost, refused, causes, p50, p99, max, load },
  all,
) {
  if (problem !== null) return [name, '–', '–', '–', '–', '–', '–', '–', '–', '–', loads(load), problem];
  const base = all.find((row) => row.name === 'upkeep, overlap')?.p99;
  const remarks = [
    what,
    ...Object.entries(causes).map(([cause, count]) => `${count} ${cause}`),
    ...failed.slice(0, 1).map((why) => `${failed.length} failed: ${why}`),
  ];
  return [
    name,
    rounds,
    fixed(restart, 0),
    answered,
    lost,
    refused,
    fixed(p50, 1),
    fixed(p99, 1),
    fixed(max, 0),
    fixed(p99 / base, 2),
    loads(load),
    remarks.join('; '),
  ];
}

function commitRows({ way, problem, failed, service, keeper, load }) {
  if (problem !== null) return [[way, '–', '–', '–', '–', loads(load), problem]];
  const row = (what, samples) => [
    what,
    samples.length,
    ...[0.5, 0.99, 1].map((share) => millis(quantile(samples, share))),
    loads(load),
    failed.length > 0 ? `${failed.length} failed: ${failed[0]}` : '',
  ];
  return [
    row(`by ${way}: until the keeper has written it`, keeper),
    row(`by ${way}: until the service has read it`, service),
  ];
}

function stateRow({ bytes, problem, failed, took, load }) {
  const what = `${fixed(bytes / 1e6, 0)} MB`;
  if (problem !== null) return [what, '–', '–', '–', '–', loads(load), problem];
  const rates = took.map((nanoseconds) => rateOf(bytes, nanoseconds));
  return [
    what,
    took.length,
    fixed(quantile(took, 0.5) / 1e6, 0),
    fixed(quantile(rates, 0.5), 0),
    fixed(Math.min(...rates), 0),
    loads(load),
    failed.length > 0 ? `${failed.length} failed: ${failed[0]}` : '',
  ];
}

/** MB a second. */
export const rateOf = (bytes, nanoseconds) => (bytes / nanoseconds) * 1e3;

function refusedText(refused) {
  if (refused === null) return 'No state went over: clients/node/dist is missing.';
  const { problem, rounds, failed, read, answered, lost, refused: turnedAway, p50, p99, max, load } = refused;
  if (problem !== null) return `No refusal was measured: ${problem}`;
  const odd = failed.length === 0 ? '' : ` Unexpected: ${failed[0]}.`;
  return `Refused under the same load: ${rounds} restarts whose new generation reads the state (${read} read) and refuses: ${answered} answered, ${lost} lost, ${turnedAway} refused; p50 ${fixed(p50, 1)} ms, p99 ${fixed(p99, 1)} ms, longest ${fixed(max, 0)} ms; load ${loads(load)}.${odd}`;
}

function floodText({ problem, calm, during, lengths, memory, load }, count) {
  if (problem !== null) return [`No flood was measured: ${problem}`];
  const row = (what, samples) => [
    what,
    samples.length,
    ...[0.5, 1].map((share) => millis(quantile(samples, share))),
    loads(load),
  ];
  return [
    table(
      ['READY=1 of one service until the keeper tells that it is ready', 'rounds', 'median ms', 'longest ms', 'load'],
      [row('while nobody says anything', calm), row(`while another one says ${count} times STATUS`, during)],
    ),
    '',
    `A flood took ${millis(quantile(lengths, 0.5))} ms (median of ${lengths.length}); rounds whose READY=1 came after its end are left out. The keeper’s memory: ${mebibytes(memory[0])} MiB before, ${mebibytes(memory[1])} after ${lengths.length} floods, ${mebibytes(memory[2])} after a collection.`,
  ];
}

function struckText({ problem, kinds, load }) {
  if (problem !== null) return [`No kill was measured: ${problem}`];
  const base = quantile(kinds[0].samples, 0.5);
  return [
    table(
      [
        'kill -9 to the first instruction, a service with',
        'rounds',
        'median ms',
        'p99 ms',
        'median ×',
        'load',
        'remarks',
      ],
      kinds.map(({ kind, samples, lost }) => [
        KINDS[kind],
        samples.length,
        millis(quantile(samples, 0.5)),
        millis(quantile(samples, 0.99)),
        fixed(quantile(samples, 0.5) / base, 2),
        loads(load),
        lost.length > 0 ? `${lost.length} lost: ${lost[0]}` : '',
      ]),
    ),
  ];
}

function restText({ problem, kinds = [], load }, { size, window }) {
  if (kinds.length === 0) return [`Nothing was measured at rest: ${problem}`];
  return [
    table(
      [
        `${size} services with`,
        'start ms, until all are ready',
        'MiB, after a collection',
        'µs/s',
        'wake-ups/s',
        'descriptors',
        'processes',
        'load',
      ],
      kinds.map(({ kind, start, memory, processor, wakeups, descriptors, processes }) => [
        KINDS[kind],
        fixed(start / 1e6, 0),
        mebibytes(memory),
        fixed(processor / 1e3, 1),
        fixed(wakeups, 1),
        descriptors,
        processes,
        loads(load),
      ]),
    ),
    '',
    `At rest: over ${window / 1000} s, of the keeper and of all that it started but the services.${problem === null ? '' : ` Broke off: ${problem}`}`,
  ];
}
