// Writes the table of docs/coupling.md anew, as test/root/seed-000-systemd.test.ts finds it: under a real systemd and under a
// real keeper, in the sandbox. Needs root; takes a minute. That test alone says whether the table still holds.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './build.mjs';
import { setup } from './setup.mjs';

const PAGE = join(ROOT, 'docs/coupling.md');
const TABLE = /(?<=<!-- table: .* -->\n\n)[\s\S]*?(?=\n<!-- end of table -->)/;

setup();
const vitest = [process.execPath, join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'root'];
const run = spawnSync(
  join(ROOT, 'test/support/sandbox.sh'),
  ['env', 'NO_COLOR=1', 'UPKEEP_COUPLING_TABLE=print', ...vitest, 'test/root/seed-000-systemd.test.ts'],
  {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, SANDBOX_INSTALL: '' },
  },
);
// Two captions, each with its lines; around them is what the runner says.
const found = run.stdout.match(/^[^|\n]+:\n\n(?:\|.*\n)+\n[^|\n]+:\n\n(?:\|.*\n)+/m);
if (run.status !== 0 || found === null) {
  console.error(run.stdout);
  process.exit(1);
}
const page = readFileSync(PAGE, 'utf8');
if (!TABLE.test(page)) throw new Error(`${PAGE} has no place for the table`);
writeFileSync(
  PAGE,
  page.replace(TABLE, () => found[0]),
);
console.log(found[0]);
