// The kernel layer as an ordinary user has it, who is most users: the same suites once more, as nobody. An ordinary
// user's own run of the tests needs no such second one.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const NOBODY = ['--reuid=65534', '--regid=65534', '--clear-groups'];
const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
const suites = ['kernel-launch', 'kernel-rest', 'kernel-endurance', 'kernel-sockets'].map(
  (name) => `test/contracts/${name}.test.ts`,
);

const asNobody = (command: string, ...args: readonly string[]) =>
  spawnSync('setpriv', [...NOBODY, command, ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: '/tmp' },
  });
const canRead = process.geteuid?.() === 0 && asNobody('test', '-r', vitest).status === 0;

it.skipIf(!canRead)('an ordinary user’s kernel layer does all that needs no root', { timeout: 300_000 }, () => {
  // The runner loads its configuration without a temporary file: nobody may write here.
  const run = asNobody(
    process.execPath,
    vitest,
    'run',
    '--configLoader=runner',
    '--project=contract',
    '--reporter=json',
    ...suites,
  );
  const { success, numPassedTests, testResults } = JSON.parse(run.stdout.slice(run.stdout.indexOf('{'))) as {
    readonly success: boolean;
    readonly numPassedTests: number;
    readonly testResults: readonly {
      readonly assertionResults: readonly { readonly status: string; readonly title: string }[];
    }[];
  };
  const failed = testResults.flatMap((file) => file.assertionResults.filter(({ status }) => status === 'failed'));
  expect(failed.map(({ title }) => title)).toEqual([]);
  expect([success, numPassedTests > 50]).toEqual([true, true]);
});
