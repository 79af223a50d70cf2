// What Upkeep promises (its first issue, "What it must reach"), each held against the figures of this run.
import { shareOfKeeper } from './coupling.mjs';
import { rateOf } from './graceful-report.mjs';
import { shareOf } from './heartbeats.mjs';
import { quantile } from './latency.mjs';

const LAYERED = 1.5;
const WAVE_NS = 20e6;
const SLOPE_KIB = 16;
const HELD_NS = 5_000_000;
const IDLE_NS = 200_000;
/** "Unchanged" and "not slower" within what two runs of the same thing differ by here. */
const NOISE = 1.25;
const SAME_ORDER = 3;
const EVIDENCE_NS = 200_000;
const STRANGERS_SHARE = 0.01;
const ADOPTED_NS = 1e9;
const GUARDED_NS = 20e6;
const ANSWERED_NS = 500e6;
const ASKING_SHARE = 0.1;
const LATE_MS = 50;
const RUNS_AGAIN_S = 15;
const COMMIT_NS = 5e6;
const STATE_MB_S = 150;
const FLOODED_NS = 100e6;

/** @returns {{promise: string, found: string, verdict: 'yes' | 'no' | 'not measured'}[]} */
export function judge(results) {
  return [
    ...latency(results),
    ...watched(results),
    ...frozen(results),
    ...evidence(results),
    ...notices(results),
    ...steady(results),
    ...coupling(results),
    ...heartbeats(results),
    ...graceful(results),
    ...scale(results),
    ...away(results),
  ];
}

function verdict(promise, found, isReached) {
  return { promise, found, verdict: isReached ? 'yes' : '**no**' };
}

function unmeasured(promise) {
  return { promise, found: '', verdict: 'not measured' };
}

const median = (rows, name, kind) => {
  const row = rows?.find((each) => each.peer.name === name && each.kind === kind);
  return row === undefined || row.samples.length === 0 ? null : quantile(row.samples, 0.5);
};
const millis = (value) => `${(value / 1e6).toFixed(2)} ms`;

function latency({ supervised }) {
  const upkeep = median(supervised, 'upkeep', 'plain');
  const rows = [];
  for (const [name, kind, what] of [
    ['runit', 'shell', 'runit’s (run script in sh)'],
    ['runit', 'plain', 'runit’s (no shell)'],
    ['systemd', 'plain', 'systemd’s'],
  ]) {
    const promise = `supervised: median at most half of ${what}`;
    const other = median(supervised, name, kind);
    if (upkeep === null || other === null) rows.push(unmeasured(promise));
    else
      rows.push(
        verdict(promise, `${millis(upkeep)} to ${millis(other)}: ${(upkeep / other).toFixed(2)}`, upkeep <= other / 2),
      );
  }
  const promise = 'with user, limits and no new privileges: not slower than systemd';
  const ours = median(supervised, 'upkeep', 'hardened');
  const theirs = median(supervised, 'systemd', 'hardened');
  if (ours === null || theirs === null) rows.push(unmeasured(promise));
  else rows.push(verdict(promise, `${millis(ours)} to ${millis(theirs)}`, ours <= theirs));
  return rows;
}

function watched({ supervised, watched: rows }) {
  const plain = median(supervised, 'upkeep', 'plain');
  return ['pidFile', 'exe'].map((kind) => {
    const promise = `watched by ${kind === 'exe' ? 'executable' : 'pid file'}: the same order as supervised`;
    const own = median(rows, 'upkeep', kind);
    if (plain === null || own === null) return unmeasured(promise);
    return verdict(
      promise,
      `${millis(own)} to ${millis(plain)}: ${(own / plain).toFixed(2)}`,
      own <= plain * SAME_ORDER,
    );
  });
}

