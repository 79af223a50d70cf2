// `npm run lint`: every guard, each told by name; all are run, so that one run shows everything.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './build.mjs';

const bin = (name) => join(ROOT, 'node_modules/.bin', name);

const GUARDS = {
  'format and style (biome)': [bin('biome'), 'check', '--error-on-warnings'],
  'types (tsc)': [bin('tsc'), '-p', 'tsconfig.json'],
  'types of core, without Node (tsc)': [bin('tsc'), '-p', 'src/core'],
  'promises and switches (oxlint)': [bin('oxlint'), '--type-aware', '--deny-warnings'],
  'floors and cycles (dependency-cruiser)': [process.execPath, 'scripts/check-floors.mjs'],
  'house rules': [process.execPath, 'scripts/check-house.mjs'],
  'dead code (knip)': [bin('knip'), '--no-progress'],
};

const failed = [];
for (const [name, [command, ...args]] of Object.entries(GUARDS)) {
  console.log(`── ${name}`);
  const { status, error } = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit' });
  if (error) console.error(error.message);
  if (status !== 0) failed.push(name);
}
if (failed.length > 0) console.error(`\nlint: failed: ${failed.join('; ')}`);
else console.log('\nlint: all guards are content');
process.exitCode = failed.length === 0 ? 0 : 1;
