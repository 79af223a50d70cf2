// Runs dependency-cruiser over the program and the library for services, and insists that it saw it: with a TypeScript that it does
// not understand it reads nothing and finds everything in order.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { filesUnder, ROOT } from './build.mjs';

const CRUISED = ['src', 'clients/node/src'];

const cruise = spawnSync(join(ROOT, 'node_modules/.bin/depcruise'), ['--output-type', 'json', ...CRUISED], {
  cwd: ROOT,
  encoding: 'utf8',
  maxBuffer: 256 * 1024 * 1024,
});
if (cruise.stderr) console.error(cruise.stderr);
const { modules, summary } = JSON.parse(cruise.stdout);
const seen = new Set(modules.map((module) => module.source));
const missed = CRUISED.flatMap(filesUnder).filter((file) => file.endsWith('.ts') && !seen.has(file));
for (const { rule, from, to } of summary.violations) console.error(`${from} → ${to}: ${rule.name}`);
for (const file of missed) console.error(`${file}: not seen`);
const own = modules.filter((module) => CRUISED.some((folder) => module.source.startsWith(`${folder}/`)));
const edges = own.reduce((sum, module) => sum + module.dependencies.length, 0);
console.log(`floors: ${own.length} modules, ${edges} imports, ${summary.violations.length} violations`);
// Modules without a single import between them would mean that the imports were not understood.
if (own.length > 1 && edges === 0) console.error('floors: not one import was seen');
process.exitCode = summary.violations.length === 0 && missed.length === 0 && edges > 0 ? 0 : 1;
