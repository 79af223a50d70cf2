// The figures as Markdown: tables with ratios (Upkeep is 1), what was promised and whether it was reached, and how
// it was measured. Measures nothing.
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { shareOfKeeper } from './coupling.mjs';
import { gracefulText } from './graceful-report.mjs';
import { heartbeatsText } from './heartbeat-report.mjs';
import { quantile } from './latency.mjs';
import { LAYERS } from './place.mjs';
import { table } from './table.mjs';
import { judge } from './targets.mjs';

const VARIANT = {
  plain: 'direct',
  shell: 'run script in sh',
  hardened: 'as nobody, limits, no new privileges',
  pidFile: 'by pid file',
  exe: 'by executable',
};

const format = (value, digits) => (Number.isFinite(value) ? value.toFixed(digits) : '–');
const millis = (nanoseconds) => format(nanoseconds / 1e6, nanoseconds < 100e6 ? 2 : 0);
const times = (value, base) => format(value / base, value / base < 10 ? 2 : 0);

function latencyTable(rows, baseKind) {
  const base = (kind) =>
    rows.find((row) => row.peer.name === 'upkeep' && row.kind === (kind === 'hardened' ? 'hardened' : baseKind));
  return table(
    ['keeper', 'how', 'rounds', 'median ms', 'p99 ms', 'median ×', 'p99 ×', 'remarks'],
    rows.map((row) => {
      const median = quantile(row.samples, 0.5);
      const p99 = quantile(row.samples, 0.99);
      const upkeep = base(row.kind)?.samples ?? [];
      return [
        row.peer.name,
        row.peer.name === 'monit' ? '1 s cycle, by pid file' : VARIANT[row.kind],
        row.samples.length,
        millis(median),
        millis(p99),
        times(median, quantile(upkeep, 0.5)),
        times(p99, quantile(upkeep, 0.99)),
        row.lost.length > 0 ? `${row.lost.length} lost: ${row.lost[0]}` : '',
      ];
    }),
  );
}

/** One line for each keeper, and for each size a value and its ratio to Upkeep's. */
function scaleTable(rows, sizes, heading, value, show) {
  const peers = [...new Set(rows.map((row) => row.peer))];
  const find = (peer, size) => rows.find((row) => row.peer === peer && row.size === size);
  const upkeep = peers.find((peer) => peer.name === 'upkeep');
  return table(
    ['keeper', ...sizes.flatMap((size) => [`${heading}, N = ${size}`, '×'])],
    peers.map((peer) => [
      peer.name,
      ...sizes.flatMap((size) => {
        const row = find(peer, size);
        if (row === undefined) return ['–', '–'];
        const base = upkeep === undefined ? undefined : find(upkeep, size);
        const own = value(row);
        const isStart = heading.startsWith('start');
        const text =
          row.problem !== null && isStart ? row.problem : row.problem !== null ? `(${show(own)})` : show(own);
        return [text, base === undefined || row.problem !== null ? '–' : times(own, value(base))];
      }),
    ]),
  );
}

function machine() {
  const [cpu] = cpus();
  const os = readFileSync('/etc/os-release', 'utf8').match(/^PRETTY_NAME="?([^"\n]*)/m)?.[1] ?? 'unknown';
  return `${cpu.model}, ${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB; Linux ${release()}, ${os}, Node ${process.version}`;
}

