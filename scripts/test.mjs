// `npm test`: makes the checkout ready, runs each kind of test in a vitest of its own, and ends with
// one line, `N passed, N failed, N skipped`, that counts them all. A run that crashed, or that found
// nothing to run, is a failure and never silence.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { filesUnder, ROOT } from './build.mjs';
import { setup } from './setup.mjs';

const VITEST = join(ROOT, 'node_modules/vitest/vitest.mjs');

// Deadline of one kind as a whole: a test that hangs in native code is beyond vitest's own timeouts.
const LONGEST_RUN_MS = 30 * 60_000;

const UNITS = ['src', 'test/scenarios'];
const KINDS = [
  { name: 'unit', folders: UNITS, options: [] },
  { name: 'simulation', folders: ['test/simulation'], options: [] },
  { name: 'client', folders: ['clients/node/src', 'clients/node/test'], options: ['--maxWorkers=2'] },
  { name: 'contract', folders: ['test/contracts'], options: ['--maxWorkers=2'] },
  { name: 'system', folders: ['test/system'], options: ['--maxWorkers=2'] },
  // Daemons with fixed ports and one init system between them: one file at a time in each sandbox.
  { name: 'root', folders: ['test/root'], options: ['--no-file-parallelism'] },
];

/**
 * Of test/root: these wait for minutes of cron or until systemd has lost its patience, and hardly work; they go beside all other
 * kinds. With them whoever mounts the older memory hierarchy: it is one for the machine, and no sandbox has its own.
 */
const PATIENT = ['installs-cron', 'installs-systemd', 'seed-001-once', 'seed-002-keeper', 'keeper-oom', 'why'].map(
  (name) => `test/root/${name}.test.ts`,
);

const names = new Set(KINDS.map((kind) => kind.name));
const chosen = process.argv.slice(2).filter((argument) => names.has(argument));
const filters = process.argv.slice(2).filter((argument) => !names.has(argument));
const isWhole = chosen.length === 0 && filters.length === 0;
// Options of vitest come last, and some have a word of their own behind them.
const options = filters.findIndex((argument) => argument.startsWith('-'));
const paths = filters.slice(0, options === -1 ? filters.length : options).map((path) => path.replace(/^\.\//, ''));

const total = { passed: 0, failed: 0, skipped: 0 };
const remarks = [];

setup();
const reports = mkdtempSync(join(tmpdir(), 'upkeep-test-'));
try {
  const runs = KINDS.filter(({ name }) => chosen.length === 0 || chosen.includes(name)).flatMap(runsOf);
  // All sandboxes are furnished meanwhile; those that work wait for the word.
  const patient = runs.filter(({ pace }) => pace === 'patient').map(begin);
  const together = runs.filter(({ pace }) => pace === 'together').map(begin);
  for (const run of runs.filter(({ pace }) => pace === 'alone')) await end(begin(run));
  for (const { go } of together) go();
  for (const run of [...together, ...patient]) await end(run);
} finally {
  rmSync(reports, { recursive: true, force: true });
}
if (total.passed + total.failed === 0) {
  remarks.push('no test has run');
  total.failed += total.failed === 0 ? 1 : 0;
}
console.log('');
for (const remark of remarks) console.log(remark);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed === 0 ? 0 : 1;

/** The runs of vitest that a kind takes. */
function runsOf(kind) {
  const files = kind.folders.flatMap(filesUnder).filter((file) => file.endsWith('.test.ts'));
  if (files.length === 0) {
    if (isWhole || chosen.includes(kind.name)) fail(`${kind.name}: there are no tests in ${kind.folders.join(', ')}`);
    return [];
  }
  const wanted = files.filter((file) => paths.length === 0 || paths.some((path) => file.includes(path)));
  if (wanted.length === 0) return [];
  if (kind.name !== 'root') return [{ kind, title: kind.name, pace: 'alone', without: [] }];
  if (process.env.UPKEEP_TEST_ROOT !== '1') {
    skipRoot();
    return [];
  }
  return sandboxes(kind, files, wanted);
}

/** Each has a machine of its own: the patient ones one, and two have the others dealt out between them. */
function sandboxes(kind, files, wanted) {
  const others = wanted.filter((file) => !PATIENT.includes(file));
  const hands = [
    { pace: 'patient', hand: wanted.filter((file) => PATIENT.includes(file)) },
    { pace: 'together', hand: others.filter((_, index) => index % 2 === 0) },
    { pace: 'together', hand: others.filter((_, index) => index % 2 === 1) },
  ].filter(({ hand }) => hand.length > 0);
  return hands.map(({ pace, hand }, index) => ({
    kind,
    title: `root, sandbox ${index + 1} of ${hands.length}`,
    pace: hands.length === 1 ? 'alone' : pace,
    without: files.filter((file) => !hand.includes(file)),
  }));
}

/** Starts it. What goes beside others is shown when it is its turn. */
function begin({ kind, title, pace, without }) {
  const report = join(reports, `${title}.json`);
  const isBoxed = kind.name === 'root';
  // Nothing written inside the sandbox outlives it, but a descriptor opened out here leads out.
  const outlet = isBoxed ? openSync(report, 'w') : 'ignore';
  const shown = pace === 'alone' ? null : join(reports, `${title}.txt`);
  const output = shown === null ? 'inherit' : openSync(shown, 'w');
  const vitest = [VITEST, 'run', '--project', kind.name, ...kind.options, '--reporter=default', '--reporter=json'];
  const excluded = without.map((file) => `--exclude=${file}`);
  const target = `--outputFile.json=${isBoxed ? '/dev/fd/3' : report}`;
  // The library works on more versions of Node than one; UPKEEP_TEST_NODE is the path of another.
  const node = kind.name === 'client' ? (process.env.UPKEEP_TEST_NODE ?? process.execPath) : process.execPath;
  const command = [node, ...vitest, ...excluded, target, ...filters];
  if (pace === 'together') command.unshift('/bin/sh', '-c', 'read -r word && exec "$@"', 'sh');
  if (isBoxed) command.unshift(join(ROOT, 'test/support/sandbox.sh'));
  if (shown === null) console.log(`\n── ${title} ──`);
  const input = { alone: 'inherit', patient: 'ignore', together: 'pipe' }[pace];
  const [program, ...args] = command;
  const child = spawn(program, args, { cwd: ROOT, stdio: [input, output, output, outlet], timeout: LONGEST_RUN_MS });
  for (const fd of [output, outlet]) if (typeof fd === 'number') closeSync(fd);
  // It may have ended, and says why by that.
  child.stdin?.on('error', () => {});
  return { title, shown, report, ended: endOf(child), go: () => child.stdin?.end('go\n') };
}

/** What came of it, never a rejection. */
function endOf(child) {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ error, status: null, signal: null }));
    child.once('exit', (status, signal) => resolve({ status, signal }));
  });
}

