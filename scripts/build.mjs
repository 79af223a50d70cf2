// Compiles a project of TypeScript files, or does nothing when its output belongs to the sources as
// they are. Freshness is judged by content, not by time: git gives every checkout new times.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

const TARGETS = {
  program: { config: 'tsconfig.build.json', sources: ['src'], out: 'dist' },
  client: { config: 'clients/node/tsconfig.json', sources: ['clients/node/src'], out: 'clients/node/dist' },
  simulation: {
    config: 'tsconfig.simulation.json',
    sources: ['src', 'test/simulation', 'test/scenarios', 'test/support'],
    out: 'build',
  },
};

/** What people install: the program, and the library for services. */
export const SHIPPED = ['program', 'client'];

/** Files under `folder` with their paths relative to the project, sorted; nothing if there is no such folder. */
export function filesUnder(folder) {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      relative(ROOT, join(entry.parentPath ?? entry.path, entry.name))
        .split(sep)
        .join('/'),
    )
    .sort();
}

/** Builds `name` if it has to. Returns what was done: 'built', 'fresh' or 'failed' (the compiler has then said why). */
export function build(name) {
  const { config, sources, out } = TARGETS[name];
  const files = sources.flatMap(filesUnder).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  const hash = createHash('sha256').update(process.version);
  for (const file of [config, 'tsconfig.base.json', 'package-lock.json', ...files]) {
    hash.update(`${file}\0`).update(readFileSync(join(ROOT, file)));
  }
  const fingerprint = hash.digest('hex');
  const expected = new Set(files.map((file) => outputOf(name, file)));
  // The simulation emits only what it imports, so there nothing can be said to be missing.
  const isWhole = [...expected].every((file) => name === 'simulation' || existsSync(join(ROOT, file)));
  const stamp = join(ROOT, out, '.stamp');
  if (isWhole && existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint) return 'fresh';

  rmSync(stamp, { force: true });
  // tsc trusts its own notes about what it has emitted, so they must not outlive the output.
  if (!isWhole) rmSync(join(ROOT, out, '.tsbuildinfo'), { force: true });
  for (const file of filesUnder(out)) {
    // What is left of a source that has gone would still be imported, and shipped.
    const isLeft = /\.(js|d\.ts)$/.test(file) && !expected.has(file.replace(/\.d\.ts$/, '.js'));
    if (isLeft) rmSync(join(ROOT, file));
  }
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', join(ROOT, config)], { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) return 'failed';
  writeFileSync(stamp, fingerprint);
  return 'built';
}

function outputOf(name, file) {
  const js = file.replace(/\.ts$/, '.js');
  return name === 'simulation' ? `build/${js}` : js.replace(/(^|\/)src\//, '$1dist/');
}

if (process.argv[1] !== undefined && fileURLToPath(import.meta.url) === process.argv[1]) {
  for (const name of SHIPPED) {
    const outcome = build(name);
    const { sources, out } = TARGETS[name];
    if (outcome === 'fresh') console.log(`build: ${out} is up to date`);
    if (outcome === 'built') console.log(`build: compiled ${sources.join(', ')} to ${out}`);
    if (outcome === 'failed') console.error('build: failed, see above');
    if (outcome === 'failed') process.exitCode = 1;
  }
}
