// Runs the simulation from compiled code, without the test runner: thousands of seeds in one process.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build, ROOT } from './build.mjs';
import { setup } from './setup.mjs';

setup();
if (build('simulation') === 'failed') process.exit(1);
const cli = join(ROOT, 'build/test/simulation/cli.js');
const run = spawnSync(process.execPath, [cli, ...process.argv.slice(2)], { cwd: ROOT, stdio: 'inherit' });
process.exitCode = run.status ?? 1;