function frozen({ frozen: found }) {
  const promise = 'a state and log disk that hangs leaves restart latency unchanged';
  if (found === undefined || typeof found === 'string') return [unmeasured(promise)];
  const normal = quantile(found.normal.samples, 0.5);
  const hanging = quantile(found.frozen.samples, 0.5);
  return [
    verdict(
      promise,
      `${millis(normal)}, frozen ${millis(hanging)}, ${found.frozen.lost.length} lost`,
      found.frozen.lost.length === 0 && hanging <= normal * NOISE,
    ),
  ];
}

function evidence({ evidence: found }) {
  const later = 'a restart whose death was looked into: at most 0.2 ms later';
  const strangers = '5,000 deaths a minute of others: under 1 % of one core';
  if (found === undefined || typeof found === 'string') return [unmeasured(later), unmeasured(strangers)];
  const [told, untold] = [found.told, found.untold].map(({ samples }) => quantile(samples, 0.5));
  const share = found.strangers;
  return [
    verdict(later, `${millis(told)} to ${millis(untold)}`, told - untold <= EVIDENCE_NS),
    verdict(strangers, `${(share * 100).toFixed(2)} %`, share < STRANGERS_SHARE),
  ];
}

function notices({ notices: found }) {
  const promises = [
    'a mail server, a webhook and a program that hang leave restart latency unchanged',
    'the same with a full disk',
  ];
  if (found === undefined || typeof found === 'string') return promises.map(unmeasured);
  const [silent, ...told] = found.map(({ samples }) => quantile(samples, 0.5));
  return promises.map((promise, index) => {
    const { lost } = found[index + 1];
    const text = `${millis(told[index])} to ${millis(silent)}, ${lost.length} lost`;
    return verdict(promise, text, lost.length === 0 && told[index] <= silent * NOISE);
  });
}

function steady({ steady: found }) {
  const promise = 'the loop is never held over 5 ms in the steady state';
  if (found === undefined || typeof found === 'string') return [unmeasured(promise)];
  const longest = Math.max(found.idle.max, found.dying.max);
  const text = `idle ${millis(found.idle.max)}, while services die ${millis(found.dying.max)}`;
  return [verdict(promise, text, longest <= HELD_NS)];
}

function coupling({ coupling: found }) {
  const size = found?.size ?? 1000;
  const promises = [
    `${size} services in layers start in at most ${LAYERED} times the time without, and in their order`,
    'a death among them costs the same as without a graph',
    'a wave over a ring of two: under 20 ms beside the programs’ own start',
  ];
  const start = found?.starts?.find(({ peer, problem }) => peer.name === 'upkeep' && problem === null);
  if (start === undefined) return promises.map(unmeasured);
  const { deaths, waves } = found;
  const [level, layered] = [start.level, start.layered].map((samples) => quantile(samples, 0.5));
  const text = `${millis(layered)} to ${millis(level)}: ${(layered / level).toFixed(2)}, ${start.early} too early`;
  return [
    verdict(promises[0], text, layered <= level * LAYERED && start.early === 0),
    typeof deaths === 'string' ? unmeasured(promises[1]) : sameDeath(promises[1], deaths),
    typeof waves === 'string' ? unmeasured(promises[2]) : shortWave(promises[2], waves),
  ];
}

function sameDeath(promise, { level, layered }) {
  const [without, within] = [level, layered].map(({ samples }) => quantile(samples, 0.5));
  const text = `${millis(within)} to ${millis(without)}: ${(within / without).toFixed(2)}, ${layered.lost.length} lost`;
  return verdict(promise, text, layered.lost.length === 0 && within <= without * NOISE);
}

function shortWave(promise, waves) {
  const median = shareOfKeeper(waves);
  return verdict(promise, `${millis(median)}, ${waves.lost.length} lost`, waves.lost.length === 0 && median < WAVE_NS);
}

