// Brings a checkout from wherever it is to ready: right Node, installed packages, compiled program.
// It runs before anything is installed, so it may use nothing but Node itself.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, ROOT, SHIPPED } from './build.mjs';

const OLDEST = [20, 20];

const UNREACHABLE = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT/;

/** Makes the checkout ready and says each thing it does in a line; ends the process with 1, and says why, if it cannot. */
export function setup() {
  requireNode();
  if (isInstallStale()) install();
  for (const name of SHIPPED) {
    const outcome = build(name);
    if (outcome === 'built') console.log(`setup: compiled the ${name}`);
    if (outcome === 'failed') give('setup: the build failed, see the messages of the compiler above');
  }
}

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  give(`setup: Upkeep needs Node ${OLDEST.join('.')} or later, this is ${process.version} (${process.execPath})`);
}

/**
 * Compares what npm says it has installed with what the lockfile asks for. Not by time: a checkout
 * gives the lockfile a new one. Optional packages of other platforms are rightly absent.
 */
function isInstallStale() {
  const installed = join(ROOT, 'node_modules/.package-lock.json');
  if (!existsSync(installed)) return true;
  const have = JSON.parse(readFileSync(installed, 'utf8')).packages;
  const want = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(want).some(([path, { version, optional }]) => {
    if (path === '') return false;
    return have[path] === undefined ? optional !== true : have[path].version !== version;
  });
}

function install() {
  console.log('setup: installing packages (npm ci --ignore-scripts)');
  // The log level is said here because a silent outer npm (npm test -s) would silence this one too.
  const npm = spawnSync('npm', ['ci', '--ignore-scripts', '--no-fund', '--no-audit', '--loglevel=error'], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'pipe'],
    encoding: 'utf8',
  });
  if (npm.error) give(`setup: npm cannot be run (${npm.error.message}); install it and try again`);
  if (npm.status === 0) return;
  process.stderr.write(npm.stderr);
  if (!UNREACHABLE.test(npm.stderr)) give('setup: npm ci failed, see above');
  give(
    'setup: the npm registry cannot be reached; check the network, `npm config get registry` and the proxy settings, then try again',
  );
}

function give(message) {
  console.error(message);
  process.exit(1);
}