async function end({ title, shown, report, ended }) {
  const run = await ended;
  if (shown !== null) console.log(`\n── ${title} ──\n${readFileSync(shown, 'utf8')}`);
  count(title, run, report);
}

function count(title, run, report) {
  if (run.error) return fail(`${title}: ${run.error.message}`);
  const how = run.signal === null ? `exit ${run.status}` : run.signal;
  if (!existsSync(report) || statSync(report).size === 0)
    return fail(`${title}: the run ended (${how}) without a report`);
  const result = JSON.parse(readFileSync(report, 'utf8'));
  // A file that breaks while it is loaded has no failed test of its own.
  const broken = result.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  for (const file of broken) remarks.push(`${title}: ${file.name} could not be run as a whole`);
  // Once more at the end, where they are found among some thousand lines.
  for (const file of result.testResults) {
    const name = relative(ROOT, file.name);
    for (const test of file.assertionResults) {
      if (test.status === 'failed') remarks.push(`failed: ${name} > ${test.fullName}\n  ${firstWords(test, 8)}`);
      else if (test.failureMessages.length > 0)
        remarks.unshift(`passed when tried again: ${name} > ${test.fullName}\n  ${firstWords(test, 2)}`);
    }
  }
  const failed = result.numFailedTests + broken.length;
  total.passed += result.numPassedTests;
  total.failed += failed;
  total.skipped += result.numTotalTests - result.numPassedTests - result.numFailedTests;
  if (run.status !== 0 && failed === 0)
    fail(`${title}: no test failed, yet the run did (${how}); see its output above`);
  if (result.numTotalTests === 0 && broken.length === 0) fail(`${title}: the run found no tests`);
}

/** What it said when it failed first, without the runner's own frames. */
function firstWords({ failureMessages }, lines) {
  const said = (failureMessages[0] ?? '').split('\n').filter((line) => !line.includes('node_modules'));
  return said.slice(0, lines).join('\n  ');
}

/** Says loudly what is not run, and counts it. */
function skipRoot() {
  const list = join(reports, 'root.json');
  const run = spawnSync(process.execPath, [VITEST, 'list', '--project', 'root', `--json=${list}`], { cwd: ROOT });
  if (run.status !== 0 || !existsSync(list)) {
    return fail(`root: the tests could not be listed: ${String(run.stderr)}`);
  }
  const number = JSON.parse(readFileSync(list, 'utf8')).length;
  total.skipped += number;
  remarks.push(
    `${number} tests with real daemons were NOT run: they need root and a sandbox. Run them with UPKEEP_TEST_ROOT=1 npm test`,
  );
}

function fail(remark) {
  remarks.push(remark);
  total.failed += 1;
}
