// The history alone, in a thread of its own as in the keeper: 100,000 entries, and how long the newest 50 take, plain and with
// filters; how long an append takes, also while the file shrinks. `node bench/history.mjs`, after a build. Prints; compares nothing.

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const ENTRIES = 100_000;
const SERVICES = 40;
const DAY = 86_400_000;

if (isMainThread) {
  const directory = mkdtempSync(join(tmpdir(), 'upkeep-bench-history-'));
  const worker = new Worker(new URL(import.meta.url), {
    workerData: join(directory, 'history.db'),
    resourceLimits: { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 128 },
  });
  worker.on('message', (line) => console.log(line));
  worker.on('exit', (code) => {
    rmSync(directory, { recursive: true, force: true });
    process.exitCode = code;
  });
} else {
  await measure(workerData);
}

async function measure(path) {
  const { History } = await import('../dist/history/history.js');
  const { findSqlite } = await import('../dist/history/sqlite.js');
  const { defaultBounds } = await import('../dist/history/prune.js');
  const say = (line) => parentPort?.postMessage(line);
  const sqlite = findSqlite();
  if (sqlite === null) throw new Error('there is no SQLite here');
  const now = Date.now();
  const bounds = { ...defaultBounds, bytes: 256 * 2 ** 20 };
  const history = new History({ path, sqlite, bounds, now: () => now, say });
  const began = performance.now();
  for (let number = 0; number < ENTRIES; number += 100)
    history.append(Array.from({ length: 100 }, (_, index) => entryOf(number + index, now)));
  const size = (statSync(path).size / 2 ** 20).toFixed(1);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  say(`${ENTRIES} entries with ${sqlite.name} in ${seconds} s, ${size} MiB`);

  const question = { services: [], since: null, until: null, what: [], incident: null, by: null };
  const newest = { ...question, level: 'info', most: 50, before: null, after: null };
  const ask = (name, more) => report(say, name, 200, () => history.ask({ ...newest, ...more }));
  ask('the newest 50', {});
  ask('the newest 50 of all levels', { level: 'debug' });
  ask('of one service', { services: ['service-7'] });
  ask('of a glob', { services: ['service-1*'] });
  ask('of a name that is not there', { services: ['nobody'] });
  ask('that alice asked for', { by: 'alice' });
  ask('errors alone, of which there are 5', { level: 'error' });
  ask('from half the time on', { since: now - 40 * DAY });
  report(say, 'appending one', 200, (time) => history.append([entryOf(ENTRIES + time, now)]));
  history.close();

  const full = new History({ path, sqlite, bounds: defaultBounds, now: () => now, say });
  report(say, 'appending one while the file shrinks to its bounds', 400, (time) =>
    full.append([entryOf(2 * ENTRIES + time, now)]),
  );
  full.close();
  say(`${(statSync(path).size / 2 ** 20).toFixed(1)} MiB afterwards`);
}

function report(say, name, times, work) {
  const took = Array.from({ length: times }, (_, time) => {
    const began = performance.now();
    work(time);
    return performance.now() - began;
  }).sort((a, b) => a - b);
  const at = (share) => took[Math.min(times - 1, Math.floor(times * share))]?.toFixed(2);
  say(`${name}: median ${at(0.5)} ms, 99 of 100 within ${at(0.99)} ms, at most ${at(1)} ms`);
}

function entryOf(number, now) {
  const service = `service-${number % SERVICES}`;
  const time = now - 80 * DAY + (80 * DAY * number) / ENTRIES;
  const level = number % 20_000 === 0 ? 'error' : number % 2 === 0 ? 'debug' : 'warning';
  const by = { pid: 4711, name: 'upkeep', uid: 1000, user: number % 5000 === 1 ? 'alice' : 'bob', grade: 'seen' };
  const what = { type: 'asked', verb: 'restart', by, reason: 'a new certificate' };
  const change = { service, time, generation: 7, from: 'running', to: 'starting', what };
  const none = { description: 'A service of the bench', runbook: null, hold: 'no', window: 1, total: 12 };
  const line = `restart by ${by.user}: a new certificate`;
  const about = {
    ...none,
    kind: 'supervised',
    tags: [],
    desired: 'up',
    incident: null,
    healthyAfter: 30_000,
    line,
    level,
  };
  const output = number % 4 === 0 ? ['listening on 0.0.0.0:80', 'GET / 200', 'GET /favicon.ico 404'] : null;
  return { origin: 'aaaaaaaaaaaa', number, time, at: number, news: { of: 'service', change, about }, output };
}
