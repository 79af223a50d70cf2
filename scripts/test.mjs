// `npm test`: makes the checkout ready, runs each kind of test in a vitest of its own, and ends with
// one line, `N passed, N failed, N skipped`, that counts them all. A run that crashed, or that found
// nothing to run, is a failure and never silence.
import { spawnSync } from 'node:child_process';
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
  { name: 'contract', folders: ['test/contracts'], options: ['--maxWorkers=2'] },
  { name: 'system', folders: ['test/system'], options: ['--maxWorkers=2'] },
  // Daemons with fixed ports and one init system between them: one file at a time.
  { name: 'root', folders: ['test/root'], options: ['--no-file-parallelism'] },
];

const names = new Set(KINDS.map((kind) => kind.name));
const chosen = process.argv.slice(2).filter((argument) => names.has(argument));
const filters = process.argv.slice(2).filter((argument) => !names.has(argument));
const isWhole = chosen.length === 0 && filters.length === 0;

const total = { passed: 0, failed: 0, skipped: 0 };
const remarks = [];

setup();
const reports = mkdtempSync(join(tmpdir(), 'upkeep-test-'));
try {
  for (const kind of KINDS) {
    if (chosen.length === 0 || chosen.includes(kind.name)) runKind(kind);
  }
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

function runKind(kind) {
  const files = kind.folders.flatMap(filesUnder).filter((file) => file.endsWith('.test.ts'));
  if (files.length === 0) {
    if (!isWhole && !chosen.includes(kind.name)) return;
    return fail(`${kind.name}: there are no tests in ${kind.folders.join(', ')}`);
  }
  const paths = filters.filter((argument) => !argument.startsWith('-'));
  if (paths.length > 0 && !files.some((file) => paths.some((path) => file.includes(path.replace(/^\.\//, ''))))) return;
  console.log(`\n── ${kind.name} ──`);
  if (kind.name === 'root' && process.env.UPKEEP_TEST_ROOT !== '1') return skipRoot();
  const report = join(reports, `${kind.name}.json`);
  const isBoxed = kind.name === 'root';
  // Nothing written inside the sandbox outlives it, but a descriptor opened out here leads out.
  const outlet = isBoxed ? openSync(report, 'w') : 'ignore';
  const vitest = [VITEST, 'run', '--project', kind.name, ...kind.options, '--reporter=default', '--reporter=json'];
  const command = [process.execPath, ...vitest, `--outputFile.json=${isBoxed ? '/dev/fd/3' : report}`, ...filters];
  if (isBoxed) command.unshift(join(ROOT, 'test/support/sandbox.sh'));
  const run = spawnSync(command[0], command.slice(1), {
    cwd: ROOT,
    stdio: ['inherit', 'inherit', 'inherit', outlet],
    timeout: LONGEST_RUN_MS,
  });
  if (isBoxed) closeSync(outlet);
  count(kind, run, report);
}

function count(kind, run, report) {
  if (run.error) return fail(`${kind.name}: ${run.error.message}`);
  const how = run.signal === null ? `exit ${run.status}` : run.signal;
  if (!existsSync(report) || statSync(report).size === 0)
    return fail(`${kind.name}: the run ended (${how}) without a report`);
  const result = JSON.parse(readFileSync(report, 'utf8'));
  // A file that breaks while it is loaded has no failed test of its own.
  const broken = result.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  for (const file of broken) remarks.push(`${kind.name}: ${file.name} could not be run as a whole`);
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
    fail(`${kind.name}: no test failed, yet the run did (${how}); see its output above`);
  if (result.numTotalTests === 0 && broken.length === 0) fail(`${kind.name}: the run found no tests`);
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
    return fail(`root: the tests could not be listed: ${run.stderr}`);
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
