// Others that ask a thousand URLs: Monit, a loop of fetch as Gatus does it in its own language, and a loop of curl. Each is started,
// asks for a while, and is ended; the answer is the processor time of all that it was, in nanoseconds, over how many seconds.
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makePlace } from './place.mjs';
import { spent } from './processes.mjs';
import { end, findProgram, launch } from './programs.mjs';

const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis));
const POLLING = join(dirname(fileURLToPath(import.meta.url)), 'heartbeat-polling.mjs');
/** Enough that none waits for one that the machine starts slowly. */
const CURLS_AT_ONCE = 8;
const TICKS_PER_SECOND = 100;

export const ASKERS = [
  {
    name: 'monit',
    what: '`check host … if failed port … protocol http`, `set daemon 10`',
    missing: () => (findProgram('/usr/bin/monit') ? null : 'monit is not installed'),
    ask: (urls, times) => whileItRuns(monit(urls, times.every), times),
  },
  {
    name: 'polling',
    what: 'a timer and a fetch for each URL, in Node',
    missing: () => null,
    ask: (urls, times) => {
      const { every, node } = times;
      const { disk } = makePlace('polling', node);
      writeFileSync(join(disk, 'urls'), JSON.stringify({ urls, every }));
      return whileItRuns([node, POLLING, join(disk, 'urls')], times);
    },
  },
  {
    name: 'curl',
    what: `a process for each question, ${CURLS_AT_ONCE} at once (\`xargs -P\`)`,
    missing: () => (findProgram('/usr/bin/curl') ? null : 'curl is not installed'),
    ask: curls,
  },
];

function monit(urls, every) {
  const { disk, run } = makePlace('monit-asks', null);
  const file = join(disk, 'monitrc');
  const checks = urls.map((url, index) => {
    const { hostname, port, pathname } = new URL(url);
    return `check host asked-${index} with address ${hostname}\n  if failed port ${port} protocol http request "${pathname}" with timeout 5 seconds then alert\n`;
  });
  const own = ['log', 'pidfile', 'idfile', 'statefile'].map((what) => `set ${what} ${join(run, `monit-asks.${what}`)}`);
  writeFileSync(file, [`set daemon ${every / 1000}`, ...own, '', ...checks].join('\n'));
  chmodSync(file, 0o600);
  return ['monit', '-I', '-c', file];
}

/** `settle`: what a process takes that has only begun is not what it takes; JavaScript is compiled meanwhile. */
async function whileItRuns(argv, { settle, window, settled }) {
  const child = launch(argv, '/run/bench/asks.log');
  try {
    await sleep(settle);
    if (child.exitCode !== null) throw new Error(readFileSync('/run/bench/asks.log', 'utf8').trim().split('\n').at(-1));
    await settled();
    const [before, begun] = [spent([child.pid]).processor, performance.now()];
    await sleep(window);
    const seconds = (performance.now() - begun) / 1000;
    return { processor: spent([child.pid]).processor - before, seconds };
  } finally {
    await end(child, 'SIGTERM');
  }
}

/** As many rounds as the window has, each begun on its time where the one before is over by then. */
async function curls(urls, { every, window, settled }) {
  const { disk } = makePlace('curls', null);
  writeFileSync(join(disk, 'urls'), `${urls.join('\n')}\n`);
  const rounds = Math.max(1, Math.round(window / every));
  const script = `for round in $(seq ${rounds}); do
    sleep ${every / 1000} & xargs -P ${CURLS_AT_ONCE} -n 1 curl -s -o /dev/null -m 5 <"$1"; wait
  done`;
  await settled();
  const [before, begun] = [endedChildren(), performance.now()];
  const child = launch(['sh', '-c', script, 'sh', join(disk, 'urls')], '/run/bench/asks.log');
  await new Promise((resolve) => child.once('exit', resolve));
  return { processor: endedChildren() - before, seconds: (performance.now() - begun) / 1000 };
}

/** Processor time of all children of the bench that have ended, and of theirs. */
function endedChildren() {
  const fields = readFileSync('/proc/self/stat', 'utf8').replace(/^.*\)/s, '').trim().split(' ');
  return ((Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND) * 1e9;
}
