// What it costs to know why something died: restart latency of two Upkeeps side by side, one with the kernel's notes of
// signals and its log, one without; and what deaths cost that are none of its business. Not in the sandbox, because the
// notes are the machine's and name its pids: in a mount namespace, with a tmpfs for everything that is written. By itself
// (`node bench/evidence.mjs [--quick]`) it prints its table; run.mjs takes the figures. Needs root.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Contender } from './contender.mjs';
import { measureLatency } from './latency.mjs';
import { upkeep } from './peers/upkeep.mjs';
import { FIFO, RUN, STAMP } from './place.mjs';
import { spent } from './processes.mjs';
import { evidenceText } from './report.mjs';
import { buildStamp, Stamps } from './stamps.mjs';

const SELF = fileURLToPath(import.meta.url);
const DISK = '/run/disk';
const ENTER =
  'mount -t tmpfs -o mode=755 tmpfs /run && { [ -d /sys/kernel/tracing/instances ] || mount -t tracefs tracefs /sys/kernel/tracing; } && exec "$@"';

const FULL = { rounds: 200, services: 10, deaths: 1500, over: 18_000 };
const QUICK = { rounds: 20, services: 4, deaths: 500, over: 6_000 };

const sleep = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

/** Measured by a process of its own. @returns {object | string} figures, or why there are none */
export function evidenceOutside(quick) {
  const inside = spawnSync(
    'unshare',
    ['--mount', '--propagation', 'private', 'sh', '-c', ENTER, 'sh', process.execPath, SELF, 'inside', String(quick)],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  );
  return inside.status === 0 ? JSON.parse(inside.stdout) : `ended with ${inside.status ?? inside.signal}`;
}

async function measure({ rounds, services, deaths, over }) {
  mkdirSync(RUN, { recursive: true });
  const isStatic = buildStamp(STAMP) === 'static';
  const stamps = new Stamps(FIFO);
  const ground = { stamps, isStatic, node: process.execPath };
  const make = (name) => new Contender({ peer: upkeep, kind: 'plain', count: services, name, disk: DISK }, ground);
  const [told, untold] = [make('told'), make('untold')];
  try {
    const problem = (await told.up(60_000)) ?? (await untold.up(60_000, { UPKEEP_WITHOUT: 'tracefs,kmsg' }));
    if (problem !== null) return problem;
    // Whoever kills the same again and again has a fight with Upkeep, which then waits: so it is somebody else each time.
    let kills = 0;
    const phase = () => {
      process.title = `bench-${kills++}`;
      return 0;
    };
    const found = await measureLatency([told, untold], stamps, rounds, { phase });
    await sleep(2_000);
    const idle = await share(told, over, () => Promise.resolve());
    const strangers = await share(told, over, () => strangersDie(deaths, over));
    const without = await share(untold, over, () => strangersDie(deaths, over));
    return { told: found.get(told), untold: found.get(untold), deaths, over, idle, strangers, without };
  } finally {
    await told.down();
    await untold.down();
    stamps.close();
  }
}

/** Of one core, by the keeper, while `action` goes on for `over` milliseconds. */
async function share(contender, over, action) {
  const pids = contender.keeper.processes();
  const before = spent(pids).processor;
  const begun = process.hrtime.bigint();
  await Promise.all([action(), sleep(over)]);
  return (spent(pids).processor - before) / Number(process.hrtime.bigint() - begun);
}

/** So many processes that nobody follows are killed, evenly over the time. */
function strangersDie(deaths, over) {
  const line = `for (1..${deaths}) { my $pid = fork; if (!$pid) { sleep 600; exit } select undef, undef, undef, ${over / deaths / 1000}; kill KILL => $pid; waitpid $pid, 0 }`;
  const killer = spawn('/usr/bin/perl', ['-e', line], { stdio: 'ignore' });
  return new Promise((resolve) => killer.once('exit', resolve));
}

if (process.argv[1] === SELF) {
  if (process.argv[2] === 'inside') {
    const figures = await measure(process.argv[3] === 'true' ? QUICK : FULL);
    process.stdout.write(JSON.stringify(figures), () => process.exit(0));
  } else process.stdout.write(`${evidenceText(evidenceOutside(process.argv.includes('--quick')))}\n`);
}
