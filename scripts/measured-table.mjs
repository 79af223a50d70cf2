// Writes a table of a page of docs/ anew, as a test of test/root finds it in the sandbox. Needs root; takes a minute. The test alone
// says whether the table still holds.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './build.mjs';
import { setup } from './setup.mjs';

const TABLE = /(?<=<!-- table: .* -->\n\n)[\s\S]*?(?=\n<!-- end of table -->)/;

// Two captions, each with its lines; around them is what the runner says.
const PRINTED = /^[^|\n]+:\n\n(?:\|.*\n)+\n[^|\n]+:\n\n(?:\|.*\n)+/m;

/** @param variable tells the test to print its table, whatever the page says */
export function rewrite({ page, test, variable }) {
  setup();
  const vitest = [process.execPath, join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'root'];
  const run = spawnSync(
    join(ROOT, 'test/support/sandbox.sh'),
    ['env', 'NO_COLOR=1', `${variable}=print`, ...vitest, join('test/root', test)],
    {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, SANDBOX_INSTALL: '' },
    },
  );
  const found = run.stdout.match(PRINTED);
  if (run.status !== 0 || found === null) {
    console.error(run.stdout);
    process.exit(1);
  }
  const file = join(ROOT, 'docs', page);
  const text = readFileSync(file, 'utf8');
  if (!TABLE.test(text)) throw new Error(`${file} has no place for the table`);
  writeFileSync(
    file,
    text.replace(TABLE, () => found[0]),
  );
  console.log(found[0]);
}