/** The whole page. */
export function report(results) {
  const { plan, scale } = results;
  const parts = ['# Side by side', ''];
  parts.push(
    `\`npm run bench\` on ${new Date().toISOString().slice(0, 10)}, ${Math.round(results.took)} s. Everything below is from one run; Upkeep is 1 in each column ×.`,
    '',
    `- Machine: ${machine()}`,
    `- Keepers: ${results.peers.map((peer) => `${peer.name} ${results.versions.get(peer)}`).join(', ')}`,
  );
  for (const { peer, why } of results.missing) parts.push(`- Left out: ${peer.name}, ${why}`);
  for (const problem of results.problems) parts.push(`- Broke off: ${problem}`);
  if (results.options.quick) parts.push('- This was a quick run: too few rounds for any conclusion.');
  parts.push('', '## What was promised', '', targetsTable(results), '');

  if (results.supervised !== undefined) {
    parts.push(
      '## Supervised: kill -9 to the new process’s first instruction',
      '',
      latencyTable(results.supervised, 'plain'),
      '',
    );
  }
  if (results.watched !== undefined) {
    parts.push(
      '## Watched: kill -9 of a daemon that is nobody’s child to the start command’s first instruction',
      '',
      latencyTable(results.watched, 'pidFile'),
      '',
    );
  }
  if (results.frozen !== undefined) parts.push('## A disk that hangs', '', frozenText(results.frozen), '');
  if (results.evidence !== undefined) parts.push('## Knowing why it died', '', evidenceText(results.evidence), '');
  if (results.notices !== undefined) parts.push('## Telling people', '', noticesText(results.notices), '');
  if (results.steady !== undefined) parts.push('## The loop in the steady state', '', steadyText(results.steady), '');
  if (results.coupling !== undefined) parts.push('## A graph of services', '', ...couplingText(results.coupling), '');
  if (results.heartbeats !== undefined) {
    parts.push('## What it costs to ask', '', ...heartbeatsText(results.heartbeats), '');
  }
  if (results.graceful !== undefined) {
    parts.push('## How a running service is replaced', '', ...gracefulText(results.graceful), '');
  }
  if (results.away !== undefined) parts.push('## The keeper’s own death', '', ...awayText(results.away), '');
  if (scale !== undefined) {
    const sizes = plan.sizes;
    parts.push(
      '## Start of N services',
      '',
      'From the start of the keeper to the first instruction of the last service.',
      '',
      scaleTable(scale, sizes, 'start ms', (row) => row.start, millis),
      '',
      ...crowdText(scale),
      '## Memory of the keeper’s own processes',
      '',
      'Proportional (Pss), MiB. In parentheses: not all services had come up.',
      '',
      scaleTable(
        scale,
        sizes,
        'MiB',
        (row) => row.memory / 1024,
        (value) => format(value, 1),
      ),
      '',
      ...collectedText(scale),
      '## Idle',
      '',
      `Over ${plan.window / 1000} s in which nothing happens: processor time a second, and how often a second any of its threads was woken.`,
      '',
      scaleTable(
        scale,
        sizes,
        'µs/s',
        (row) => row.processor / 1e3,
        (value) => format(value, 1),
      ),
      '',
      scaleTable(
        scale,
        sizes,
        'wake-ups/s',
        (row) => row.wakeups,
        (value) => format(value, 1),
      ),
      '',
    );
  }
  parts.push(method(results));
  return `${parts.join('\n')}\n`;
}

function targetsTable(results) {
  const rows = judge(results).map(({ promise, found, verdict }) => [promise, found, verdict]);
  return table(['promise', 'found', 'reached'], rows);
}

function frozenText(frozen) {
  if (typeof frozen === 'string') return `Not measured: ${frozen}`;
  return table(
    ['state and logs on', 'rounds', 'median ms', 'p99 ms', 'remarks'],
    [
      ['an ext4', frozen.normal],
      ['the same, frozen', frozen.frozen],
    ].map(([what, { samples, lost }]) => [
      what,
      samples.length,
      millis(quantile(samples, 0.5)),
      millis(quantile(samples, 0.99)),
      lost.length > 0 ? `${lost.length} lost: ${lost[0]}` : '',
    ]),
  );
}

/** Also by itself, from evidence.mjs. */
export function evidenceText(evidence) {
  if (typeof evidence === 'string') return `Not measured: ${evidence}`;
  const { told, untold, deaths, over, idle, strangers, without } = evidence;
  const base = quantile(untold.samples, 0.5);
  const rows = [
    ['with tracefs and the kernel’s log', told],
    ['without', untold],
  ].map(([what, { samples, lost }]) => [
    what,
    samples.length,
    millis(quantile(samples, 0.5)),
    millis(quantile(samples, 0.99)),
    times(quantile(samples, 0.5), base),
    lost.length > 0 ? `${lost.length} lost: ${lost[0]}` : '',
  ]);
  const percent = (value) => `${format(value * 100, 2)} %`;
  return [
    table(['restart after kill -9', 'rounds', 'median ms', 'p99 ms', 'median ×', 'remarks'], rows),
    '',
    `${deaths} processes that it does not follow are killed within ${over / 1000} s: ${percent(strangers)} of one core, ${percent(without)} where it does not listen to signals, ${percent(idle)} when nothing happens.`,
  ].join('\n');
}