function heartbeats({ heartbeats: found }) {
  const size = found?.size ?? 1000;
  const promises = [
    `${size} HTTP heartbeats every 10 s: under 10 % of one core for keeper and askers together`,
    'no question is delayed by others that hang: p99 of the start delay under 50 ms',
    'after 10,000 questions the keeper has the descriptors and the memory that it had',
    'what is stopped (`every: 5s, timeout: 2s, fails: 2 in a row, stop: {wait: 1s}`) runs again within 15 s at the worst',
  ];
  const row = (name) => found?.rows.find((one) => one.name === name && one.problem === null);
  const [asked, hanging] = ['asked', 'hanging'].map(row);
  return [
    asked === undefined ? unmeasured(promises[0]) : cheap(promises[0], asked),
    asked === undefined || hanging === undefined ? unmeasured(promises[1]) : onTime(promises[1], asked, hanging),
    asked === undefined ? unmeasured(promises[2]) : asItWas(promises[2], asked),
    !found?.frozen || found.frozen.problem !== null ? unmeasured(promises[3]) : healed(promises[3], found.frozen),
  ];
}

function cheap(promise, asked) {
  const share = shareOf(asked);
  return verdict(promise, `${(share * 100).toFixed(2)} %`, share < ASKING_SHARE);
}

function onTime(promise, asked, hanging) {
  const [without, among] = [asked, hanging].map(({ delay }) => delay.p99);
  const text = `${among.toFixed(1)} ms; ${without.toFixed(1)} ms where none hangs; a timer of an idle process ${hanging.idle.p99.toFixed(1)} ms`;
  return verdict(promise, text, among < LATE_MS);
}

function asItWas(promise, { holds, questions }) {
  const [before, after] = holds.map(({ keeper }) => keeper);
  const mebibytes = ({ memory }) => (memory / 1024).toFixed(1);
  const text = `${before.descriptors} descriptors, then ${after.descriptors}; ${mebibytes(before)} MiB, then ${mebibytes(after)}; ${questions} questions`;
  return verdict(promise, text, after.descriptors === before.descriptors && after.memory <= before.memory * 1.05);
}

function healed(promise, { samples, lost }) {
  const worst = Math.max(...samples);
  const text = `${worst.toFixed(1)} s at the worst of ${samples.length}, ${lost.length} lost`;
  return verdict(promise, text, lost.length === 0 && worst < RUNS_AGAIN_S);
}

function graceful({ graceful: found }) {
  const measured = (part) => part !== undefined && part !== null && part.problem === null;
  const [bytes, count] = [found?.states?.[0]?.bytes ?? 100e6, found?.flood ?? 20_000];
  const promises = [
    'restarts with overlap under load: no request lost or refused',
    'their p99 is lower than every peer’s',
    'READY=1 to `accept`: under 5 ms',
    `${bytes / 1e6} MB of state, digest checked: over ${STATE_MB_S} MB/s`,
    'a refused one leaves the old one serving with no request lost',
    `${count} STATUS of one service delay another’s READY=1 by less than 100 ms`,
  ];
  const overlap = found?.restarts.find(({ name }) => name === 'upkeep, overlap');
  const [state, refused, flood] = [found?.states?.[0], found?.refused, found?.flooded];
  const commits = found?.commits?.filter(measured) ?? [];
  return [
    measured(overlap) ? noneLost(promises[0], overlap) : unmeasured(promises[0]),
    measured(overlap) ? lowest(promises[1], overlap, found.restarts.filter(measured)) : unmeasured(promises[1]),
    commits.length > 0 ? soon(promises[2], commits) : unmeasured(promises[2]),
    measured(state) && state.took.length > 0 ? fast(promises[3], state) : unmeasured(promises[3]),
    measured(refused) ? noneLost(promises[4], refused) : unmeasured(promises[4]),
    measured(flood) && flood.during.length > 0 ? undelayed(promises[5], flood) : unmeasured(promises[5]),
  ];
}

function noneLost(promise, { rounds, failed, answered, lost, refused }) {
  const text = `${rounds} restarts, ${failed.length} failed; ${answered} answered, ${lost} lost, ${refused} refused`;
  return verdict(promise, text, lost + refused + failed.length === 0);
}

