// `npm run bench`: Upkeep and its peers side by side, in one run, on one machine. This file is the outside: it
// reads the options, fetches pm2 into a temporary directory, and runs inside.mjs in the disposable machine of
// test/support/sandbox.sh, where the other peers are installed. Nothing of the host changes. Needs root.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { evidenceOutside } from './evidence.mjs';
import { PEERS } from './peers.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = dirname(HERE);

// The bench is run by a copy of node, so that it takes no share of the memory of those that it measures (place.mjs).
const WITH_COPY = 'cp "$0" /var/tmp/node-of-bench && exec /var/tmp/node-of-bench "$@"';

const USAGE = `usage: node bench/run.mjs [--quick] [--only NAME,…] [--phases NAME,…] [--output FILE]
  --quick     a few rounds and at most 10 services: shows that the harness works, writes no results
  --only      these peers alone (${PEERS.map((peer) => peer.name).join(', ')})
  --phases    these measurements alone (supervised, watched, frozen, evidence, notices, steady, coupling,
              heartbeats, graceful, scale, away)
  --output    where the results go (bench/RESULTS.md; with --quick or a selection nowhere)`;

function options() {
  try {
    const { values } = parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        only: { type: 'string' },
        phases: { type: 'string' },
        output: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    return values;
  } catch (error) {
    refuse(`${error.message}\n${USAGE}`, 2);
  }
}

/** @returns {never} */
function refuse(message, code) {
  process.stderr.write(`bench: ${message}\n`);
  process.exit(code);
}

/** Debian has no pm2, so npm fetches it. @returns {string} the directory, inside of which is node_modules */
function fetchFromNpm(packages) {
  // Not in /tmp: the sandbox mounts its own over it.
  const place = mkdtempSync('/var/tmp/upkeep-bench-');
  const npm = spawnSync(
    'npm',
    ['install', '--prefix', place, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', ...packages],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  if (npm.status !== 0) process.stderr.write(`bench: npm could not fetch ${packages.join(' ')}; going on without\n`);
  return place;
}

const chosen = options();
if (chosen.help) {
  process.stdout.write(`${USAGE}\n`);
  process.exit(0);
}
const only = chosen.only?.split(',');
const unknown = only?.find((name) => !PEERS.some((peer) => peer.name === name));
if (unknown !== undefined) refuse(`no peer is called '${unknown}'\n${USAGE}`, 2);
if (process.getuid() !== 0) refuse('must be run as root: the peers are installed in namespaces of their own', 1);
if (!existsSync(join(ROOT, 'dist/main.js')) && (only === undefined || only.includes('upkeep'))) {
  process.stderr.write('bench: dist/main.js is missing (`npm run build`), so Upkeep itself is left out\n');
}

const peers = PEERS.filter((peer) => only === undefined || only.includes(peer.name));
const fromNpm = peers.flatMap((peer) => peer.npm ?? []);
const phases = chosen.phases?.split(',') ?? null;
const hasEvidence = peers.some((peer) => peer.name === 'upkeep') && (phases?.includes('evidence') ?? true);
const evidence = hasEvidence ? evidenceOutside(chosen.quick) : null;
/** nginx keeps nothing up: it is only one of those that restart a web. */
const packages = peers.flatMap((peer) => peer.packages ?? []);
if (phases?.includes('graceful') ?? true) packages.push('nginx');
const npmPlace = fromNpm.length > 0 ? fetchFromNpm(fromNpm) : null;
try {
  const inside = spawnSync(
    join(ROOT, 'test/support/sandbox.sh'),
    [
      '/bin/sh',
      '-c',
      WITH_COPY,
      process.execPath,
      join(HERE, 'inside.mjs'),
      JSON.stringify({
        quick: chosen.quick,
        peers: peers.map((peer) => peer.name),
        phases,
        evidence,
        npmPlace,
        node: process.execPath,
      }),
    ],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
      env: { ...process.env, SANDBOX_INSTALL: packages.join(' ') },
    },
  );
  process.stdout.write(inside.stdout);
  const isWhole = !chosen.quick && only === undefined && chosen.phases === undefined;
  const output = chosen.output ?? (isWhole ? join(HERE, 'RESULTS.md') : null);
  if (inside.status === 0 && output !== null) {
    writeFileSync(resolve(output), inside.stdout);
    process.stderr.write(`bench: written to ${output}\n`);
  }
  process.exitCode = inside.status ?? 1;
} finally {
  if (npmPlace !== null) rmSync(npmPlace, { recursive: true, force: true });
}