function noticesText(notices) {
  if (typeof notices === 'string') return `Not measured: ${notices}`;
  const base = notices[0]?.samples ?? [];
  return table(
    [
      'kill -9 to the first instruction, while',
      'rounds',
      'median ms',
      'p99 ms',
      'median ×',
      'p99 ×',
      'processor ms a death',
      'keeper MiB, before',
      'after',
      'remarks',
    ],
    notices.map(({ what, samples, lost, processor, memory }) => [
      what,
      samples.length,
      millis(quantile(samples, 0.5)),
      millis(quantile(samples, 0.99)),
      times(quantile(samples, 0.5), quantile(base, 0.5)),
      times(quantile(samples, 0.99), quantile(base, 0.99)),
      millis(processor),
      ...memory.map((value) => format(value / 1024, 1)),
      lost.length > 0 ? `${lost.length} lost: ${lost[0]}` : '',
    ]),
  );
}

function awayText({ rows, guard }) {
  const cells = ({ peer, size, problem, untouched, twice, replaced, gone, back }) =>
    problem !== null
      ? [peer.name, size, problem, '', '', '', '']
      : [peer.name, size, untouched, twice, replaced, gone, back.length === 0 ? '–' : millis(quantile(back, 0.5))];
  const text = [
    'Every process of the keeper is killed with -9 at once, and it is started again as before. What its services are 4 s later:',
    '',
    table(
      ['keeper', 'services', 'untouched', 'there twice', 'replaced', 'gone', 'all adopted after ms'],
      [
        ...rows.map(cells),
        ['systemd', '', 'cannot be killed: it is PID 1, and the kernel sends it no SIGKILL', '', '', '', ''],
      ],
    ),
    '',
    'Adopted: from the start of Upkeep’s new keeper until it says that it keeps every one of the same processes; the median of several deaths. The others adopt nothing.',
  ];
  if (guard === null) return text;
  if (guard.problem !== null) return [...text, '', `Not measured under its guard: ${guard.problem}`];
  const { size, started, answered } = guard;
  return [
    ...text,
    '',
    `Under its guard, with ${size} services, ${started.length} deaths: a new keeper’s process after ${millis(quantile(started, 0.5))} ms, its first answer after ${millis(quantile(answered, 0.5))} ms (medians).`,
  ];
}

function couplingText(coupling) {
  if (typeof coupling === 'string') return [`Not measured: ${coupling}`];
  const { size, starts, deaths, waves, core } = coupling;
  const compared = (what, level, layered, remarks) => {
    const base = quantile(level, 0.5);
    const own = quantile(layered, 0.5);
    return [what, level.length, millis(base), millis(own), times(own, base), remarks];
  };
  const head = ['', 'rounds', 'median ms, needing nobody', 'in layers', '×', 'remarks'];
  const lostIn = (lost) => (lost.length > 0 ? `${lost.length} lost: ${lost[0]}` : '');
  const rows = starts.map(({ peer, problem, early, level, layered }) =>
    compared(`${peer.name}: start of all`, level, layered, problem ?? `${early} before what it needs was ready`),
  );
  if (deaths !== undefined && typeof deaths !== 'string') {
    const { level, layered } = deaths;
    const lost = lostIn([...level.lost, ...layered.lost]);
    rows.push(compared('upkeep: kill -9 to the first instruction', level.samples, layered.samples, lost));
  }
  if (core !== undefined) {
    const { level, layered, deaths: count, boots } = core;
    const row = (what, key, rounds) => [
      what,
      rounds,
      ...[level, layered].map((each) => format(each[key] / 1e6, 3)),
      times(layered[key], level[key]),
      '',
    ];
    rows.push(
      row('the core alone: a death until it is ready again', 'death', count),
      row('the core alone: the first step, which is asked for all of them', 'firstStep', boots),
      row('the core alone: all steps until all are ready', 'start', boots),
    );
  }
  const text = [
    `${size} services that say when they are ready (\`ready: {fd: 3}\`; under systemd by sd_notify), in ${LAYERS} layers: each needs three of the layer before. The same services that need nobody stand beside it. Upkeep’s start is over when it says that all are ready, systemd’s with the first instruction of the last.`,
    '',
    table(head, rows),
  ];
  if (waves === undefined || typeof waves === 'string') return text;
  const { samples, lost } = waves;
  const [median, p99, own] = [quantile(samples, 0.5), quantile(samples, 0.99), shareOfKeeper(waves)];
  return [
    ...text,
    '',
    `A ring of two, each ready when it listens on its socket: from kill -9 of the one that needs the other until the keeper says that both are ready again, ${samples.length} waves: median ${millis(median)} ms, p99 ${millis(p99)} ms; without what the programs took from their first instruction until they listened, median ${millis(own)} ms. ${lostIn(lost)}`.trim(),
  ];
}