function lowest(promise, overlap, rows) {
  const peers = rows.filter(({ name }) => !name.startsWith('upkeep'));
  if (peers.length === 0) return unmeasured(promise);
  const text = [overlap, ...peers].map(({ name, p99 }) => `${name} ${p99.toFixed(1)} ms`).join('; ');
  return verdict(
    promise,
    text,
    peers.every(({ p99 }) => overlap.p99 < p99),
  );
}

function soon(promise, commits) {
  const medians = commits.map(({ keeper }) => quantile(keeper, 0.5));
  const text = commits.map(({ way }, index) => `by ${way} ${millis(medians[index])}`).join(', ');
  return verdict(
    promise,
    `${text} (medians)`,
    medians.every((median) => median < COMMIT_NS),
  );
}

function fast(promise, { bytes, took, failed }) {
  const rate = rateOf(bytes, quantile(took, 0.5));
  return verdict(promise, `${rate.toFixed(0)} MB/s (median)`, rate > STATE_MB_S && failed.length === 0);
}

function undelayed(promise, { calm, during }) {
  const [without, within] = [calm, during].map((samples) => Math.max(...samples));
  return verdict(promise, `${millis(within)} at the worst; ${millis(without)} without`, within - without < FLOODED_NS);
}

function away({ away: found }) {
  const rows = [];
  const largest = found?.rows.filter(({ peer }) => peer.name === 'upkeep').at(-1);
  const adopted = `killed with ${largest?.size ?? 1000} services: all untouched, adopted within 1 s of the new start`;
  if (largest === undefined || largest.problem !== null) rows.push(unmeasured(adopted));
  else {
    const median = quantile(largest.back, 0.5);
    const isReached = largest.untouched === largest.size && median <= ADOPTED_NS;
    rows.push(verdict(adopted, `${largest.untouched} untouched, ${millis(median)}`, isReached));
  }
  if (found === undefined || found.guard === null || found.guard.problem !== null) return rows;
  const started = quantile(found.guard.started, 0.5);
  const answered = quantile(found.guard.answered, 0.5);
  return [
    ...rows,
    verdict('the guard has started a new keeper within 20 ms', millis(started), started <= GUARDED_NS),
    verdict(`which answers within 500 ms with ${found.guard.size} services`, millis(answered), answered <= ANSWERED_NS),
  ];
}

function scale({ scale: rows, plan }) {
  const most = plan.sizes.at(-1);
  const least = plan.sizes[0];
  const find = (name, size) => rows?.find((row) => row.peer.name === name && row.size === size);
  const all = find('upkeep', most);
  const one = find('upkeep', least);
  const out = [];

  for (const name of ['supervisor', 'pm2', 'runit']) {
    const promise = `${most} services start faster than under ${name}`;
    const other = find(name, most);
    if (all === undefined || other === undefined) out.push(unmeasured(promise));
    else {
      const theirs = other.problem ?? millis(other.start);
      const isFaster = all.problem === null && (other.problem !== null || all.start < other.start);
      out.push(verdict(promise, `${all.problem ?? millis(all.start)} to ${theirs}`, isFaster));
    }
  }

  const memory = `a service costs at most ${SLOPE_KIB} KiB, after a collection`;
  if (all?.collected === undefined || one?.collected === undefined || all.problem !== null)
    out.push(unmeasured(memory));
  else {
    const slope = (all.collected - one.collected) / (most - least);
    out.push(verdict(memory, `${slope.toFixed(1)} KiB`, slope <= SLOPE_KIB));
  }

  const processor = `idle with ${most} services: under 0.2 ms of processor time a second`;
  const wakeups = `idle with ${most} services: no wake-up that nothing caused`;
  if (all === undefined || all.problem !== null) out.push(unmeasured(processor), unmeasured(wakeups));
  else {
    out.push(verdict(processor, `${(all.processor / 1e6).toFixed(3)} ms`, all.processor < IDLE_NS));
    // Less than one in two seconds: what remains are the runtime's own rare timers.
    out.push(verdict(wakeups, `${all.wakeups.toFixed(2)} a second`, all.wakeups < 0.5));
  }
  return out;
}