function steadyText(steady) {
  if (typeof steady === 'string') return `Not measured: ${steady}`;
  return table(
    [`${steady.size} services`, 'longest delay ms', 'p99.9 ms'],
    [
      ['idle', steady.idle],
      ['some die', steady.dying],
    ].map(([what, delay]) => [what, millis(delay.max), millis(delay.p999)]),
  );
}

function crowdText(scale) {
  const rows = scale.filter((row) => row.crowd !== undefined);
  if (rows.length === 0) return [];
  const upkeep = rows.find((row) => row.peer.name === 'upkeep')?.crowd.samples ?? [];
  return [
    `## kill -9 to the first instruction, among ${rows[0].size} services`,
    '',
    table(
      ['keeper', 'rounds', 'median ms', 'p99 ms', 'median ×', 'remarks'],
      rows.map(({ peer, crowd: { samples, lost } }) => [
        peer.name,
        samples.length,
        millis(quantile(samples, 0.5)),
        millis(quantile(samples, 0.99)),
        times(quantile(samples, 0.5), quantile(upkeep, 0.5)),
        lost.length > 0 ? `${lost.length} lost: ${lost[0]}` : '',
      ]),
    ),
    '',
  ];
}

function collectedText(scale) {
  const rows = scale.filter((row) => row.collected !== undefined);
  if (rows.length === 0) return [];
  const [most, before] = [rows.at(-1), rows.at(-2)];
  const each =
    before === undefined
      ? ''
      : ` From ${before.size} to ${most.size} services each takes ${format((most.collected - before.collected) / (most.size - before.size), 1)} KiB.`;
  return [
    `Upkeep after a forced collection: ${rows.map((row) => `N = ${row.size}: ${format(row.collected / 1024, 1)} MiB`).join(', ')}.${each}`,
    '',
  ];
}

function method({ plan, stamp }) {
  const program =
    stamp === 'static'
      ? 'a static C program without libc’s start-up (stamp.c)'
      : 'a Perl script, because there was no C compiler: Perl’s own start is part of every latency, so the ratios are flattered';
  return `## How it was measured

- All of it in one disposable machine (test/support/sandbox.sh): Debian’s packages in an overlay, pm2 from npm, systemd as PID 1 of namespaces of its own with the journal and nothing else.
- The service is ${program}. Its first act is to read CLOCK_MONOTONIC, the killer reads the same clock just before kill(2). It then writes the time into a FIFO and sleeps.
- Latency: each keeper has ${plan.services} services (watched: ${plan.watchedServices}). The keepers take turns in an order shuffled each round. Nothing is killed before it has lived 1.4 s, because runit, s6 and daemontools let a second pass between two starts; a kill of monit’s daemon waits a random part of its second.
- runit, s6 and daemontools are measured twice: with the usual run script in sh, and “direct” with the program as the script’s own interpreter, which saves them the shell. systemd has RestartSec=0 and no start limit; its start of N is measured from \`systemctl start\`, booted and loaded before, the others’ from the start of the keeper. Upkeep, supervisor, pm2 and systemd keep the services’ output as they do by default.
- State and logs lie on an ext4 in memory, runtime directories on a tmpfs, for all alike. The hanging disk is such an ext4 under fsfreeze.
- Memory is Pss of the keeper’s own processes (with runit, s6 and daemontools one small process for each service); of systemd PID 1 alone. The kernel’s own memory for processes and descriptors is in none of the figures.
- Idle: processor time from schedstat and voluntary context switches of all threads, ${plan.settle / 1000} s after the last start (5 s where the keeper is not in JavaScript, whose engine collects garbage until then). Up to 100 services the keepers idle side by side; monit’s scan of all processes sees those of the others then.
`;
}
